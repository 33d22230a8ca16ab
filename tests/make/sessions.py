"""Recordings in memory for tests: no file, no reader, only what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from nwbsparse import names
from nwbsparse.binning.split import split
from nwbsparse.session import Series, Session, Source

EPSILONS = (0.0, 1e-9, -1e-9, 5e-8, -5e-8, 9.5e-8, -9.5e-8, 2e-7, 1e-6, -1.1e-7, -2e-7, -1e-6)
"""Distances (s) from an edge. The tolerance is 1e-7 s below it: none lies within 1 ns of that."""

N_UNITS = 16
"""Of the planted population."""

WIDTHS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.025, 0.05, 0.1, 0.2, 1 / 3, 0.0123)


def make_table(
    start: Sequence[float], stop: Sequence[float], **columns: tuple[str, Any]
) -> xr.Dataset:
    """An interval table; each column is (kind, values)."""
    made = {"start_time": ("interval", np.asarray(start, float), {})}
    made["stop_time"] = ("interval", np.asarray(stop, float), {})
    for name, (kind, values) in columns.items():
        made[name] = ("interval", np.asarray(values), {"kind": kind})
    return xr.Dataset(made)


def make_series(name: str, times: Any, data: Any, **given: Any) -> Series:
    return Series(name, np.asarray(times, np.float64), np.asarray(data, np.float64), **given)


def make_session(
    spikes: Mapping[object, Any],
    *,
    columns: Mapping[str, Sequence[Any]] | None = None,
    series: Sequence[Series] = (),
    intervals: Mapping[str, xr.Dataset] | None = None,
    obs_intervals: Sequence[Any] | None = None,
    extent: tuple[float, float] | None = None,
    invalid_times: Any = None,
) -> Session:
    """A session from {unit id: spike times (s)}; everything else is optional."""
    times = [np.sort(np.asarray(t, np.float64)) for t in spikes.values()]
    units = {
        "unit_id": ("unit", np.array(list(spikes))),
        "n_spikes": ("unit", np.array([len(t) for t in times], dtype=np.int64)),
    }
    units |= {name: ("unit", np.asarray(values)) for name, values in (columns or {}).items()}
    seen = None
    if obs_intervals is not None:
        seen = tuple(np.asarray(o, np.float64).reshape(-1, 2) for o in obs_intervals)
    return Session(
        units=xr.Dataset(units),
        spike_times=np.concatenate([*times, np.empty(0)]),
        spike_index=np.cumsum([0, *map(len, times)]).astype(np.int64),
        series={one.name: one for one in series},
        intervals=dict(intervals or {}),
        obs_intervals=seen,
        extent=extent,
        invalid_times=None if invalid_times is None else np.asarray(invalid_times, np.float64),
        source=Source(None, "0" * 64, identifier="in memory"),
    )


def make_binned(
    counts: np.ndarray, *, bin_width: float = 0.1, valid: np.ndarray | None = None, **shares: Any
) -> xr.Dataset:
    """Counts (time, unit) as a Binned dataset that went through ``split``."""
    n, n_units = counts.shape
    binned = xr.Dataset(
        {"counts": (("time", "unit"), counts)},
        coords={
            "time": (np.arange(n) + 0.5) * bin_width,
            "segment": ("time", np.zeros(n, np.int32)),
            "unit": np.arange(n_units),
            "unit_id": ("unit", np.arange(n_units).astype(str)),
        },
        attrs={names.BIN_WIDTH: bin_width, "source_sha256": "0" * 64},
    )
    if valid is not None:
        binned["valid"] = (("time", "unit"), valid)
    return split(binned, **shares)


def planted(n=3000, seed=0):
    """Six patterns over 16 units, each on in a tenth of the bins."""
    rng = np.random.default_rng(seed)
    patterns = np.zeros((6, N_UNITS))
    for row in patterns:
        row[rng.choice(N_UNITS, 4, replace=False)] = rng.uniform(1, 3, 4)
    rates = 0.1 + (rng.random((n, 6)) < 0.1) @ patterns
    return rng.poisson(rates).astype(np.uint8)


@st.composite
def times_at_edges(draw: st.DrawFn, *, n_bins: int = 100) -> dict[str, Any]:
    """Times on or next to bin edges, with the bin each belongs to (−1 and n_bins: outside)."""
    width = draw(st.sampled_from(WIDTHS))
    start = draw(
        st.one_of(
            st.sampled_from([0.0, 0.1, -0.3, 1499.2, -1e5, 1e5]),
            st.integers(-100_000_000, 100_000_000).map(lambda ms: ms / 1000),
            st.floats(-1e5, 1e5, allow_nan=False),
        )
    )
    offsets = st.sampled_from([*EPSILONS, width / 2, width / 3])
    pairs = draw(st.lists(st.tuples(st.integers(-2, n_bins + 2), offsets), max_size=60))
    times = np.array([start + k * width + offset for k, offset in pairs], dtype=np.float64)
    bins = np.array([k if offset > -1e-7 else k - 1 for k, offset in pairs], dtype=np.int64)
    return {"width": width, "start": start, "times": times, "bins": bins}
