"""``evaluate``, ``explain``, ``decode``, ``transfer`` and ``report`` on a finished run."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import nwbsparse as ns
from make.cli_runs import PLAIN, run_cli


@pytest.fixture
def fitted(recording, tmp_path):
    out = tmp_path / "fitted"
    flags = (
        PLAIN,
        "--bin-width=0.1",
        "--n-latents=16",
        "--k=2",
        "--max-epochs=4",
        "--n-shifts=50",
    )
    assert run_cli("fit", recording, "--out", out, *flags, "--quiet") == 0
    return out


def annotated(folder):
    return next(folder.glob("*_sparse.nwb"))


def test_evaluate_gives_the_numbers_of_the_run_again(run_folder, capsys):
    before = json.loads((run_folder / "metrics.json").read_text())
    assert run_cli("evaluate", run_folder, "--csv", run_folder / "csv") == 0
    assert json.loads((run_folder / "metrics.json").read_text()) == before
    said = capsys.readouterr().out
    assert "R² of hidden units (held-out)" in said and "a copy has 1" in said
    assert said.index("hidden unit's fluctuations") < said.index("a copy has 1")
    with xr.open_dataset(run_folder / "metrics.nc", engine="h5netcdf") as stored:
        assert float(stored["r2"]) == pytest.approx(before["test_r2"], rel=1e-9)
        assert "variance_attribution" in stored
    latents = pd.read_csv(run_folder / "csv" / "latent.csv")
    assert len(latents) == before["n_latents"]
    assert np.isfinite(latents["variance_attribution"]).all()


def test_train_numbers_are_shown_as_such_and_not_kept(run_folder, capsys):
    before = (run_folder / "metrics.json").read_bytes()
    assert run_cli("evaluate", run_folder, "--split", "train") == 0
    assert "reconstruction R² (train); a copy has 1" in capsys.readouterr().out
    assert (run_folder / "metrics.json").read_bytes() == before


def test_an_annotated_file_is_enough(run_folder, tmp_path, capsys):
    alone = tmp_path / "alone.nwb"
    shutil.copy(annotated(run_folder), alone)
    before = alone.read_bytes()
    assert run_cli("explain", alone, "--quiet", "--csv", tmp_path / "csv") == 0
    assert "Together the 16 latents tell" in " ".join(capsys.readouterr().out.split())
    assert alone.read_bytes() == before
    with xr.open_dataset(run_folder / "attribution.nc", engine="h5netcdf") as stored:
        again = pd.read_csv(tmp_path / "csv" / "latent.csv")
        np.testing.assert_allclose(again["association_p"], stored["association_p"], atol=1e-9)


def test_explain_takes_what_is_asked_for(run_folder, capsys):
    asked = ("--covariate", "position", "--condition", "position=3", "--quiet")
    assert run_cli("explain", run_folder, *asked) == 0
    with xr.open_dataset(run_folder / "attribution.nc", engine="h5netcdf") as stored:
        assert set(stored["covariate"].values) == {"position"}
        assert {str(one) for one in stored["condition_variable"].values} == {"position"}
        assert json.loads(stored.attrs["history"])[-1]["parameters"]["covariates"] == ["position"]
    printed = " ".join(capsys.readouterr().out.split())
    assert "position: strongest r" in printed and "speed" not in printed


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--condition", "posision"), "position"),
        (("--condition", "position=a"), "quantiles or edges"),
        (("--conjunction", "position"), "A,B"),
        (("--null", "position"), "VARIABLE=shift"),
    ],
)
def test_what_explain_cannot_do_is_said_and_nothing_changes(flags, words, run_folder, capsys):
    before = (run_folder / "attribution.nc").read_bytes()
    assert run_cli("explain", run_folder, *flags, "--quiet") == 2
    assert words in capsys.readouterr().err
    assert (run_folder / "attribution.nc").read_bytes() == before


def test_a_fit_needs_its_recording(fitted, recording, capsys):
    assert run_cli("evaluate", fitted) == 2
    assert "--source" in capsys.readouterr().err
    assert run_cli("evaluate", fitted, "--source", recording) == 0
    assert (fitted / "metrics.nc").is_file()


def test_decode_sets_inputs_side_by_side(run_folder, tmp_path, capsys):
    flags = ("--target", "position", "--input", "counts", "--input", "latents")
    assert run_cli("decode", run_folder, *flags, "--csv", tmp_path / "csv") == 0
    said = capsys.readouterr().out
    assert "counts" in said and "latents" in said and "smoothed" not in said
    table = pd.read_csv(tmp_path / "csv" / "input_target.csv")
    assert set(table["input"]) == {"counts", "latents"} and table["r2"].notna().all()


def test_to_the_same_recording_every_found_latent_is_transferred(run_folder, recording, capsys):
    found = json.loads((run_folder / "metrics.json").read_text())["n_explained_latents"]
    assert run_cli("transfer", run_folder, recording) == 0
    assert f"{found} of {found}" in capsys.readouterr().out


def test_a_matching_that_is_no_mapping_is_refused(run_folder, recording, tmp_path, capsys):
    (tmp_path / "pairs.json").write_text("[1, 2]")
    pairs = ("--matching", tmp_path / "pairs.json")
    assert run_cli("transfer", run_folder, recording, *pairs) == 2
    assert "one object" in capsys.readouterr().err


def test_the_report_can_be_made_again(run_folder, tmp_path):
    page = tmp_path / "again.html"
    assert run_cli("report", annotated(run_folder), "--out", page) == 0
    assert "</html>" in page.read_text(encoding="utf-8")
    assert run_cli("report", annotated(run_folder), "--out", page) == 2
    assert run_cli("report", annotated(run_folder), "--out", page, "--overwrite") == 0


@pytest.mark.parametrize("command", ["evaluate", "explain", "decode"])
def test_a_folder_without_a_coder_is_refused(command, tmp_path, capsys):
    assert run_cli(command, tmp_path) == 2
    assert "holds no coder" in capsys.readouterr().err
    assert run_cli(command, tmp_path / "nowhere") == 2


def test_several_seeds_can_confirm(recording, tmp_path):
    out = tmp_path / "seeds"
    flags = (
        PLAIN,
        "--bin-width=0.1",
        "--n-latents=16",
        "--k=2",
        "--max-epochs=4",
        "--n-shifts=50",
    )
    assert run_cli("run", recording, "--out", out, *flags, "--seeds=2", "--quiet") == 0
    numbers = json.loads((out / "metrics.json").read_text())
    results = ns.open_results(annotated(out))
    assert numbers["n_confirmed_latents"] == int(results.attribution["confirmed"].sum())
    assert run_cli("explain", out, "--quiet") == 0
    assert json.loads((out / "metrics.json").read_text()) == numbers
