"""Lazy binning needs no more memory for a longer recording."""

import tracemalloc

import dask
import numpy as np

from make.sessions import make_session
from nwbsparse.binning import counts as counting
from nwbsparse.binning.counts import count_spikes_lazily
from nwbsparse.binning.grid import Grid


def peak_of(n_bins):
    """Bytes at the worst moment of binning so many bins of 200 units lazily and summing them."""
    rng = np.random.default_rng(0)
    session = make_session({u: np.sort(rng.uniform(0, n_bins * 0.01, 200)) for u in range(200)})
    grid = Grid(np.array([0.0]), np.array([n_bins]), 0.01)
    tracemalloc.start()
    with dask.config.set(scheduler="synchronous"):
        lazy, _ = count_spikes_lazily(session, grid, np.arange(200))
        assert int(lazy.sum().compute()) == 200 * 200
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_a_recording_ten_times_longer_needs_no_more_memory(monkeypatch):
    monkeypatch.setattr(counting, "LAZY_BYTES", 4 << 20)
    peak_of(1000)  # compiles the kernel and fills caches
    short, long = peak_of(100_000), peak_of(1_000_000)
    assert long <= 1.1 * short
