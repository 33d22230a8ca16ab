"""Files that earlier versions of the format wrote: they must open for as long as there are users."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nwbsparse as ns

GOLDEN = Path(__file__).parents[1] / "golden" / "annotated"
VERSIONS = sorted(folder.name for folder in GOLDEN.iterdir())

READER = """
import json, sys
from pynwb import NWBHDF5IO

blocked = {"scipy", "torch", "ndx_sparse_latents", "nwbsparse"}
assert not blocked & set(sys.modules), blocked & set(sys.modules)
with NWBHDF5IO(sys.argv[1], "r") as io:
    module = io.read().processing["sparse_latents"]
    model = module["latents"]
    assert type(model).__module__ != "ndx_sparse_latents"
    table = model.latents.to_dataframe()
    series = model.latent_activation_series["activations"]
    print(json.dumps({
        "latents": len(table),
        "best_variable": [str(one) for one in table["best_variable"]],
        "activation_sum": float(series.data[:].astype("float64").sum()),
        "weights": list(model.decoder_weights.shape),
    }))
"""


def test_there_are_golden_files():
    assert VERSIONS


@pytest.fixture(params=["hdf5", "zarr"])
def opened(request, version, tmp_path):
    folder = GOLDEN / version
    expected = json.loads((folder / "expected.json").read_text())
    path = folder / "hdf5.nwb"
    if request.param == "zarr":
        pytest.importorskip("hdmf_zarr", reason="hdmf-zarr reads the Zarr store")
        shutil.unpack_archive(folder / "zarr.nwb.zarr.zip", tmp_path)
        path = tmp_path / "zarr.nwb.zarr"
    return ns.open_results(path), expected


@pytest.mark.parametrize("version", VERSIONS)
def test_results_open_with_the_numbers_they_were_written_with(opened):
    results, expected = opened
    assert results.coder.id == expected["coder_id"]
    assert float(results.metrics["r2"]) == pytest.approx(expected["r2"], rel=1e-6)
    weight = results.attribution["weight"].values
    np.testing.assert_allclose(weight, expected["weight"], atol=2e-6)
    assert results.attribution["best_variable"].values.tolist() == expected["best_variable"]
    if "activation" in results.latents:
        total = float(results.latents["activation"].sum())
    else:
        total = float(results.latents["value"].sum())
    assert total == pytest.approx(expected["activation_sum"], rel=1e-5)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_coder_in_them_encodes_again(opened):
    from nwbsparse.prepare import prepare

    results, expected = opened
    again = ns.encode(results.coder, prepare(results.session, results.config))
    total = float(again["activation"].sum())
    assert total == pytest.approx(expected["activation_sum"], rel=1e-5)


def read_elsewhere(python, path, expected, tmp_path, *, script=READER):
    file = tmp_path / "reader.py"
    file.write_text(script)
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [python, str(file), str(path)], capture_output=True, text=True, env=env, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["best_variable"] == expected["best_variable"]
    assert found["activation_sum"] == pytest.approx(expected["activation_sum"], rel=1e-5)
    assert found["weights"][0] == found["latents"] == len(expected["weight"])


@pytest.mark.slow
@pytest.mark.parametrize("pynwb", ["pynwb", "pynwb==3.1.*"])
@pytest.mark.parametrize("version", VERSIONS)
def test_pynwb_alone_reads_them(version, pynwb, tmp_path):
    """A clean environment: neither this package nor the extension, scipy or torch."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = str(tmp_path / "env" / "bin" / "python")
    made = subprocess.run(
        [python, "-m", "pip", "install", "-q", pynwb], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"{pynwb} cannot be installed here: {made.stderr.strip()[-200:]}")
    folder = GOLDEN / version
    expected = json.loads((folder / "expected.json").read_text())
    read_elsewhere(python, folder / "hdf5.nwb", expected, tmp_path)


WITH_EXTENSION = """
import importlib.util, json, sys
from pynwb import NWBHDF5IO
from ndx_sparse_latents import bin_times, check_source, to_dense, window

heavy = ("torch", "scipy", "xarray", "nwbsparse", "matplotlib", "sklearn")
assert not [one for one in heavy if importlib.util.find_spec(one)]
with NWBHDF5IO(sys.argv[1], "r") as io:
    model = io.read().processing["sparse_latents"]["latents"]
    assert type(model).__module__ == "ndx_sparse_latents" or "SparseLatentModel" in str(type(model))
    assert check_source(model.input_population) == []
    series = model.latent_activation_series["activations"]
    table = model.latents.to_dataframe()
    times, values = window(series, 0.0, 1e9)
    assert len(times) == len(bin_times(series)) == len(values)
    assert (to_dense(series) == values).all()
    print(json.dumps({
        "latents": len(table),
        "best_variable": [str(one) for one in table["best_variable"]],
        "activation_sum": float(values.astype("float64").sum()),
        "weights": list(model.decoder_weights.shape),
    }))
"""


@pytest.mark.slow
def test_the_extension_installs_by_itself_and_reads_them(tmp_path):
    """A clean environment with the extension: it pulls neither torch nor scipy."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = str(tmp_path / "env" / "bin" / "python")
    package = tmp_path / "package"  # a build leaves files behind
    extension = GOLDEN.parents[2] / "extensions" / "ndx-sparse-latents"
    shutil.copytree(extension, package, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    made = subprocess.run(
        [python, "-m", "pip", "install", "-q", str(package)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"nothing can be installed here: {made.stderr.strip()[-200:]}")
    for version in VERSIONS:
        expected = json.loads((GOLDEN / version / "expected.json").read_text())
        read_elsewhere(
            python, GOLDEN / version / "hdf5.nwb", expected, tmp_path, script=WITH_EXTENSION
        )
