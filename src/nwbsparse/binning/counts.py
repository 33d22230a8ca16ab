"""Spikes → counts per bin and unit: dense, sparse, or block by block when asked for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import sparse

from nwbsparse.binning.grid import Grid, union
from nwbsparse.binning.kernel import block_bins, bounds, collect, fill
from nwbsparse.errors import BadInput
from nwbsparse.session import EDGE_TOLERANCE, Session

TOO_MANY = "a bin holds more than four billion spikes of one unit"
LAZY_BYTES = 32 << 20
"""Size of a block of lazily binned counts."""


def count_spikes(session: Session, grid: Grid, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spikes of the given units in each bin.

    Returns ``counts`` (time, unit) in the smallest unsigned integer type that holds the largest
    count, and ``dropped`` (unit,): spikes in no bin, so that ``counts.sum() + dropped.sum()`` is
    the number of spikes.
    """
    counts, counted = _counted(session, grid, rows, 0, grid.size)
    return counts, np.diff(session.spike_index)[rows] - counted


def count_spikes_sparse(session: Session, grid: Grid, rows: np.ndarray) -> sparse.csc_array:
    """The same counts as a compressed table (time, unit): for bins so narrow that most are empty."""
    size = int(np.diff(session.spike_index)[rows].sum())
    offsets = np.cumsum(grid.n_bins) - grid.n_bins
    inverse = 1.0 / grid.bin_width
    bins = np.empty(size, np.int32)
    indptr = np.zeros(len(rows) + 1, np.int64)
    for kind in (np.uint8, np.uint16, np.uint32):
        values = np.empty(size, kind)
        written = np.zeros(1, np.int64)
        fits = True
        for column, row in enumerate(rows):
            for start, n_bins, offset in zip(grid.starts, grid.n_bins, offsets, strict=True):
                stop = start + n_bins * grid.bin_width
                one = np.array([row])
                low, high = bounds(session.spike_times, session.spike_index, one, start, stop)
                limits = (low[0], high[0], start, n_bins, inverse, offset)
                fits &= collect(session.spike_times, *limits, written, bins, values)
            indptr[column + 1] = written[0]
        if fits:
            n = int(written[0])
            if n < 2**31:  # else scipy would widen, and copy, the indices to match
                indptr = indptr.astype(np.int32)
            return sparse.csc_array((values[:n], bins[:n], indptr), shape=(grid.size, len(rows)))
    raise BadInput(TOO_MANY)


def count_spikes_lazily(
    session: Session, grid: Grid, rows: np.ndarray
) -> tuple[object, np.ndarray]:
    """The same counts as a dask array whose blocks of time are binned when they are computed.

    A block is binned again faster than it could be read back from disk, so nothing is stored.
    Memory does not grow with the length of the recording. ``dropped`` is exact.
    """
    import dask
    import dask.array as da

    dropped = np.diff(session.spike_index)[rows].astype(np.int64)
    largest = 0
    size = max(1, LAZY_BYTES // max(len(rows), 1))
    edges = [*range(0, grid.size, size), grid.size]
    for begin, end in pairwise(edges):
        block, counted = _counted(session, grid, rows, begin, end)
        dropped -= counted
        largest = max(largest, int(block.max(initial=0)))
    kind = np.min_scalar_type(largest)

    def one(begin: int, end: int) -> np.ndarray:
        return _counted(session, grid, rows, begin, end)[0].astype(kind)

    blocks = [
        da.from_delayed(dask.delayed(one)(begin, end), shape=(end - begin, len(rows)), dtype=kind)  # type: ignore[attr-defined]
        for begin, end in pairwise(edges)
    ]
    return da.concatenate(blocks, axis=0), dropped


def _counted(
    session: Session, grid: Grid, rows: np.ndarray, begin: int, end: int
) -> tuple[np.ndarray, np.ndarray]:
    """Counts of the bins ``begin`` to ``end`` of the grid, and how many spikes of each unit they hold."""
    for kind in (np.uint8, np.uint16, np.uint32):
        counts = np.zeros((end - begin, len(rows)), dtype=kind)
        block = block_bins(len(rows), counts.itemsize)
        counted = np.zeros(len(rows), dtype=np.int64)
        fits = True
        offset = np.cumsum(grid.n_bins) - grid.n_bins
        for segment, segment_start in enumerate(grid.starts):
            low = max(begin - offset[segment], 0)
            high = min(end - offset[segment], grid.n_bins[segment])
            if low >= high:
                continue
            start = segment_start + low * grid.bin_width
            stop = segment_start + high * grid.bin_width
            first, last = bounds(session.spike_times, session.spike_index, rows, start, stop)
            before = first.copy()
            target = counts[offset[segment] + low - begin : offset[segment] + high - begin]
            n_bins = int(high - low)
            inverse = 1.0 / grid.bin_width
            fits &= fill(session.spike_times, first, last, start, n_bins, inverse, block, target)
            counted += first - before
        if fits:
            return counts, counted
    raise BadInput(TOO_MANY)


def count_window(
    session: Session, rows: np.ndarray, start: float, n_bins: int, bin_width: float
) -> np.ndarray:
    """Counts (time, unit) uint16 of one stretch of bins that begins at any moment."""
    grid = Grid(np.array([start]), np.array([n_bins]), bin_width)
    counts, _ = _counted(session, grid, rows, 0, n_bins)
    return counts.astype(np.uint16)


def observed_bins(session: Session, grid: Grid, rows: np.ndarray) -> np.ndarray | None:
    """(time, unit) bool: whether the whole bin lies in the unit's obs_intervals.

    A zero outside them is not silence. None when every unit was observed in every bin. Samples
    of traces stand for the time around them, so there the centre of the bin decides.
    """
    if session.obs_intervals is None:
        return None
    half = grid.bin_width / 2 if session.traces is not None else 0.0
    lefts = grid.lefts + half
    width = grid.bin_width - 2 * half
    valid = np.zeros((grid.size, len(rows)), dtype=bool)
    for column, row in enumerate(rows):
        for start, stop in union(session.obs_intervals[row]):
            inside = (lefts >= start - EDGE_TOLERANCE) & (lefts + width <= stop + EDGE_TOLERANCE)
            valid[inside, column] = True
        if not len(session.obs_intervals[row]):  # a unit without any: nothing is known against it
            valid[:, column] = True
    return None if valid.all() else valid
