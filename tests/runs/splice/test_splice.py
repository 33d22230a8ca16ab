"""A coder inside a decoder, from files to a page: everything is measured, kept, drawn and written."""

import io
import json
from hashlib import sha256

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import nwbsparse
from make.cli_runs import run_cli
from make.grating_files import grating_files
from nwbsparse import names
from nwbsparse.cli.splice_tables import show_spliced
from nwbsparse.errors import BadInput
from nwbsparse.options.splice import SpliceOptions
from nwbsparse.runs.splice.splice_recordings import splice_recordings

pytestmark = pytest.mark.fits
SMALL = {
    "targets": "orientation,temporal_frequency", "bin_width": 0.5, "max_epochs": 10, "batch_size": 16,
    "n_latents": 16, "k": 3, "coder_epochs": 4, "tuning_epochs": 1, "n_permutations": 19, "n_draws": 1,
    "d_model": 16, "device": "cpu",
}  # fmt: skip


@pytest.fixture(scope="module")
def mice(tmp_path_factory):
    return grating_files(tmp_path_factory.mktemp("mice"), n_sessions=2, n_units=16, repeats=3)


@pytest.fixture(scope="module")
def spliced(mice, tmp_path_factory):
    out = tmp_path_factory.mktemp("splice") / "made"
    before = [sha256(one.read_bytes()).hexdigest() for one in mice]
    made = splice_recordings(mice, out, SpliceOptions(class_label="genotype", **SMALL))
    assert [sha256(one.read_bytes()).hexdigest() for one in mice] == before
    return made


def test_all_is_measured_of_both_ways_of_training(spliced):
    heads = ["orientation", "temporal_frequency", "genotype"]
    for pair in spliced.pairs:
        score = pair.report["score"]
        assert score[names.HEAD].values.tolist() == heads
        same = score.sel(representation="identity") == score.sel(representation="intact")
        assert same.all(), "the layer itself in its own place changes nothing"
        assert np.isfinite(pair.steering["target_area"]).any()
        folder = spliced.folder / pair.name
        for name, table in pair.tables.items():
            with xr.open_dataset(folder / f"{name}.nc") as kept:
                assert kept.sizes == table.sizes
        assert nwbsparse.load(folder).id == pair.coder.id
    assert [pair.name for pair in spliced.pairs] == ["frozen", "together"]
    frozen, together = (pair.model.state_dict() for pair in spliced.pairs)
    assert any(not frozen[name].equal(together[name]) for name in frozen)


def test_the_page_says_it_all_and_needs_nothing_else(spliced):
    page = spliced.page.read_text(encoding="utf-8")
    assert page.count("data:image/svg+xml") == 2 * 4
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    text = (spliced.folder / "spliced.md").read_text(encoding="utf-8")
    for words in (
        "What the network keeps",
        "own loss",
        "permuting it over sessions",
        "frozen-ablation.svg",
    ):
        assert words in text
    assert (spliced.folder / "frozen-ablation.svg").is_file()
    numbers = json.loads((spliced.folder / "spliced.json").read_text(encoding="utf-8"))
    assert numbers["frozen"]["score_orientation"] == pytest.approx(
        float(spliced.frozen.report["score"].sel(representation="intact", head="orientation"))
    )


def test_each_session_has_a_file_with_its_trials_on_its_own_clock(spliced, mice):
    assert len(spliced.files) == len(mice)
    for path, source, trials in zip(spliced.files, mice, spliced.data.trials, strict=True):
        found = nwbsparse.open_results(path)
        time = found.latents[names.TIME].values
        expected = trials[names.START].values[:, None] + trials[names.TIME].values
        assert time == pytest.approx(np.sort(expected.ravel()))
        own = found.attribution
        assert own["site_eta2"].dims == (names.LATENT, names.HEAD)
        wanted = spliced.frozen.selectivity
        assert own["site_eta2"].values == pytest.approx(
            wanted["eta2"].values, abs=1e-6, nan_ok=True
        )
        assert own["site_eta2_p"].values == pytest.approx(wanted["p"].values, abs=1e-6, nan_ok=True)
        removed = spliced.frozen.ablation["latents_removed"].any(names.REMOVED).values
        there = np.isfinite(own["site_ablation"].values).any(axis=1)
        assert (there <= removed).all()
        assert found.session.source.sha256 != ""
        assert nwbsparse.read(source).n_units == found.session.n_units
        clear = wanted["selective_for"].values != ""
        assert all(own["label"].values[clear])


def test_the_terminal_ends_with_the_ablation_matrix_of_the_frozen_network(spliced):
    printed = io.StringIO()
    show_spliced(Console(file=printed, width=160), spliced)
    said = printed.getvalue()
    frozen = said.index("frozen: share lost")
    assert said.index("together: share lost") < frozen < said.index("page   ")
    assert "untrained network" in said[frozen:]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--targets", "orientation,temporal_frequency", "--site", "blocks.7"), "blocks.1"),
        (("--targets", "orientation"), "two targets"),
        (("--targets", "orientation,temporal_frequency", "--k", "99"), "k is 99"),
        (("--targets", "orientation,temporal_frequency", "--class-label", "genotypes"), "genotype"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(
    mice, tmp_path, options, said, capsys
):
    out = tmp_path / "new" / "splice"
    assert run_cli("splice", *mice, *options, "--bin-width", 0.5, "--out", out) == 2
    assert said in capsys.readouterr().err
    assert not out.parent.exists()


def test_results_are_not_replaced_unasked(spliced, mice):
    with pytest.raises(BadInput, match="overwrite"):
        splice_recordings(mice, spliced.folder, SpliceOptions(**SMALL))
