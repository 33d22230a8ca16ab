"""Files that earlier versions of the format wrote: they must open for as long as there are users."""

import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pynwb
import pytest

import nwbsparse as ns
from make.zarr_stores import GOLDEN as STORES
from make.zarr_stores import golden, need_hdmf_zarr

GOLDEN = Path(__file__).parents[1] / "golden" / "annotated"
FILES = sorted(str(one.parent.relative_to(GOLDEN)) for one in GOLDEN.rglob("hdf5.nwb"))
"""'<version>' for a model of one population's counts, '<version>/<kind>' for the others."""

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
    read = model.input_population
    made = read if model.output_population is None else model.output_population
    scores = model.latent_attributions
    assert list(scores["weight"].targets.table["unit_name"][:]) == list(made["unit_name"][:])
    if model.output_population is not None:
        assert scores["encoder_attribution"].targets.table is read
    if "auroc" in scores:  # the first files of 0.1.0 hold it elsewhere
        followed = scores["auroc"].targets.to_dataframe()
        assert scores["auroc"].scores.shape == (len(table), len(followed))
        assert set(followed["variable"]) >= {"position", "trials.side"} and all(followed["condition"])
    coder = json.loads(model.environment)["coder"]
    sessions = model.sessions.to_dataframe()
    first = series.starting_time if series.timestamps is None else series.timestamps[0]
    found = {
        "latents": len(table),
        "best_variable": [str(one) for one in table["best_variable"]],
        "activation_sum": float(series.data[:].astype("float64").sum()),
        "weights": list(model.decoder_weights.shape),
        "read": list(read["unit_name"][:]),
        "reconstructed": list(made["unit_name"][:]),
        "model_id": coder.get("model_id") or coder["id"],
        "sessions": list(sessions["session"]) if "session" in sessions else [],
        "first_bin": float(first),
        "scores": sorted(scores),
    }
    if model.embedding is not None:
        found["embedding_sum"] = float(model.embedding.data[:].astype("float64").sum())
        assert model.explained_population.source_table is not None
    print(json.dumps(found))
"""


def expected_of(file):
    return json.loads((GOLDEN / file / "expected.json").read_text())


def test_there_are_golden_files_of_every_kind():
    kinds = {file.partition("/")[2] for file in FILES}
    assert kinds >= {"", "two_populations", "embedding", "session"}


@pytest.fixture(params=["hdf5", "zarr"])
def opened(request, file, tmp_path):
    folder = GOLDEN / file
    expected = expected_of(file)
    path = folder / "hdf5.nwb"
    if request.param == "zarr":
        pytest.importorskip("hdmf_zarr", reason="hdmf-zarr reads the Zarr store")
        shutil.unpack_archive(folder / "zarr.nwb.zarr.zip", tmp_path)
        path = tmp_path / "zarr.nwb.zarr"
    return ns.open_results(path), expected


@pytest.mark.parametrize("file", FILES)
def test_results_open_with_the_numbers_they_were_written_with(opened):
    assert_as_written(*opened)


def test_results_in_zarr_of_format_3_open_with_theirs(tmp_path):
    need_hdmf_zarr(3)
    results = ns.open_results(golden("annotated_format_3", tmp_path))
    assert_as_written(results, json.loads((STORES / "annotated.json").read_text()))
    assert results.session.units["region"].values.tolist() == ["CA1", "CA3", "é", "?"]


def assert_as_written(results, expected):
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
    record = results.coder.record
    assert list(record.unit_ids) == expected.get("read", list(record.unit_ids))
    assert list(record.targets) == expected.get("reconstructed", list(record.targets))
    assert results.coder.model_id == expected.get("model_id", results.coder.id)
    assert [one.name for one in record.sessions] == expected.get("sessions", [])
    assert (results.embedding is not None) == ("embedding_sum" in expected)
    if results.embedding is not None:
        total = float(results.embedding.astype("float64").sum())
        assert total == pytest.approx(expected["embedding_sum"], rel=1e-6)


@pytest.mark.parametrize("file", FILES)
def test_the_definitions_installed_now_find_no_fault_in_them(file):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the definitions in the file, which are older
        errors = pynwb.validate(path=str(GOLDEN / file / "hdf5.nwb"), use_cached_namespaces=False)
    assert [str(error) for error in errors if "latents" in str(error)] == []


@pytest.mark.parametrize("file", FILES)
def test_the_coder_in_them_encodes_again(opened):
    from nwbsparse.runs.prepare import prepare

    results, expected = opened
    binned = prepare(results.session, results.config, embedding=results.embedding)
    again = ns.encode(results.coder, binned)
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
    for key in ("read", "reconstructed", "model_id", "sessions", "scores"):
        assert key not in expected or found.get(key, expected[key]) == expected[key], key
    for key in ("first_bin", "embedding_sum"):
        if key in expected and key in found:
            assert found[key] == pytest.approx(expected[key], rel=1e-6), key


@pytest.mark.slow
@pytest.mark.parametrize("pynwb", ["pynwb", "pynwb==3.1.*"])
def test_pynwb_alone_reads_them(pynwb, tmp_path):
    """A clean environment: neither this package nor the extension, scipy or torch."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = str(tmp_path / "env" / "bin" / "python")
    made = subprocess.run(
        [python, "-m", "pip", "install", "-q", pynwb], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"{pynwb} cannot be installed here: {made.stderr.strip()[-200:]}")
    for file in FILES:
        read_elsewhere(python, GOLDEN / file / "hdf5.nwb", expected_of(file), tmp_path)


@pytest.mark.parametrize("file", FILES)
def test_the_definitions_in_them_are_enough_for_pynwb(file, tmp_path):
    """As in a clean environment, as far as one with everything installed can be one."""
    blocked = "import sys\nfor one in ('scipy', 'torch', 'ndx_sparse_latents', 'nwbsparse'):\n"
    script = f"{blocked}    sys.modules[one] = None\n{READER}".replace(
        "blocked & set(sys.modules)", "{one for one in blocked if sys.modules.get(one)}"
    )
    path = GOLDEN / file / "hdf5.nwb"
    read_elsewhere(sys.executable, path, expected_of(file), tmp_path, script=script)


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
    for file in FILES:
        path = GOLDEN / file / "hdf5.nwb"
        read_elsewhere(python, path, expected_of(file), tmp_path, script=WITH_EXTENSION)
