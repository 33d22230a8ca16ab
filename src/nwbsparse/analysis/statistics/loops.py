"""The loops over active bins behind every association: sums and ranks by the class of each bin.

A variable is coded once, as one small integer per bin (−1 where it is not known). All of its
conditions are then counted in a single pass over the active bins.
"""

from __future__ import annotations

import inspect

import numpy as np
from numba import njit


def _sum_by_class(indptr, bins, value, codes, total, hits, squares) -> None:
    """Activity and number of active bins of each class, ``[channel, class]``; sum of squares."""
    for channel in range(len(indptr) - 1):
        for at in range(indptr[channel], indptr[channel + 1]):
            code = codes[bins[at]]
            if code >= 0:
                amount = np.float64(value[at])
                total[channel, code] += amount
                hits[channel, code] += 1
                squares[channel] += amount * amount


def _rank(indptr, bins, value, codes, n_known, ranks, sums) -> None:
    """Twice the rank of each entry among the known bins of its channel, 0 where not known.

    The entries of a channel come in the order of their values, all above 0; bins without an entry
    hold 0 and come first. Equal values share their mean rank. ``sums[channel, class]`` of them.
    """
    for channel in range(len(indptr) - 1):
        start, stop = indptr[channel], indptr[channel + 1]
        below = n_known
        for at in range(start, stop):
            if codes[bins[at]] >= 0:
                below -= 1
        at = start
        while at < stop:
            end = at
            tied = 0
            while end < stop and value[end] == value[at]:
                if codes[bins[end]] >= 0:
                    tied += 1
                end += 1
            for one in range(at, end):
                code = codes[bins[one]]
                ranks[one] = 2 * below + tied + 1 if code >= 0 else 0
                if code >= 0:
                    sums[channel, code] += np.int64(ranks[one])
            below += tied
            at = end


def _episodes(indptr, bins, codes, active, episodes) -> None:
    """Known bins in which each channel is active, and the runs of neighbouring ones among them.

    The entries of a channel come in the order of time, all above 0.
    """
    for channel in range(len(indptr) - 1):
        previous = -2
        for at in range(indptr[channel], indptr[channel + 1]):
            here = bins[at]
            if codes[here] >= 0:
                active[channel] += 1
                if previous != here - 1:
                    episodes[channel] += 1
                previous = here


def _draw(indptr, rows, weight, table, out) -> int:
    """Add the weights of each channel by class, for many draws at once: ``out[channel, draw, class]``.

    ``table[row, draw]`` is the class of a row (a bin, a trial, a session) in a draw: its draws lie
    side by side, so that one entry is looked up once and added everywhere. Rows below 0 are left
    out. Rows come from anywhere in memory: those of several entries are asked for at once, before
    they are needed.
    """
    n_draws = np.uint64(table.shape[1])
    size = np.uint64(out.shape[2])
    touched = 0
    for channel in range(len(indptr) - 1):
        mine = out[channel].ravel()
        start, stop = indptr[channel], indptr[channel + 1]
        for begin in range(start, stop, 16):
            end = min(begin + 16, stop)
            for at in range(begin, end):
                row = rows[at]
                if row >= 0:
                    for byte in range(0, table.shape[1], 64):
                        touched += table[row, byte]
            for at in range(begin, end):
                row = rows[at]
                if row >= 0:
                    amount = weight[at]
                    classes = table[row]
                    place = np.uint64(0)
                    for draw in range(n_draws):
                        mine[place + classes[draw]] += amount
                        place += size
    return touched


def _project(indptr, rows, ranks, basis, ranked, there) -> None:
    """Products of the ranks, and of ones, with every column of the basis (row, column)."""
    for channel in range(len(indptr) - 1):
        for at in range(indptr[channel], indptr[channel + 1]):
            row = rows[at]
            if row >= 0:
                for column in range(basis.shape[1]):
                    ranked[channel, column] += ranks[at] * basis[row, column]
                    there[channel, column] += basis[row, column]


# the test suite wraps every function in a type checker, which numba cannot compile
_jit = njit(cache=True, nogil=True)
sum_by_class = _jit(inspect.unwrap(_sum_by_class))
rank = _jit(inspect.unwrap(_rank))
count_episodes = _jit(inspect.unwrap(_episodes))
draw = _jit(inspect.unwrap(_draw))
project = _jit(inspect.unwrap(_project))


def classes(codes: np.ndarray, size: int) -> np.ndarray:
    """Codes in the smallest integers that hold them: what is looked up most must stay in cache."""
    return codes.astype(np.int16 if size < 2**15 else np.int32)
