"""The same small recording in every form that can be read; one maker per form."""

import io

import numpy as np
import pytest
import xarray as xr
from pynwb import NWBHDF5IO
from pynwb.base import TimeSeries

from make.recordings import circle, laps, poisson_spikes, write_recording
from make.zarr_stores import export

RATE = 30_000.0
SECONDS = 120.0
SPIKES = [*poisson_spikes(n_units=3, stop=SECONDS), np.array([])]
SAMPLES = [np.unique(np.round(times * RATE)).astype(np.int64) for times in SPIKES]
COUNTS = np.stack([np.histogram(t, np.arange(1201) * 0.1)[0] for t in SPIKES], axis=1)


def nwb_hdf5(folder):
    return write_recording(
        folder / "rat.nwb", spike_times=SPIKES, position=circle(n=6000), trials=laps(n=12)
    ), {}


def open_file(folder):
    path, _ = nwb_hdf5(folder)
    return NWBHDF5IO(path, "r").read(), {}


def file_object(folder):
    path, _ = nwb_hdf5(folder)
    return io.BytesIO(path.read_bytes()), {}


def nwb_zarr(folder):
    path, _ = nwb_hdf5(folder)
    return export(path), {}


def one_series_per_unit(folder):
    noise = np.random.default_rng(0).normal(size=(4, 2000)).astype(np.float32)
    series = [
        TimeSeries(name=f"Activity_{u}", data=noise[u], unit="a.u.", rate=20.0) for u in range(4)
    ]
    path = write_recording(folder / "traces.nwb", spike_times=None, acquisition=series)
    return path, {"series": "Activity_*"}


def phy_folder(folder):
    order = np.argsort(np.concatenate(SAMPLES), kind="stable")
    clusters = np.repeat(np.arange(4), [len(s) for s in SAMPLES])
    np.save(folder / "spike_times.npy", np.concatenate(SAMPLES)[order][:, None])
    np.save(folder / "spike_clusters.npy", clusters[order])
    (folder / "params.py").write_text(f"sample_rate = {RATE}\n")
    (folder / "cluster_group.tsv").write_text("cluster_id\tgroup\n0\tgood\n3\tmua\n")
    return folder, {}


def spikeinterface(_folder):
    core = pytest.importorskip("spikeinterface.core", reason="SpikeInterface is not installed")
    return core.NumpySorting.from_unit_dict([dict(enumerate(SAMPLES))], RATE), {}


def suite2p(folder):
    rng = np.random.default_rng(0)
    for name in ("F", "Fneu", "spks"):
        np.save(folder / f"{name}.npy", rng.random((4, 1500), dtype=np.float32))
    np.save(folder / "iscell.npy", np.array([[1, 0.9], [0, 0.1], [1, 0.8], [1, 0.7]]))
    return folder, {"sampling_frequency": 30.0}


def cebra_archive(folder):
    right = np.repeat([1, 0], 600)
    arrays = {"spikes": COUNTS.astype(np.uint8), "position": np.linspace(0, 1, 1200)}
    np.savez(folder / "rat.npz", **arrays, right=right, left=1 - right)
    return folder / "rat.npz", {"bin_width": 0.1}


def pynapple(_folder):
    nap = pytest.importorskip("pynapple", reason="pynapple is not installed")
    support = nap.IntervalSet(0, SECONDS)
    return nap.TsGroup({u: nap.Ts(t) for u, t in enumerate(SPIKES[:3])}, time_support=support), {}


def dictionary(_folder):
    return {f"unit {u}": times for u, times in enumerate(SPIKES)}, {"extent": (0.0, SECONDS)}


def list_of_times(_folder):
    return list(SPIKES), {}


def table_of_counts(_folder):
    return COUNTS, {"bin_width": 0.1}


def table_of_traces(_folder):
    times = np.arange(1200) / 30
    return np.random.default_rng(0).normal(size=(1200, 4)), {"times": times}


def xarray_counts(_folder):
    coords = {"time": (np.arange(1200) + 0.5) * 0.1, "unit": np.arange(4)}
    return xr.DataArray(COUNTS, dims=("time", "unit"), coords=coords), {"bin_width": 0.1}


FORMS = (
    *(nwb_hdf5, nwb_zarr, open_file, file_object, one_series_per_unit, phy_folder, spikeinterface),
    *(suite2p, cebra_archive, pynapple, dictionary, list_of_times, table_of_counts),
    *(table_of_traces, xarray_counts),
)
