"""``nwbsparse bundle``, ``validate``, ``doctor`` and ``reproduce``: what they print and exit with."""

import shutil

import h5py
import numpy as np
import pytest

import nwbsparse
from make.cli_runs import run_cli

NAME = "rat_desc-latents_sparse.nwb"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """nwbinspector takes seconds."""
    monkeypatch.setattr("nwbsparse.share.other_validators.find_spec", lambda _: None)
    monkeypatch.setattr("nwbsparse.share.other_validators.shutil.which", lambda _: None)


def damage(path):
    with h5py.File(path, "r+") as file:
        file["processing/sparse_latents/latents/decoder_weights"][0, 0] += 1


def test_a_bundle_is_made_and_said_and_never_overwritten(finished, tmp_path, capsys):
    assert run_cli("bundle", finished / NAME, "--out", tmp_path) == 0
    assert "sub-A/sub-A_ses-session-1_desc-latents_ecephys.nwb" in capsys.readouterr().out
    made = next(tmp_path.rglob("*.nwb"))
    assert run_cli("validate", made) == 0
    assert run_cli("bundle", finished / NAME, "--out", tmp_path) == 2
    assert "never overwritten" in capsys.readouterr().err


def test_flags_that_contradict_the_file_are_refused(finished, tmp_path, capsys):
    assert run_cli("bundle", finished / NAME, "--out", tmp_path, "--sex", "F") == 2
    assert "the file says sex 'M'" in capsys.readouterr().err


def test_validate_exits_0_2_and_5(finished, tmp_path, capsys):
    assert run_cli("validate", finished / NAME) == 0
    said = capsys.readouterr().out
    for words in ("nwbsparse", "pynwb", "not installed", "pip install", "dandi"):
        assert words in said
    (tmp_path / "letter.nwb").write_text("a letter")
    assert run_cli("validate", tmp_path / "letter.nwb") == 2
    path = shutil.copy(finished / NAME, tmp_path)
    damage(path)
    assert run_cli("validate", path) == 5
    printed = capsys.readouterr()
    assert "decoder_weights" in printed.out and "is damaged" in printed.err


def test_doctor_says_what_is_wrong_and_saves_what_is_not(finished, tmp_path, capsys):
    assert run_cli("doctor", finished / NAME) == 0
    assert "nothing is wrong" in capsys.readouterr().out
    path = shutil.copy(finished / NAME, tmp_path)
    damage(path)
    assert run_cli("doctor", path) == 5
    printed = capsys.readouterr()
    assert "wrong:" in printed.out and "--save" in printed.err
    assert run_cli("doctor", path, "--save", tmp_path / "saved") == 5
    coder = nwbsparse.load(tmp_path / "saved" / "latents")  # the coder itself is whole
    assert coder.id == nwbsparse.load(finished).id


def test_a_run_is_reproduced_from_its_file(finished, recording, tmp_path, capsys):
    again = tmp_path / "again"
    code = run_cli("reproduce", finished / NAME, "--source", recording, "--out", again, "--quiet")
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert "everything is the same" in printed and "other" not in printed
    assert (again / "model.safetensors").read_bytes() == (
        finished / "model.safetensors"
    ).read_bytes()


def test_a_sorters_folder_is_told_how_it_is_run_again(finished, tmp_path, capsys):
    (tmp_path / "kilosort4").mkdir()
    (tmp_path / "kilosort4/spike_times.npy").touch()
    sorted_by = tmp_path / "kilosort4"
    assert run_cli("reproduce", finished / NAME, "--source", sorted_by, "--quiet") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "is a sorting folder" in said and "--config run.toml" in said


def test_the_recording_is_looked_for_beside_the_file_and_another_one_is_refused(
    finished, recording, tmp_path, capsys
):
    path = shutil.copy(finished / NAME, tmp_path)
    assert run_cli("reproduce", path, "--quiet") == 2
    assert "--source" in capsys.readouterr().err
    other = shutil.copy(recording, tmp_path / "other.nwb")
    with h5py.File(other, "r+") as file:
        file["units/spike_times"][0] += 0.001
    assert run_cli("reproduce", path, "--source", other, "--quiet") == 2
    assert "is another recording" in capsys.readouterr().err


@pytest.mark.slow
def test_what_differs_is_said_and_by_how_much(finished, recording, monkeypatch, capsys):
    """The same versions and another result: exit 5. Other versions: words."""
    from nwbsparse.runs import reproduce as reproduction

    run = reproduction.pipeline.run

    def other_seed(source, out, config, **more):
        return run(source, out, config.replace(seed=config.seed + 1), **more)

    monkeypatch.setattr(reproduction.pipeline, "run", other_seed)
    assert run_cli("reproduce", finished / NAME, "--source", recording, "--quiet") == 5
    printed = capsys.readouterr()
    assert "other" in printed.out and "with the same versions" in printed.err

    done = reproduction.reproduce(finished / NAME, source=recording)
    of = {one.what: one for one in done.compared}
    assert of["source sha256"].same and not of["weights"].same and of["weights"].difference > 0
    assert np.isfinite(of["metrics: r2"].difference)

    environment = reproduction.environment
    monkeypatch.setattr(
        reproduction, "environment", lambda coder: environment(coder) | {"torch": "99.0"}
    )
    assert run_cli("reproduce", finished / NAME, "--source", recording, "--quiet") == 0
    printed = capsys.readouterr().out
    assert "is 99.0" in printed and "not the same" in printed
