"""``nwbsparse run``: what it writes, that it repeats, and that it leaves the source alone."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from functools import partial

import numpy as np
import pytest
import xarray as xr
from pynwb.base import TimeSeries

import nwbsparse
from make.cli_runs import PLAIN, QUICK, run_cli
from make.recordings import write_recording

FILES = {
    "rat_desc-latents_sparse.nwb",
    "run.toml",
    "model.safetensors",
    "model.json",
    "latents.nc",
    "attribution.nc",
    "metrics.nc",
    "metrics.json",
    "report.html",
    "log.txt",
}
PROMISED = {
    *("n_units", "n_bins", "bin_width", "n_latents", "k", "test_r2", "test_cosine", "test_l0"),
    *("dead_fraction", "n_explained_latents", "seed", "source_sha256"),
}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_run_writes_all_its_files_and_nothing_else(finished):
    assert {path.name for path in finished.iterdir()} == FILES


def test_metrics_are_flat_documented_and_hold_what_is_promised(finished, recording, request):
    metrics = json.loads((finished / "metrics.json").read_text())
    assert metrics.keys() >= PROMISED
    nested = {key for key, value in metrics.items() if isinstance(value, dict | list)}
    assert nested == {"headline"} and all(isinstance(one, str) for one in metrics["headline"])
    documented = (request.config.rootpath / "docs/reference/metrics.md").read_text()
    assert [key for key in metrics if f"`{key}`" not in documented] == []
    assert metrics["source_sha256"] == sha256(recording)
    assert metrics["n_units"] == 7
    assert metrics["n_units_firing"] == 6


def test_the_same_seed_gives_the_same_bytes_and_the_recorded_options_repeat_the_run(
    finished, recording, tmp_path
):
    again = run_cli(
        "run", recording, "--config", finished / "run.toml", "--out", tmp_path, "--quiet"
    )
    assert again == 0
    for name in ("model.safetensors", "metrics.json", "run.toml"):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes(), name


def test_another_seed_gives_another_model(finished, recording, tmp_path):
    assert run_cli("run", recording, "--out", tmp_path, *QUICK, "--seed=1", "--quiet") == 0
    assert (tmp_path / "model.safetensors").read_bytes() != (
        finished / "model.safetensors"
    ).read_bytes()


def test_the_annotated_file_the_folder_and_the_datasets_agree(finished):
    opened = nwbsparse.open_results(finished / "rat_desc-latents_sparse.nwb")
    assert nwbsparse.load(finished).id == opened.coder.id
    with xr.open_dataset(finished / "latents.nc", engine="h5netcdf") as latents:
        xr.testing.assert_allclose(
            latents["activation"].variable, opened.latents["activation"].variable
        )
    with xr.open_dataset(finished / "attribution.nc", engine="h5netcdf") as attribution:
        assert list(attribution["best_variable"].values) == list(
            opened.attribution["best_variable"].values
        )


def test_the_record_holds_every_choice_that_was_made(finished):
    record = tomllib.loads((finished / "run.toml").read_text())
    assert record["source"] == "rat.nwb"
    assert {"batch_size", "max_epochs", "k_aux", "normalisation", "output"} <= record.keys()


def test_flags_beside_a_config_file_win(recording, tmp_path):
    options = tmp_path / "run.toml"
    options.write_text(
        "n_latents = 16\nk = 2\nmax_epochs = 4\nbin_width = 0.1\nlevels = []\n"
        "choose = 'none'\nseeds = 1\nreplicates = 0\n"
    )
    out = tmp_path / "out"
    code = run_cli(
        "run",
        recording,
        "--out",
        out,
        f"--config={options}",
        "--k",
        "3",
        "--n-shifts=50",
        "--quiet",
    )
    assert code == 0
    metrics = json.loads((out / "metrics.json").read_text())
    assert (metrics["k"], metrics["n_latents"]) == (3, 16)


def test_levels_units_and_where_restrict_what_is_learned(recording, tmp_path):
    code = run_cli(
        *("run", recording, "--out", tmp_path, PLAIN, "--bin-width=0.1", "--max-epochs=4"),
        *("--levels=8:1", "--levels=16:2", "--units", "0,1,2,3", "--where", "position_x > -0.5"),
        "--intervals=trials",
        *("--n-shifts=50", "--quiet"),
    )
    assert code == 0
    opened = nwbsparse.open_results(tmp_path / "rat_desc-latents_sparse.nwb")
    assert opened.metrics.sizes["matryoshka_level"] == 2
    assert list(opened.attribution["unit_id"].values) == [0, 1, 2, 3]
    assert opened.latents.sizes["time"] < 2500


def test_a_run_prints_what_was_read_the_numbers_and_where_the_files_are(
    recording, tmp_path, capsys
):
    assert run_cli("run", recording, "--out", tmp_path, *QUICK) == 0
    printed = capsys.readouterr().out
    for words in ("What was read", "held-out R²", "L0", "annotated NWB", "report.html"):
        assert words in printed


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(recording, tmp_path, capsys):
    assert run_cli("run", recording, "--out", tmp_path / "out", *QUICK, "--dry-run") == 0
    printed = capsys.readouterr().out
    for words in ("7 units", "updates", "GB", "n_latents = 16", "bin_width = 0.1"):
        assert words in printed
    assert not (tmp_path / "out").exists()


def test_the_source_is_never_changed(finished, recording):
    before = recording.stat().st_mtime_ns
    assert json.loads((finished / "metrics.json").read_text())["source_sha256"] == sha256(recording)
    assert recording.stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(signal.SIGTERM, b"SIGTERM", marks=pytest.mark.fault(2)),
        pytest.param(signal.SIGINT, b"stopped", marks=pytest.mark.fault(3)),
    ],
)
def test_a_stopped_run_leaves_no_half_results(number, words, recording, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "nwbsparse", "run", str(recording), "--out", str(out)]
    slow = [*command, PLAIN, "--max-epochs=100000", "--bin-width=0.1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # what is started in the background ignores Ctrl-C, and so would what it starts
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(slow, **pipes, env=dict(os.environ), preexec_fn=heard) as process:
        assert any(b"bins of 100 ms" in line for line in process.stdout), "the training begins"
        time.sleep(1.0)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 4, said
    assert words in said
    assert not out.exists()


def test_ready_made_counts_run_and_end_in_nwb(tmp_path, capsys):
    rng = np.random.default_rng(0)
    direction = np.repeat(np.arange(40) % 2, 50)
    arrays = {
        "spikes": rng.poisson(1.0, (2000, 6)).astype(np.uint8),
        "position": np.abs(np.linspace(-20, 20, 2000) % 2 - 1),
        "right": direction,
        "left": 1 - direction,
    }
    np.savez(tmp_path / "rat.npz", **arrays)
    quick = [flag for flag in QUICK if not flag.startswith("--bin-width")]
    out = tmp_path / "out"
    assert run_cli("run", tmp_path / "rat.npz", "--out", out, "--bin-width=0.1", *quick) == 0
    assert "for DANDI the annotated file lacks" in " ".join(capsys.readouterr().out.split())
    assert {path.name for path in out.iterdir()} == FILES
    assert (
        nwbsparse.open_results(out / "rat_desc-latents_sparse.nwb").session.traces.bin_width == 0.1
    )


def test_traces_of_an_nwb_file_run(tmp_path):
    rng = np.random.default_rng(0)
    series = [
        TimeSeries(name=f"cell_{u}", data=rng.random(4000), unit="a.u.", rate=20.0)
        for u in range(5)
    ]
    path = write_recording(tmp_path / "ophys.nwb", spike_times=None, acquisition=series)
    out = tmp_path / "out"
    code = run_cli("run", path, "--series", "cell_*", "--out", out, *QUICK, "--quiet")
    assert code == 0
    assert json.loads((out / "metrics.json").read_text())["n_units"] == 5
    opened = nwbsparse.open_results(out / "ophys_desc-latents_sparse.nwb")
    assert opened.session.traces is not None
    assert opened.coder.n_units == 5
