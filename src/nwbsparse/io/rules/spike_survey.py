"""One look at all spike times: which are no numbers, out of order, or twice there."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np
from numba import njit

_PIECE = 2048  # times of a unit that are looked at together: few enough to stay in the cache


@dataclass(frozen=True)
class Survey:
    """What was seen in flat spike times and their edges."""

    bad: np.ndarray
    """(unit,) NaN or infinite times."""
    unsorted: np.ndarray
    """(unit,) bool: some time is smaller than the one before it."""
    duplicates: int
    """Times equal to the one before them, within a unit."""
    first: float
    last: float
    """Smallest and largest finite time; infinite when there is none."""


def survey(times: np.ndarray, edges: np.ndarray) -> Survey:
    """Look once at every time: each further pass over the spikes of a day costs as much as reading them."""
    n_units = len(edges) - 1
    bad, unsorted = np.zeros(n_units, np.int64), np.zeros(n_units, bool)
    extremes = np.array([np.inf, -np.inf])
    duplicates = _look(times, edges, bad, unsorted, extremes)
    return Survey(bad, unsorted, int(duplicates), float(extremes[0]), float(extremes[1]))


def _is_rising(piece) -> bool:
    n_not = 0  # counted, never left early: the compiler then compares several times at once
    for at in range(1, len(piece)):
        n_not += not piece[at] > piece[at - 1]  # so that NaN counts too
    return n_not == 0


def _look_at(times, edges, bad, unsorted, extremes) -> int:
    duplicates = 0
    low, high = extremes[0], extremes[1]
    for unit in range(len(bad)):
        n_bad = 0
        falls = False
        before = -np.inf
        for start in range(edges[unit], edges[unit + 1], _PIECE):
            stop = min(start + _PIECE, edges[unit + 1])
            first, last = times[start], times[stop - 1]
            if before < first and last < np.inf and _rising(times[start:stop]):
                low, high, before = min(low, first), max(high, last), last
                continue
            for time in times[start:stop]:
                if not (-np.inf < time < np.inf):
                    n_bad += 1
                    continue
                if time <= before:
                    if time < before:
                        falls = True
                    else:
                        duplicates += 1
                low = min(low, time)
                high = max(high, time)
                before = time
        bad[unit] = n_bad
        unsorted[unit] = falls
    extremes[0], extremes[1] = low, high
    return duplicates


# the test suite wraps every function in a type checker, which numba cannot compile
_rising = njit(cache=True, nogil=True)(inspect.unwrap(_is_rising))
_look = njit(cache=True, nogil=True)(inspect.unwrap(_look_at))
