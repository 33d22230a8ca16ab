"""The inner loop of binning: sorted spikes of all units → counts, block of time by block of time."""

from __future__ import annotations

import inspect

import numpy as np
from numba import njit

from nwbsparse.session import EDGE_TOLERANCE

BLOCK_BYTES = 1 << 18
"""Of the table of counts that is filled at once: all units of a stretch that stays in cache."""


def _fill(times, first, last, start, n_bins, inverse, block, counts) -> bool:
    """Count the spikes ``times[first[u]:last[u]]`` of each unit into ``counts`` (bin, unit).

    ``first`` is moved behind the last spike counted. Returns False when a count overflowed.
    """
    fits = True
    for begin in range(0, n_bins, block):
        end = min(begin + block, n_bins)
        for unit in range(len(first)):
            at = first[unit]
            while at < last[unit]:
                # EDGE_TOLERANCE, then floor: the one rule of binning/grid.py
                bin_index = int((times[at] - start + EDGE_TOLERANCE) * inverse)
                if bin_index >= end:
                    break
                counts[bin_index, unit] += 1
                if counts[bin_index, unit] == 0:
                    fits = False
                at += 1
            first[unit] = at
    return fits


def _collect(times, first, last, start, n_bins, inverse, offset, written, bins, values) -> bool:
    """Append the occupied bins of one unit, and how many spikes each holds, to ``bins, values``.

    ``written[0]`` is how many are there already. Returns False when a count overflowed.
    """
    n = written[0]
    begun = n
    fits = True
    for at in range(first, last):
        bin_index = int((times[at] - start + EDGE_TOLERANCE) * inverse)
        if bin_index >= n_bins:
            break
        if n > begun and bins[n - 1] == bin_index + offset:
            values[n - 1] += 1
            if values[n - 1] == 0:
                fits = False
        else:
            bins[n] = bin_index + offset
            values[n] = 1
            n += 1
    written[0] = n
    return fits


# the test suite wraps every function in a type checker, which numba cannot compile
fill = njit(cache=True, nogil=True)(inspect.unwrap(_fill))
collect = njit(cache=True, nogil=True)(inspect.unwrap(_collect))


def block_bins(n_units: int, itemsize: int) -> int:
    """How many bins are filled at once."""
    return max(1, BLOCK_BYTES // max(n_units * itemsize, 1))


def bounds(
    times: np.ndarray, index: np.ndarray, rows: np.ndarray, start: float, stop: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where in ``times`` the spikes of each row that may lie in ``[start, stop)`` begin and end."""
    first = np.empty(len(rows), dtype=np.int64)
    last = np.empty(len(rows), dtype=np.int64)
    for at, row in enumerate(rows):
        spikes = times[index[row] : index[row + 1]]
        low, high = np.searchsorted(spikes, [start - EDGE_TOLERANCE, stop])
        first[at], last[at] = index[row] + low, index[row] + high
    return first, last
