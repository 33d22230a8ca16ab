"""The inner loop of binning: sorted spikes of all units → counts, block of time by block of time.

Each spike is looked at once, however many runs of bins there are: a unit goes on in the run in which
it stopped.
"""

from __future__ import annotations

import inspect

import numpy as np
from numba import njit

from nwbsparse.binning.grid import Grid
from nwbsparse.session import EDGE_TOLERANCE

BLOCK_BYTES = 1 << 18
"""Of the table of counts that is filled at once: all units of a stretch that stays in cache."""


def _fill(times, first, last, run, starts, n_bins, offsets, inverse, low, block, counts, counted):
    """Count the spikes ``times[first[u]:last[u]]`` of each unit into ``counts`` (bin, unit).

    ``counts`` are the bins from ``low`` on, ``run`` is where that bin lies. ``first`` is moved behind
    the last spike looked at, ``counted`` is raised. Returns False when a count overflowed.
    """
    fits = True
    n_runs = len(starts)
    high = low + len(counts)
    runs = np.full(len(first), run)
    for unit in range(len(first)):  # what lies before the first bin
        at = first[unit]
        while at < last[unit] and (
            times[at] < starts[run] - EDGE_TOLERANCE
            or int((times[at] - starts[run] + EDGE_TOLERANCE) * inverse) + offsets[run] < low
        ):
            at += 1
        first[unit] = at
    for begin in range(low, high, block):
        end = min(begin + block, high)
        for unit in range(len(first)):
            at, stop, run = first[unit], last[unit], runs[unit]
            while at < stop and run < n_runs and offsets[run] < end:
                start, base = starts[run], offsets[run] - low
                limit = min(n_bins[run], end - offsets[run])
                before = at
                while at < stop:
                    # EDGE_TOLERANCE, then floor: the one rule of binning/grid.py
                    bin_index = int((times[at] - start + EDGE_TOLERANCE) * inverse)
                    if bin_index >= limit:
                        break
                    counts[base + bin_index, unit] += 1
                    if counts[base + bin_index, unit] == 0:
                        fits = False
                    at += 1
                counted[unit] += at - before
                if limit < n_bins[run]:
                    break  # the run goes on in the next block
                run += 1
                while run < n_runs and at < stop and times[at] < starts[run] - EDGE_TOLERANCE:
                    at += 1  # in the gap, or in the partial last bin
            first[unit], runs[unit] = at, run
    return fits


def _collect(times, first, last, starts, n_bins, offsets, inverse, written, bins, values) -> bool:
    """Append the occupied bins of one unit, and how many spikes each holds, to ``bins, values``.

    ``written[0]`` is how many are there already. Returns False when a count overflowed.
    """
    n = written[0]
    begun = n
    fits = True
    run = 0
    for at in range(first, last):
        while run + 1 < len(starts) and times[at] >= starts[run + 1] - EDGE_TOLERANCE:
            run += 1
        if times[at] < starts[run] - EDGE_TOLERANCE:
            continue
        bin_index = int((times[at] - starts[run] + EDGE_TOLERANCE) * inverse)
        if bin_index >= n_bins[run]:
            continue
        if n > begun and bins[n - 1] == bin_index + offsets[run]:
            values[n - 1] += 1
            if values[n - 1] == 0:
                fits = False
        else:
            bins[n] = bin_index + offsets[run]
            values[n] = 1
            n += 1
    written[0] = n
    return fits


# the test suite wraps every function in a type checker, which numba cannot compile
_filled = njit(cache=True, nogil=True)(inspect.unwrap(_fill))
_collected = njit(cache=True, nogil=True)(inspect.unwrap(_collect))


def fill(
    times: np.ndarray, index: np.ndarray, rows: np.ndarray, grid: Grid, low: int, counts: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Count the spikes of some units into ``counts``, the bins of the grid from ``low`` on.

    Returns how many spikes of each were counted, and whether no count overflowed.
    """
    counted = np.zeros(len(rows), dtype=np.int64)
    high = low + len(counts)
    if not len(counts):
        return counted, True
    offsets = np.cumsum(grid.n_bins) - grid.n_bins
    run, to = np.searchsorted(offsets, [low, high - 1], side="right") - 1
    # with an edge's tolerance to spare: the loop itself decides
    start = grid.starts[run] + (low - offsets[run]) * grid.bin_width - 2 * EDGE_TOLERANCE
    stop = grid.starts[to] + (high - offsets[to]) * grid.bin_width
    first, last = _bounds(times, index, rows, float(start), float(stop))
    block = max(1, BLOCK_BYTES // max(len(rows) * counts.itemsize, 1))
    inverse = 1.0 / grid.bin_width
    of_grid = (grid.starts, grid.n_bins, offsets, inverse)
    fits = _filled(times, first, last, int(run), *of_grid, low, block, counts, counted)
    return counted, bool(fits)


def collect(
    times: np.ndarray,
    index: np.ndarray,
    row: int,
    grid: Grid,
    written: np.ndarray,
    bins: np.ndarray,
    values: np.ndarray,
) -> bool:
    """Append the occupied bins of one unit and their counts; False when a count overflowed."""
    offsets = np.cumsum(grid.n_bins) - grid.n_bins
    of_grid = (grid.starts, grid.n_bins, offsets, 1.0 / grid.bin_width)
    return _collected(times, index[row], index[row + 1], *of_grid, written, bins, values)


def _bounds(
    times: np.ndarray, index: np.ndarray, rows: np.ndarray, start: float, stop: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where in ``times`` the spikes of each row that may lie in ``[start, stop)`` begin and end."""
    first = np.empty(len(rows), dtype=np.int64)
    last = np.empty(len(rows), dtype=np.int64)
    for at, row in enumerate(rows):
        spikes = times[index[row] : index[row + 1]]
        low, high = np.searchsorted(spikes, [start, stop])
        first[at], last[at] = index[row] + low, index[row] + high
    return first, last
