"""Planted assemblies: what drives them, what units do, and a file that holds exactly the truth."""

import json

import numpy as np
import pynwb
import pytest
from pynwb import NWBHDF5IO

from make.cli_runs import run_cli
from nwbsparse.binning.groups import groups_of
from nwbsparse.errors import BadInput
from nwbsparse.io.read import read
from nwbsparse.options.config import Config
from nwbsparse.runs.prepare import prepare
from nwbsparse.simulate.assemblies import simulate_assemblies
from nwbsparse.simulate.nwb import write_simulation


@pytest.fixture(scope="module")
def made():
    return simulate_assemblies()


@pytest.fixture(scope="module")
def path(made, tmp_path_factory):
    return write_simulation(made, tmp_path_factory.mktemp("assemblies") / "a.nwb")


def test_shapes_rates_and_rows_of_unit_length(made):
    assert made.counts.shape == (30_000, 60) and made.counts.dtype == np.uint8
    assert made.drive.shape == (30_000, 12) and made.drive.min() >= 0
    np.testing.assert_allclose(np.linalg.norm(made.dictionary, axis=1), 1)
    assert ((made.dictionary > 0).sum(axis=1) == 8).all() and made.dictionary.min() == 0
    assert set((made.dictionary > 0).sum(axis=0)) == {1, 2}, "membership is mixed"
    rates = made.counts.mean(axis=0) / made.bin_width
    assert rates.min() > 1 and rates.max() < 12, "units are weak"
    assert (made.kind.count("place"), made.kind.count("movement")) == (9, 3)
    assert made.follows == ("angle",) * 9 + ("speed", "starts", "speed")


def test_without_drive_units_fire_at_their_background():
    silent = simulate_assemblies(peak=0.0, background=5.0, duration=200.0)
    assert silent.counts.mean() / silent.bin_width == pytest.approx(5.0, rel=0.02)
    assert abs(np.corrcoef(silent.counts.T)[np.triu_indices(60, 1)].mean()) < 0.005


def test_counts_are_poisson_about_background_and_drive():
    made = simulate_assemblies(drift=0.0)
    known = np.column_stack([made.drive, np.ones(len(made.drive))])
    added = np.linalg.lstsq(known, made.counts, rcond=None)[0]
    assert added[-1].mean() / made.bin_width == pytest.approx(0.8, rel=0.1)
    cosine = (added[:-1] * made.dictionary).sum(axis=1) / np.linalg.norm(added[:-1], axis=1)
    assert cosine.min() > 0.97
    left = ((made.counts - known @ added) ** 2).sum(axis=0)
    # of Poisson counts the variance is the mean
    np.testing.assert_allclose(left / made.counts.sum(axis=0), 1.0, atol=0.1)


def test_the_animal_runs_whole_laps_one_way_and_pauses(made):
    assert made.position.min() >= 0 and made.position.max() < 2 * np.pi
    way = np.unwrap(made.position)
    np.testing.assert_allclose(
        np.diff(way), made.bin_width * (made.speed[1:] + made.speed[:-1]) / 2, atol=1e-9
    )
    assert made.speed.min() >= 0
    assert 0.1 < (made.speed < 0.05).mean() < 0.3
    assert len(made.laps) == int(way[-1] // (2 * np.pi)) and len(made.laps) > 40
    np.testing.assert_array_equal(made.laps[1:, 0], made.laps[:-1, 1])
    for edge in made.laps[1:, 0]:
        at = int(edge / made.bin_width)
        assert np.cos(made.position[at]) > 0.99, "a lap ends where it began"


def test_assemblies_of_places_are_driven_where_they_prefer_to_be(made):
    for at in range(9):
        mean = np.angle((made.drive[:, at] * np.exp(1j * made.position)).sum())
        away = np.angle(np.exp(1j * (mean - made.preferred_angle[at])))
        assert abs(away) < 0.15
        opposite = np.cos(made.position - made.preferred_angle[at]) < 0
        assert made.drive[opposite, at].mean() < 0.05
    assert np.isnan(made.preferred_angle[9:]).all()


def test_assemblies_of_movement_are_driven_by_speed_and_by_starts(made):
    for at in (9, 11):
        fast = made.speed > made.speed_threshold[at]
        assert made.drive[~fast, at].max() == 0 and made.drive[fast, at].min() > 0
        over = made.speed - made.speed_threshold[at]
        slope = (made.drive[fast, at].sum()) / over[fast].sum()
        assert slope == pytest.approx(made.speed_slope[at], rel=0.15)
    moving = made.speed > 0.2
    starts = np.flatnonzero(moving[1:] & ~moving[:-1])
    soon = np.zeros(len(moving), bool)
    for start in starts:
        soon[start : start + 25] = True
    assert made.drive[soon, 10].mean() > 8 * made.drive[~soon, 10].mean()
    assert np.isnan(made.speed_slope[[*range(9), 10]]).all()


def test_drift_moves_gains_over_minutes():
    def wander(drift):
        one = simulate_assemblies(drift=drift, duration=1200.0)
        minutes = one.drive[:, :9].reshape(20, -1, 9).mean(axis=1)
        return (minutes.std(axis=0) / minutes.mean(axis=0)).mean()

    assert wander(0.8) > 1.5 * wander(0.0)


def test_a_seed_decides_everything_random():
    small = {"duration": 20.0, "n_units": 10, "n_assemblies": 4, "units_per_assembly": 3}
    one, same, other = (simulate_assemblies(seed=seed, **small) for seed in (3, 3, 4))
    for name in ("counts", "dictionary", "drive", "position", "speed", "preferred_angle"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
        assert not np.array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("n", [1, 2, 6, 20])
def test_any_number_of_assemblies_has_a_kind_and_units_each(n):
    one = simulate_assemblies(n_assemblies=n, duration=20.0)
    assert one.kind.count("movement") == round(n / 4) and len(one.kind) == n
    member = (one.dictionary > 0).sum(axis=0)
    assert member.max() - member.min() <= 1, "units are dealt evenly"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": -1}, "seed is -1; choose 0 or more"),
        (
            {"n_assemblies": 0, "drift": np.nan},
            "2 problems:\n- n_assemblies is 0.*\n- drift is nan",
        ),
        ({"units_per_assembly": 61}, "units_per_assembly is 61; choose 1 to 60"),
        ({"duration": 1.0}, "duration is 1; choose 10 to"),
        ({"bin_width": 0.0}, "bin_width"),
        ({"background": -1.0}, "background"),
        ({"peak": np.inf}, "peak is inf"),
    ],
)
def test_numbers_out_of_bounds_are_refused(options, words):
    with pytest.raises(BadInput, match=words):
        simulate_assemblies(**options)


def test_the_file_holds_the_truth(made, path):
    assert pynwb.validate(path=str(path)) == []
    with NWBHDF5IO(path, "r") as stream:
        nwbfile = stream.read()
        module = nwbfile.processing["simulation"]
        table = module["assemblies"].to_dataframe()
        np.testing.assert_array_equal(np.stack(table["unit_weights"]), made.dictionary)
        for name in ("kind", "follows"):
            assert tuple(table[name]) == getattr(made, name)
        for name in ("preferred_angle", "speed_threshold", "speed_slope"):
            np.testing.assert_array_equal(table[name], getattr(made, name))
        drive = module["drive"]
        np.testing.assert_array_equal(drive.data[:], made.drive)
        assert (drive.rate, drive.starting_time) == (50.0, 0.01)


def test_what_is_read_and_binned_is_what_was_planted(made, path):
    session = read(path)
    binned = prepare(session, Config(bin_width=made.bin_width))
    np.testing.assert_array_equal(binned["counts"].values, made.counts)
    assert binned["angle"].attrs["kind"] == "circular"
    apart = np.angle(np.exp(1j * (binned["angle"].values - made.position)))
    np.testing.assert_allclose(apart, 0, atol=1e-5)
    np.testing.assert_allclose(binned["speed"].values, made.speed, atol=1e-5)
    laps = session.intervals["laps"]
    spans = np.column_stack([laps["start_time"], laps["stop_time"]])
    np.testing.assert_array_equal(spans, made.laps)
    np.testing.assert_array_equal(laps["number"], np.arange(1, len(spans) + 1))


def test_units_that_fire_together_share_no_spikes(path):
    session = read(path)
    found = groups_of(session.spike_times, session.spike_index)
    assert len(set(found)) == 60


def test_the_command_makes_what_the_function_makes(tmp_path, capsys):
    out = tmp_path / "few.nwb"
    asked = ("--seed=5", "--n-assemblies=4", "--n-units=20", "--duration=30", "--drift=.5")
    assert run_cli("simulate", "assemblies", "--out", out, *asked) == 0
    planted = simulate_assemblies(seed=5, n_assemblies=4, n_units=20, duration=30.0, drift=0.5)
    with NWBHDF5IO(out, "r") as stream:
        weights = stream.read().processing["simulation"]["assemblies"]["unit_weights"][:]
    np.testing.assert_array_equal(weights, planted.dictionary)
    capsys.readouterr()
    assert run_cli("inspect", out, "--json") == 0
    assert json.loads(capsys.readouterr().out)["n_units"] == 20
