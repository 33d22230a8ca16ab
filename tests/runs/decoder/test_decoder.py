"""decoder fit and evaluate: files in, a folder out, and what is measured beside it."""

import shutil

import numpy as np
import pytest
import torch
import xarray as xr

from make.cli_runs import run_cli
from make.grating_files import grating_files
from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.options.decoder import DecoderOptions
from nwbsparse.runs.decoder.evaluate_decoder import evaluate_decoder
from nwbsparse.runs.decoder.fit_decoder import fit_decoder, open_decoder

pytestmark = pytest.mark.fits
OPTIONS = DecoderOptions(
    targets="orientation,genotype,running_speed", bin_width=0.5, max_epochs=12, batch_size=16,
    device="cpu",
)  # fmt: skip


@pytest.fixture(scope="module")
def mice(tmp_path_factory):
    return grating_files(tmp_path_factory.mktemp("mice"), n_sessions=3, n_classes=2)


@pytest.fixture(scope="module")
def fitted(mice, tmp_path_factory):
    out = tmp_path_factory.mktemp("decoder") / "made"
    return fit_decoder(mice[:2], out, OPTIONS), out


@pytest.fixture
def folder(fitted, tmp_path):
    return shutil.copytree(fitted[1], tmp_path / "decoder")


def test_what_is_kept_is_what_was_trained(fitted):
    made, out = fitted
    stored = open_decoder(out)
    assert stored.options == OPTIONS and list(stored.sources) == list(made.model.sessions)
    kept = stored.model.state_dict()
    assert all(torch.equal(kept[name], one) for name, one in made.model.state_dict().items())
    assert {one.name for one in out.iterdir()} == {
        "decoder.safetensors", "decoder.json", "decoder-run.json", "trials.nc", "scores.json", "log.txt",
    }  # fmt: skip


def test_held_out_trials_a_new_session_and_what_stands_beside(mice, folder):
    found = evaluate_decoder(folder, [mice[2]], n_permutations=99)
    score = found[names.SCORE].sel({names.HEAD: "orientation"})
    first, second, new, every = found[names.SESSION].values.tolist()
    known = score.sel({names.SESSION: [first, second]})
    assert (known.sel({names.DECODER: "network"}) > 0.5).all()
    assert (known.sel({names.DECODER: "linear"}) > 0.5).all()
    assert np.isfinite(known.sel({names.DECODER: "alone"})).all()
    assert every == "all" and float(score.sel(session="all", decoder="shuffled")) < 0.5
    assert float(found[names.P].sel(session="all", head="orientation", decoder="network")) == 0.01
    # of the new session there is what its read-in alone reaches, and nothing else
    there = np.isfinite(score.sel({names.SESSION: new}))
    assert there.coords[names.DECODER].values[there.values].tolist() == ["new_session"]
    # one genotype is the same in a whole session: a linear readout of it cannot be learned
    own = found[names.SCORE].sel(session=first, head="genotype")
    assert np.isfinite(own.sel(decoder="network")) and np.isnan(own.sel(decoder="linear"))
    with xr.open_dataset(folder / "evaluation.nc") as kept:
        assert kept[names.SCORE].equals(found[names.SCORE])


def test_every_trial_is_held_out_once_and_sessions_as_a_whole(folder):
    found = evaluate_decoder(folder, folds=2, whole_sessions=True, beside=False, n_permutations=19)
    n = found[names.N].sel(head="orientation")
    stored = open_decoder(folder)
    assert (n[:-1] == 96).all() and int(n.sel(session="all")) == 192
    scores = found[names.SCORE].sel(head="orientation")
    assert np.isfinite(scores.sel(session=list(stored.sources))).all()
    assert found["decoder"].values.tolist() == ["network", "new_session"]


def test_from_the_command_line(mice, tmp_path, capsys):
    out = tmp_path / "decoder"
    own = ("--bin-width", 0.5, "--max-epochs", 2, "--device", "cpu")
    assert run_cli("decoder", "fit", *mice[:2], "--targets", "orientation", "--out", out, *own) == 0
    assert "orientation" in capsys.readouterr().out
    assert run_cli("decoder", "evaluate", out, "--csv", tmp_path / "csv", "--alone") == 0
    said = capsys.readouterr().out
    assert "null 95 %" in said and (tmp_path / "csv").is_dir()
    assert run_cli("decoder", "fit", mice[0], "--targets", "orientation", "--out", out) == 2
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("targets", "said"),
    [("orientaton", "orientation"), ("genotype", "one"), ("", "--targets")],
)
def test_what_cannot_be_decoded_leaves_nothing(mice, tmp_path, targets, said, capsys):
    out = tmp_path / "new" / "decoder"
    assert run_cli("decoder", "fit", mice[0], "--targets", targets, "--out", out) == 2
    assert said in capsys.readouterr().err
    assert not out.parent.exists()


def test_a_training_that_was_stopped_goes_on_to_the_same_bits(mice, fitted, tmp_path):
    calls = []

    def stop(*args, **numbers):
        calls.append(args)
        if len(calls) == 4:
            raise KeyboardInterrupt

    out = tmp_path / "decoder"
    with pytest.raises(KeyboardInterrupt):
        fit_decoder(mice[:2], out, OPTIONS, progress=stop)
    made = fit_decoder(mice[:2], out, OPTIONS, resume=True)
    whole = fitted[0].model.state_dict()
    assert all(torch.equal(whole[name], one) for name, one in made.model.state_dict().items())


def test_another_file_than_it_was_fitted_to_is_refused(folder, tmp_path):
    # files of the same names that hold other recordings
    others = grating_files(tmp_path / "others", n_sessions=2, noise=0.3)
    with pytest.raises(BadInput, match="another file"):
        evaluate_decoder(folder, others)


def test_folders_without_a_decoder_are_refused(tmp_path):
    with pytest.raises(BadInput, match="no decoder"):
        evaluate_decoder(tmp_path)
