"""``nwbsparse fit`` and ``encode``: a coder in a folder, stopped and resumed, and applied."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
import xarray as xr

import nwbsparse as ns
from make.cli_runs import PLAIN, run_cli
from make.configs import plain_config
from nwbsparse.models.checkpoint import to_bytes
from nwbsparse.options.toml import read_toml
from nwbsparse.runs.prepare import prepare

FIT = (PLAIN, "--bin-width=0.1", "--n-latents=16", "--k=2", "--max-epochs=4")


@pytest.fixture(scope="module")
def fitted(recording, tmp_path_factory):
    out = tmp_path_factory.mktemp("fitted")
    assert run_cli("fit", recording, "--out", out, *FIT, "--quiet") == 0
    return out


def test_fit_leaves_a_coder_that_python_would_have_trained(fitted, recording):
    assert {path.name for path in fitted.iterdir()} == {
        "model.safetensors", "model.json", "run.toml", "metrics.json",
    }  # fmt: skip
    config = plain_config(bin_width=0.1, n_latents=16, k=2, max_epochs=4)
    coder = ns.fit(prepare(ns.read(recording), config), config)
    assert to_bytes(ns.load(fitted)) == to_bytes(coder)
    numbers = json.loads((fitted / "metrics.json").read_text())
    assert numbers["coder_id"] == coder.id
    assert 0 < numbers["test_r2"] < 1


def test_the_written_options_repeat_the_fit(fitted, recording, tmp_path):
    again = tmp_path / "again"
    assert run_cli(
        "fit", recording, "--config", fitted / "run.toml", "--out", again, "--quiet"
    ) == 0  # fmt: skip
    assert (again / "model.safetensors").read_bytes() == (fitted / "model.safetensors").read_bytes()


def test_encode_writes_the_latents_that_python_gives(fitted, recording, tmp_path):
    out = tmp_path / "latents.nc"
    assert run_cli("encode", fitted, recording, "--out", out) == 0
    coder = ns.load(fitted)
    expected = ns.encode(coder, prepare(ns.read(recording), coder.config))
    with xr.open_dataset(out) as found:
        np.testing.assert_array_equal(found["activation"], expected["activation"])
        assert found.attrs["coder_id"] == coder.id
    assert run_cli("encode", fitted, recording, "--out", out) == 2
    assert run_cli("encode", fitted, recording, "--out", out, "--overwrite") == 0


def test_a_folder_without_a_coder_and_other_units_are_refused(fitted, recording, tmp_path, capsys):
    assert run_cli("encode", tmp_path, recording, "--out", tmp_path / "l.nc") == 2
    assert "holds no coder" in capsys.readouterr().err
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "other.npz", spikes=rng.poisson(1.0, (2000, 3)).astype(np.uint8))
    code = run_cli("encode", fitted, tmp_path / "other.npz", "--out", tmp_path / "l.nc")
    assert code == 2
    assert not (tmp_path / "l.nc").exists()


def test_a_coder_is_not_replaced_unasked(fitted, recording, capsys):
    before = (fitted / "model.safetensors").read_bytes()
    assert run_cli("fit", recording, "--out", fitted, *FIT, "--seed=1", "--quiet") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (fitted / "model.safetensors").read_bytes() == before


def test_seeds_say_which_latents_come_back(recording, tmp_path, capsys):
    out = tmp_path / "seeds"
    assert run_cli("fit", recording, "--out", out, *FIT, "--seeds=3") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "of 16 latents come back in 3 seeds" in printed
    assert {f"seed-{seed}" for seed in range(3)} < {path.name for path in out.iterdir()}
    assert ns.load(out).id == ns.load(out / "seed-0").id
    with xr.open_dataset(out / "stability.nc") as stability:
        assert dict(stability.sizes) == {"latent": 16, "seed": 2}
        stable = json.loads((out / "metrics.json").read_text())["n_stable_latents"]
        assert stable == int(stability["stable"].sum())


def test_a_preset_gives_way_to_a_file_and_a_file_to_flags(recording, tmp_path, capsys):
    (tmp_path / "mine.toml").write_text("max_epochs = 3\nk = 3\n")
    out = tmp_path / "out"
    code = run_cli(
        "fit", recording, "--preset", "naik2025", "--config", tmp_path / "mine.toml", "--k=2",
        "--expansion=2", "--bin-width=0.1", "--embed=none", "--out", out, "--quiet",
    )  # fmt: skip
    assert code == 0
    used = read_toml(out / "run.toml")
    assert (used["k"], used["max_epochs"], used["sparsifier"], used["n_latents"]) == (
        2,
        3,
        "topk",
        14,
    )
    assert run_cli("fit", recording, "--preset", "naik2024", "--out", tmp_path / "x") == 2
    assert "did you mean 'naik2025'" in capsys.readouterr().err


def test_combinations_that_cannot_work_name_those_that_can(recording, tmp_path, capsys):
    code = run_cli("fit", recording, "--out", tmp_path / "x", "--loss=msle", "--output=identity")
    assert code == 2
    assert "output=relu" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_fit_resumes_to_the_same_bytes(number, recording, tmp_path):
    options = (
        PLAIN,
        "--bin-width=0.1",
        "--n-latents=16",
        "--k=2",
        "--max-epochs=600",
        "--patience=9999",
    )
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert run_cli("fit", recording, "--out", whole, *options, "--quiet") == 0
    command = [sys.executable, "-m", "nwbsparse", "fit", str(recording), "--out", str(stopped)]
    # what is started in the background ignores Ctrl-C, and so would what it starts
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        [*command, *options, "--quiet"],
        stderr=subprocess.PIPE,
        env=dict(os.environ),
        preexec_fn=heard,
    ) as process:
        deadline = time.monotonic() + 60
        while not (stopped / "checkpoint.safetensors").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 4, said
    assert not (stopped / "model.safetensors").exists()
    assert run_cli("fit", recording, "--out", stopped, *options, "--quiet") == 2  # say which
    assert run_cli("fit", recording, "--out", stopped, *options, "--quiet", "--resume") == 0
    for name in ("model.safetensors", "model.json"):
        assert (stopped / name).read_bytes() == (whole / name).read_bytes()
    assert not (stopped / "checkpoint.safetensors").exists()


def test_the_table_of_a_training_shows_what_matters(recording, tmp_path, capsys):
    assert run_cli("fit", recording, "--out", tmp_path / "out", *FIT) == 0
    printed = capsys.readouterr().out
    for words in ("updates", "validation", "R²", "L0", "dead", "bins/s", "done"):
        assert words in printed
