"""The demonstration: what counts as found and as named right, its four sentences, and all of it once."""

import numpy as np
import pytest
import xarray as xr

from make.cli_runs import run_cli
from nwbsparse import names
from nwbsparse.analysis.recovery import Recovered, matching_rows
from nwbsparse.cli.demonstrate import in_short
from nwbsparse.runs.demo.assemblies import Named, name_assemblies
from nwbsparse.runs.demo.methods import LATENTS, NMF, PCA, PLAIN, UNITS, Matched, matched
from nwbsparse.runs.demo.superposition import SuperpositionDemo
from nwbsparse.simulate.assemblies import simulate_assemblies


def test_rows_are_matched_one_to_one_whatever_their_order_and_size():
    rng = np.random.default_rng(0)
    planted = rng.random((6, 20)) * (rng.random((6, 20)) < 0.4)
    order = rng.permutation(6)
    row, cosine = matching_rows(3.0 * planted[order], planted)
    assert (order[row] == np.arange(6)).all() and np.allclose(cosine, 1)
    row, cosine = matching_rows(planted[:4], planted)
    assert (row[4:] == -1).sum() + (row[:4] == -1).sum() == 2
    assert (cosine[row == -1] == 0).all()


def test_found_counts_rows_that_are_alike_and_components_have_no_sign():
    planted = np.eye(4, 10)
    assert matched(planted[:3], planted).found == 3
    assert matched(-planted, planted).found == 0
    both = matched(-planted, planted, signed=True)
    assert both.found == 4 and both.rows == 4 and both.precision == 1
    mixed = planted + 0.7 * np.roll(planted, 1, axis=0)
    assert matched(mixed, planted).found == 4  # cosine .82
    assert matched(planted + np.roll(planted, 1, axis=0), planted).found == 0  # cosine .71


def explained(truth, *, preferred, variable, status="found"):
    """An attribution whose latents prefer these places and are said to follow these variables."""
    angles = np.linspace(0.05, 2 * np.pi - 0.05, 40)
    curves = np.exp(3 * (np.cos(angles[None] - np.asarray(preferred)[:, None]) - 1))
    n = len(preferred)
    return xr.Dataset(
        {
            "tuning.angle": ((names.LATENT, "angle_bin"), curves),
            "best_variable": (names.LATENT, np.array(variable, dtype=object)),
            "association_status": (names.LATENT, np.array([status] * n, dtype=object)),
        },
        coords={"angle_bin": angles},
    )


def test_a_latent_is_named_right_by_variable_and_place():
    truth = simulate_assemblies(duration=20.0, n_assemblies=8)
    where = np.nan_to_num(truth.preferred_angle)
    variable = [one if one != "starts" else "speed" for one in truth.follows]
    told = explained(truth, preferred=where + 0.2, variable=variable)
    named = name_assemblies(truth, truth.dictionary, told)
    assert all(one.right for one in named) and [one.latent for one in named] == list(range(8))
    away = explained(truth, preferred=where + 2.0, variable=variable)
    right = [one.right for one in name_assemblies(truth, truth.dictionary, away)]
    assert right == [follows != "angle" for follows in truth.follows]
    wrong = explained(truth, preferred=where, variable=["speed"] * 8)
    right = [one.right for one in name_assemblies(truth, truth.dictionary, wrong)]
    assert right == [follows != "angle" for follows in truth.follows]
    nothing = explained(truth, preferred=where, variable=variable, status="not found")
    right = [one.right for one in name_assemblies(truth, truth.dictionary, nothing)]
    assert right == [follows == "starts" for follows in truth.follows]
    unmatched = name_assemblies(truth, np.eye(60), told)
    assert not any(one.right for one in unmatched)


def test_the_four_sentences_say_the_numbers():
    def of(found, n, rows):
        return Matched(rows, np.repeat([0.95, 0.2], [found, n - found]))

    mixed = {LATENTS: of(12, 12, 12), UNITS: of(0, 12, 60), PCA: of(1, 12, 12), NMF: of(6, 12, 12),
             PLAIN: of(11, 12, 12)}  # fmt: skip
    named = [Named("speed", "speed", at, 0.95, "speed", right=at > 0) for at in range(12)]
    found = {LATENTS: 62, UNITS: 0, PCA: 0, NMF: 0, PLAIN: 2}
    weak = SuperpositionDemo(150, 100, {name: of(n, 150, 66) for name, n in found.items()})
    cells = [Recovered(at, at, 0.9, single_unit=True) for at in range(4)]
    said = in_short(named, mixed, weak, [*cells[:3], Recovered(3, None, 0.0, False)], cells)
    assert len(said) == 4
    assert "latents find 12; single units are 0" in said[0] and "NMF 6" in said[0]
    assert said[1].startswith("11 of those 12 are named")
    assert "62 come out, and 94 % of the latents are one" in said[2]
    assert "place cells 3 are recovered, by single units 4" in said[3]


@pytest.mark.slow
def test_the_demonstration_makes_its_point(tmp_path, capsys):
    assert run_cli("demo", "--out", tmp_path / "demo") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Of 12 planted assemblies the latents find 12" in printed
    assert "All of those 12 are named by what drives them" in printed
    assert "Of the four published place cells 4 are recovered" in printed
    assert (tmp_path / "demo" / "run-assemblies" / "report.html").is_file()
