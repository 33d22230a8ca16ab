"""Fluorescence, band power and ready-made counts → the same bins as everything else."""

from __future__ import annotations

import numpy as np

from nwbsparse.binning.clock import GAP, trace_step
from nwbsparse.binning.grid import Grid
from nwbsparse.errors import BadInput
from nwbsparse.session import Traces


def bin_traces(
    traces: Traces, grid: Grid, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Activity per bin (time, unit), and where it is known (None: everywhere).

    Traces, float32: mean of the samples in a bin where they come faster than the bins, linear at
    the bin centre where they come slower. Ready-made counts: their sum, so the width must be a
    whole multiple of theirs. Bins without a sample nearby, or with NaN only, are 0 and not valid.

    Raises:
        BadInput: counts cannot be divided into narrower or uneven bins.
    """
    if traces.bin_width is None and trace_step(traces) > grid.bin_width * (1 + 1e-6):
        return interpolated(traces, grid, rows)
    bins = grid.index(traces.times)
    inside = bins >= 0
    data = traces.data[inside][:, rows]
    known = np.isfinite(data) if data.dtype.kind == "f" else np.ones(data.shape, dtype=bool)
    n = _sum(known.astype(np.float64), bins[inside], grid.size)
    total = _sum(np.where(known, data, 0).astype(np.float64), bins[inside], grid.size)
    if traces.bin_width is None:
        values = (total / np.maximum(n, 1)).astype(np.float32)
        valid = n > 0
    else:
        per_bin = grid.bin_width / traces.bin_width
        if abs(per_bin - round(per_bin)) > 1e-6 or per_bin < 1 - 1e-6:
            raise BadInput(
                f"{traces.name} was counted in bins of {traces.bin_width:g} s; bin_width must be a "
                f"whole multiple of that, not {grid.bin_width:g} s"
            )
        values = total.astype(np.min_scalar_type(int(total.max(initial=0))))
        valid = n >= round(per_bin)
    return values, None if valid.all() else valid


def interpolated(
    traces: Traces, grid: Grid, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Traces at the bin centres, linear between samples; what is known as in :func:`bin_traces`."""
    values = np.zeros((grid.size, len(rows)), dtype=np.float32)
    valid = np.zeros(values.shape, dtype=bool)
    centres = grid.centres
    for column, row in enumerate(rows):
        measured = np.isfinite(traces.data[:, row])
        times = traces.times[measured]
        if len(times) < 2:
            continue
        after = np.clip(np.searchsorted(times, centres), 1, len(times) - 1)
        valid[:, column] = times[after] - times[after - 1] <= GAP * trace_step(traces)
        near = np.interp(centres, times, traces.data[measured, row].astype(np.float64))
        values[:, column] = np.where(valid[:, column], near, 0.0)
    return values, None if valid.all() else valid


def _sum(values: np.ndarray, bins: np.ndarray, size: int) -> np.ndarray:
    """Sum over the samples of each bin; samples come in the order of time."""
    out = np.zeros((size, values.shape[1]))
    if len(bins):
        occupied, first = np.unique(bins, return_index=True)
        out[occupied] = np.add.reduceat(values, first, axis=0)
    return out
