"""A stretch of the activations is read alone, from sparse and dense storage, HDF5 and Zarr."""

import h5py
import numpy as np
import pytest
import xarray as xr
from pynwb import NWBHDF5IO

from make.recordings import damaged, write_recording
from make.results import made_results
from ndx_sparse_latents import window
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.results.activations import open_activations
from nwbsparse.results.results import write


@pytest.fixture(
    scope="module", params=[(16, "derived"), (300, "derived"), (300, "zarr"), (16, "link")]
)
def written(request, tmp_path_factory):
    n_latents, mode = request.param
    folder = tmp_path_factory.mktemp("windows")
    results = made_results(write_recording(folder / "s.nwb"), n_bins=4000, n_latents=n_latents, k=3)
    return results, write(results, folder / ("a.nwb.zarr" if mode == "zarr" else "a.nwb"), mode)


@pytest.mark.parametrize("window", [(20.0, 21.0), (0, 12.5), (90, 1e9), (-1e9, 1e9), (60.0, 60.0)])
def test_a_window_holds_the_bins_whose_centre_lies_in_it(written, window):
    results, path = written
    times = results.latents["time"].values
    inside = (times >= window[0]) & (times < window[1])
    with open_activations(path) as held:
        np.testing.assert_allclose(held.times, times, atol=1e-7)
        found = held.window(*window)
    assert found.sizes["time"] == inside.sum()
    np.testing.assert_array_equal(dense(found), dense(results.latents)[inside])
    for name in ("segment", "split", "trial", "complete"):
        np.testing.assert_array_equal(found[name], results.latents[name].values[inside])
    xr.testing.assert_equal(found["level"], results.latents["level"])
    assert found.attrs == results.latents.attrs


def test_a_window_that_ends_before_it_begins_is_refused(written):
    with open_activations(written[1]) as held:
        for window in ((2.0, 1.0), (float("nan"), 1.0)):
            with pytest.raises(BadInput, match="ends before it begins"):
                held.window(*window)


def test_only_what_is_read_is_checked(tmp_path):
    results = made_results(write_recording(tmp_path / "s.nwb"), n_bins=12_000, n_latents=300, k=3)
    path = write(results, tmp_path / "a.nwb")
    with damaged(path) as file:
        values = file["/processing/sparse_latents/latents/activations/values"]
        assert len(values) > 300_000
        values[-1] += 1
    with open_activations(path) as held:
        early = held.window(0.0, 30.0)
        np.testing.assert_array_equal(dense(early), dense(results.latents)[: early.sizes["time"]])
        with pytest.raises(IntegrityError, match=r"activations/values changed in its rows 2\d+ to"):
            held.window(200.0, 1e9)


def test_pynapple_opens_dense_activations_as_a_frame(tmp_path):
    nap = pytest.importorskip("pynapple", reason="pynapple is not installed")
    results = made_results(write_recording(tmp_path / "s.nwb"), n_bins=500, n_latents=16)
    frame = nap.load_file(str(write(results, tmp_path / "a.nwb")))["activations"]
    assert isinstance(frame, nap.TsdFrame) and frame.shape == (500, 16)
    np.testing.assert_allclose(np.asarray(frame), results.latents["activation"], rtol=1e-6)
    np.testing.assert_allclose(frame.times(), results.latents["time"], atol=1e-6)


def test_pynapple_opens_a_file_with_sparse_activations_and_takes_windows_of_them(tmp_path):
    nap = pytest.importorskip("pynapple", reason="pynapple is not installed")
    results = made_results(write_recording(tmp_path / "s.nwb"), n_bins=500, n_latents=300, k=3)
    path = write(results, tmp_path / "a.nwb")
    held = nap.load_file(str(path))
    assert len(held["units"]) == results.session.n_units and "activations" not in list(held.keys())
    with NWBHDF5IO(path, "r") as io:
        model = io.read().processing["sparse_latents"]["latents"]
        times, values = window(model.sparse_latent_activations["activations"], 11.0, 13.0)
    frame = nap.TsdFrame(t=times, d=values)
    expected = results.latents["time"].values
    expected = expected[(expected >= 11.0) & (expected < 13.0)]
    np.testing.assert_allclose(frame.times(), expected, atol=1e-6)
    first = int(np.searchsorted(results.latents["time"].values, 11.0))
    np.testing.assert_array_equal(
        np.asarray(frame), dense(results.latents)[first : first + len(frame)]
    )
    frame = nap.load_file(str(write(results, tmp_path / "b.nwb", dense=True)))["activations"]
    assert isinstance(frame, nap.TsdFrame) and frame.shape == (500, 300)
    np.testing.assert_allclose(np.asarray(frame), dense(results.latents), rtol=1e-6)


def test_arrays_are_chunked_and_compressed(tmp_path):
    results = made_results(write_recording(tmp_path / "s.nwb"), n_bins=3000, n_latents=300, k=3)
    with h5py.File(write(results, tmp_path / "a.nwb")) as file:
        model = file["/processing/sparse_latents/latents"]
        for name in ("activations/values", "activations/indices", "decoder_weights", "parameters"):
            assert model[name].compression == "gzip" and model[name].shuffle and model[name].chunks
        stored = model["activations/values"].id.get_storage_size()
        assert stored < model["activations/values"].nbytes
        said = [[word.decode() for word in row] for row in file["/general/was_generated_by"][:]]
        assert "nwbsparse" in [row[0] for row in said]
