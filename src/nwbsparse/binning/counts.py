"""Spikes → counts per bin and unit: dense, sparse, or block by block when asked for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import sparse

from nwbsparse.binning.grid import Grid
from nwbsparse.binning.kernel import collect, fill
from nwbsparse.binning.stretches import union
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
    bins = np.empty(size, np.int32)
    indptr = np.zeros(len(rows) + 1, np.int64)
    for kind in (np.uint8, np.uint16, np.uint32):
        values = np.empty(size, kind)
        written = np.zeros(1, np.int64)
        fits = True
        for column, row in enumerate(rows):
            fits &= collect(
                session.spike_times, session.spike_index, int(row), grid, written, bins, values
            )
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
        counted, fits = fill(session.spike_times, session.spike_index, rows, grid, begin, counts)
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
    rights = lefts + (grid.bin_width - 2 * half)
    of_stretches: dict[bytes, np.ndarray] = {}  # most units were observed together
    columns = []
    for row in rows:
        stretches = np.ascontiguousarray(session.obs_intervals[row], dtype=np.float64)
        key = stretches.tobytes()
        if key not in of_stretches:
            of_stretches[key] = bins_within(union(stretches), lefts, rights)
            if not len(stretches):  # a unit without any: nothing is known against it
                of_stretches[key][:] = True
        columns.append(of_stretches[key])
    if all(column.all() for column in of_stretches.values()):
        return None
    return np.stack(columns, axis=1)


def bins_within(stretches: np.ndarray, lefts: np.ndarray, rights: np.ndarray) -> np.ndarray:
    """(time,) bool: which bins lie as a whole in one of some sorted, disjoint stretches."""
    first = np.searchsorted(lefts, stretches[:, 0] - EDGE_TOLERANCE, side="left")
    after = np.searchsorted(rights, stretches[:, 1] + EDGE_TOLERANCE, side="right")
    some = after > first
    edges = np.zeros(len(lefts) + 1, dtype=np.int64)
    np.add.at(edges, first[some], 1)
    np.add.at(edges, after[some], -1)
    return np.cumsum(edges[:-1]) > 0
