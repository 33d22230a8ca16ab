"""A coder that reconstructs other units than it reads, from the command line to the last one."""

import json
import shutil

import pandas as pd
import pytest

import nwbsparse as ns
from make.cli_runs import PLAIN, run_cli
from make.two_regions import ids, write_two_regions

FLAGS = (
    PLAIN,
    "--bin-width=0.1",
    "--n-latents=8",
    "--k=1",
    "--max-epochs=10",
    "--batch-size=256",
)
TARGETS = ",".join(str(unit) for unit in ids("CA1"))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_two_regions(tmp_path_factory.mktemp("two") / "two.nwb")


@pytest.fixture(scope="module")
def folder(source):
    out = source.parent / "run"
    flags = (*FLAGS, "--n-shifts=50", "--target-units", TARGETS, "--seeds=2")
    assert run_cli("run", source, "--out", out, *flags, "--quiet") == 0
    return out


@pytest.fixture
def alone(folder, tmp_path):
    """The annotated file by itself, far from its recording."""
    return shutil.copy(next(folder.glob("*_sparse.nwb")), tmp_path / "alone.nwb")


def test_a_run_says_which_units_it_reads(folder):
    numbers = json.loads((folder / "metrics.json").read_text())
    assert (numbers["n_units"], numbers["n_units_reconstructed"]) == (12, 8)
    assert numbers["n_units_firing"] == 12
    assert "it reads 12 units and reconstructs 8 others" in (folder / "log.txt").read_text()
    assert f'target_units = "{TARGETS}"' in (folder / "run.toml").read_text()
    page = (folder / "report.html").read_text()
    assert "read 12 units (CA3) and reconstruct from them alone 8 other units (CA1)" in page
    assert "Reads CA3 1" in page and "; reconstructs CA1 3" in page


@pytest.mark.slow
def test_every_command_works_on_the_file_alone(alone, tmp_path, capsys):
    assert run_cli("evaluate", alone, "--csv", tmp_path / "metrics") == 0
    assert run_cli("explain", alone, "--csv", tmp_path / "meaning", "--quiet") == 0
    reads = pd.read_csv(tmp_path / "meaning" / "latent_input_unit.csv")
    assert set(reads["input_unit_id"]) == set(ids("CA3"))
    assert {"encoder_attribution", "encoder_weight", "input_z", "input_correlation"} <= set(reads)
    makes = pd.read_csv(tmp_path / "meaning" / "latent_unit.csv")
    assert set(makes["unit_id"]) == set(ids("CA1"))
    per_unit = pd.read_csv(tmp_path / "metrics" / "unit.csv")
    assert set(per_unit["unit_id"]) == set(ids("CA1"))
    assert run_cli("explain", alone, "--write", "--quiet") == 0
    assert run_cli("label", alone, "--latent=0", "--name", "the first") == 0
    assert run_cli("decode", alone) == 0
    assert run_cli("report", alone, "--out", tmp_path / "again.html") == 0
    assert "Reads CA3" in (tmp_path / "again.html").read_text()
    capsys.readouterr()
    assert run_cli("info", alone) == 0
    assert "8 latents of 12 units, which reconstruct 8 others" in " ".join(
        capsys.readouterr().out.split()
    )
    assert run_cli("validate", alone) == 0
    assert ns.open_results(alone).attribution.sizes["input_unit"] == 12


def test_latents_are_compared_with_the_units_they_are_made_from(alone, tmp_path):
    assert run_cli("decode", alone, "--csv", tmp_path / "csv") == 0
    said = pd.read_csv(tmp_path / "csv" / "input.csv").set_index("input")["n_dims"]
    assert said["counts"] == 12 and said["latents"] == 8


@pytest.mark.slow
def test_a_run_is_reproduced_and_bundled(folder, source, alone, tmp_path, capsys):
    nwb = next(folder.glob("*_sparse.nwb"))
    assert run_cli("reproduce", nwb, "--source", source, "--quiet") == 0
    assert run_cli("bundle", alone, "--out", tmp_path / "000001") == 0
    made = next((tmp_path / "000001").rglob("*.nwb"))
    results = ns.open_results(made)
    assert results.attribution["unit_id"].values.tolist() == ids("CA1")
    assert results.attribution["input_unit_id"].values.tolist() == ids("CA3")


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--target-regions=V1", "no unit lies in V1; there are: CA1, CA3"),
        ("--target-units=5", "there is no unit '5'"),
        ("--target-regions=CA1,CA3", "all of the 20 units are targets"),
    ],
)
def test_targets_that_are_not_there_are_refused_before_anything_is_written(
    source, tmp_path, capsys, flag, said
):
    out = tmp_path / "out"
    assert run_cli("run", source, "--out", out, *FLAGS, flag, "--quiet") == 2
    captured = capsys.readouterr()
    assert said in " ".join((captured.out + captured.err).split())
    assert not list(out.glob("*"))
