"""Results that were stored before an option existed are made again as they were."""

from dataclasses import replace

import pytest

import nwbsparse as ns
from make.cli_runs import PLAIN, QUICK, run_cli
from make.recordings import circle, laps, poisson_spikes, write_recording
from nwbsparse.options.config import Config

LEVELS = ("--levels=8:1", "--levels=16:2")
IN_ONE_GO = ("--choose=none", "--seeds=1", "--replicates=0")
"""All that such a version could do."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return write_recording(
        tmp_path_factory.mktemp("source") / "rat.nwb",
        spike_times=poisson_spikes(n_units=5, stop=120.0),
        position=circle(n=6_000),
        trials=laps(n=12),
    )


def run(recording, folder, *options):
    """The annotated file of a run with two levels."""
    quick = [one for one in QUICK if not one.startswith(("--n-latents", "--k", PLAIN))]
    assert (
        run_cli("run", recording, "--out", folder, *quick, *IN_ONE_GO, *LEVELS, *options, "--quiet")
        == 0
    )
    return next(folder.glob("*_sparse.nwb"))


@pytest.fixture(scope="module")
def earlier(recording, tmp_path_factory):
    """The annotated file that a version without a word for it left; its levels were averaged."""
    to_dict = Config.to_dict
    with pytest.MonkeyPatch.context() as patch:

        def lacking(config):
            return {key: value for key, value in to_dict(config).items() if key != "level_terms"}

        patch.setattr(Config, "to_dict", lacking)
        path = run(recording, tmp_path_factory.mktemp("earlier") / "run", "--level-terms=mean")
    for stored in ("run.toml", "model.json"):
        assert "level_terms" not in (path.parent / stored).read_text(encoding="utf-8")
    return path


def test_levels_of_an_earlier_version_are_averaged_again(earlier, recording, tmp_path, capsys):
    assert ns.open_results(earlier).config.level_terms == "mean"
    assert run_cli("reproduce", earlier, "--source", recording, "--quiet") == 0
    assert "everything is the same" in capsys.readouterr().out

    options = ("--config", earlier.parent / "run.toml", "--quiet")
    assert run_cli("fit", recording, "--out", tmp_path / "fit", *options) == 0
    tensors = [folder / "model.safetensors" for folder in (earlier.parent, tmp_path / "fit")]
    assert tensors[0].read_bytes() == tensors[1].read_bytes()


def test_results_of_an_earlier_version_are_known_as_the_same(earlier, recording):
    """Writing them where they stand already changes nothing, and is no conflict of names."""
    before = earlier.read_bytes()
    ns.write(replace(ns.open_results(earlier), session=ns.read(recording)), earlier)
    assert earlier.read_bytes() == before


@pytest.mark.slow
def test_levels_are_summed_unless_something_else_is_said(earlier, recording, tmp_path):
    found = ns.open_results(run(recording, tmp_path / "now"))
    assert found.config.level_terms == "sum"
    assert ns.open_results(earlier).coder.id != found.coder.id, "it was trained on something else"
