"""A reader with pynwb alone, without this package and without SciPy, can use the file."""

import os
import subprocess
import sys
from pathlib import Path

import ndx_sparse_latents

READER = """
import importlib.util, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"ndx_sparse_latents", "scipy", "torch"}:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocked())

def load(name):
    spec = importlib.util.spec_from_file_location(name, f"{sys.argv[2]}/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

from pynwb import NWBHDF5IO

with NWBHDF5IO(sys.argv[1], "r") as io:
    model = io.read().processing["sparse_latents"]["sae"]
    assert type(model).__name__ == "SparseLatentModel"
    frame = model.latents.to_dataframe()
    assert list(frame["label"][:2]) == ["latent 0", "latent 1"]
    assert [len(units) for units in frame["top_units"][:3]] == [1, 2, 3]
    assert model.latent_activation_series["dense"].data.shape == (50, 8)
    assert model.embedding.data.shape == (50, 3)
    assert list(model.splits["split"][:]) == ["train", "test"]
    activations = model.sparse_latent_activations["sparse"]
    assert len(activations.indptr) == 51

    # The reading functions, taken as plain files, do not need the package's classes either.
    reading, provenance = load("reading"), load("provenance")
    dense = model.latent_activation_series["dense"]
    assert (reading.to_dense(activations) == reading.to_dense(dense)).all()
    assert reading.window(activations, 0.2, 0.4)[1].shape == (10, 8)
    assert provenance.check_source(model.input_population) == []
    try:
        reading.to_scipy(activations)
    except ImportError as error:
        assert "to_dense" in str(error)
    else:
        raise AssertionError("scipy was not blocked")

assert not any(name.startswith(("scipy", "ndx_sparse_latents")) for name in sys.modules)
print("read")
"""


def test_file_is_readable_without_this_package(written, tmp_path):
    code = Path(ndx_sparse_latents.__file__).parent
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READER, written, code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stdout == "read\n", done.stderr


def test_importing_is_silent_and_loads_no_torch():
    code = "import sys, ndx_sparse_latents; print('torch' in sys.modules)"
    done = subprocess.run(
        # pynwb imports hdmf-zarr where it is installed, whose numcodecs warns when Python exits
        [sys.executable, "-W", "error", "-W", "ignore:Call to deprecated", "-c", code],
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("False\n", "")
