"""r of every channel under many rearrangements of a variable's codes, curves fitted anew in each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from scipy import stats

from nwbsparse.analysis.association.cross_fit import pooled_r

AT_ONCE = 100
"""Draws whose codes are held at once."""
SUMS = 1 << 20
"""Sums of channels × folds × draws × codes that are added up side by side."""
CODES = 1 << 18
"""Bytes of codes that are read by all of these channels before the next: they stay in the cache."""
STAGES = ((50, 0.3), (200, 0.1), (400, 0.075))
"""Draws made so far, evenly spread, and the share of them from which on a channel gets no more: where
chance does that often as well as the data, more draws would only say so more exactly (Besag & Clifford
1991). A p of .05 is stopped by a stage in one of a hundred channels, and then said to be larger."""


@dataclass(frozen=True)
class Rows:
    """Channels by the rows whose codes are rearranged: the known bins one after another, or trials."""

    indptr: np.ndarray
    rows: np.ndarray
    """(entry,) −1 where the variable is not known."""
    value: np.ndarray
    beta: np.ndarray
    """(channel, column) drift that comes off."""
    basis: np.ndarray
    """(row, column)"""
    fold: np.ndarray
    """(row,)"""
    squares: np.ndarray
    """(channel,) without drift."""
    first: np.ndarray
    """(channel,) sum without drift."""
    size: int
    """Codes."""
    shrink: float


@dataclass(frozen=True)
class Chance:
    """What rearranged codes give, by channel; NaN where there is no draw."""

    p: np.ndarray
    """One-sided: an association makes r larger."""
    mean: np.ndarray
    std: np.ndarray
    n: np.ndarray
    """Draws."""


Table = Callable[[np.ndarray], np.ndarray]
"""(row, draw) code of every row, for the draws of these numbers."""


def by_chance(
    rows: Rows,
    observed: np.ndarray,
    table: Table,
    n_draws: int,
    *,
    usable: Callable[[np.ndarray], np.ndarray] | None = None,
    freedom: np.ndarray | None = None,
    more: int = 0,
) -> Chance:
    """Compare r with its draws: some of them first, more where few of those do as well, then all.

    Args:
        rows: the channels.
        observed: (channel,) r as it is.
        table: what makes the codes of some draws.
        n_draws: how many draws there are.
        usable: (channel, draw) bool, which of these draws count for which channel; all by default.
        freedom: (channel,) degrees of freedom of the t tail that p may not fall below: neighbouring
            draws are alike, so that counting promises tails that few independent draws cannot give
            (decision 0003). None where draws are independent.
        more: draws that are made beyond those where two of them at most do as well: with many
            variables only a small p survives.
    """
    r = np.full((len(observed), n_draws), np.nan, dtype=np.float32)
    numbers = np.arange(n_draws)
    counts = np.ones(r.shape, dtype=bool) if usable is None else usable(numbers)
    left, made = np.arange(len(observed)), numbers[:0]
    for n, often in (*STAGES, (n_draws, 1.0)):
        fresh = np.setdiff1d(numbers[:: max(1, n_draws // max(n, 1))], made)
        r[np.ix_(left, fresh)] = _drawn(rows, table, fresh, left)
        made = np.union1d(made, fresh)
        there = counts[np.ix_(left, made)]
        with np.errstate(invalid="ignore"):
            beaten = (r[np.ix_(left, made)] >= observed[left, None] - 1e-6) & there
        seldom = beaten.sum(axis=1) <= often * np.maximum(there.sum(axis=1), 1)
        left = left[seldom & np.isfinite(observed[left])]
    found = _judged(observed, r, counts, freedom)
    rare = np.flatnonzero(found.p <= 3 / (1 + found.n))
    if more and len(rare):
        further = _drawn(rows, table, np.arange(n_draws, n_draws + more), rare)
        beaten = (further >= observed[rare, None] - 1e-6).sum(axis=1)
        already = np.round(found.p[rare] * (1 + found.n[rare]))
        found.n[rare] += more
        found.p[rare] = (already + beaten) / (1 + found.n[rare])
    return found


def _judged(
    observed: np.ndarray, r: np.ndarray, counts: np.ndarray, freedom: np.ndarray | None
) -> Chance:
    n, beaten = (np.zeros(len(r), dtype=np.int64) for _ in range(2))
    mean, std = np.zeros(len(r)), np.zeros(len(r))
    tally(observed, r, counts, n, beaten, mean, std)
    p = (1 + beaten) / (1 + n)
    if freedom is not None:
        z = (observed - mean) / np.maximum(std, 1e-12)
        p = np.maximum(p, stats.t.sf(z, np.maximum(freedom, 1)))
    nothing = (n == 0) | ~np.isfinite(observed)
    p, mean, std = (np.where(nothing, np.nan, one) for one in (p, mean, std))
    return Chance(p, mean, std, n)


def _drawn(rows: Rows, table: Table, numbers: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """(channel, draw) r in the draws of some numbers, for some channels."""
    r = np.empty((len(channels), len(numbers)), dtype=np.float32)
    if not r.size:
        return r
    n_folds, n_columns = int(rows.fold.max()) + 1, rows.basis.shape[1]

    def some(these: np.ndarray) -> None:
        codes = table(numbers[these])
        n = np.zeros((len(these), n_folds, rows.size))
        drift = np.zeros((len(these), n_folds, n_columns, rows.size))
        count_draws(rows.fold, codes, rows.basis, n, drift)
        out = np.empty((len(channels), len(these)), dtype=np.float32)
        rearranged_r(
            channels, rows.indptr, rows.rows, rows.value, rows.fold, codes, n, drift, rows.beta,
            rows.first, rows.squares, rows.shrink, out,
        )  # fmt: skip
        r[:, these] = out

    n_threads = torch.get_num_threads()
    n_pieces = max(-(-len(numbers) // AT_ONCE), min(n_threads, len(numbers)))
    pieces = np.array_split(np.arange(len(numbers)), n_pieces)
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(some, pieces))
    return r


def _count_draws(fold, codes, basis, n, drift) -> None:
    """Rows (draw, fold, code), and sums of the basis (draw, fold, column, code).

    Codes mostly stay as they were in the row before: each run of one is added when it ends.
    """
    n_rows, n_draws = codes.shape
    n_columns = basis.shape[1]
    began = np.zeros(n_draws, dtype=np.int64)
    total, before = np.zeros(n_columns), np.zeros((n_draws, n_columns))
    for row in range(1, n_rows + 1):
        for column in range(n_columns):
            total[column] += basis[row - 1, column]
        ends = row == n_rows or fold[row] != fold[row - 1]
        k = fold[row - 1]
        for draw in range(n_draws):
            c = codes[row - 1, draw]
            if ends or codes[row, draw] != c:
                n[draw, k, c] += row - began[draw]
                began[draw] = row
                for column in range(n_columns):
                    drift[draw, k, column, c] += total[column] - before[draw, column]
                    before[draw, column] = total[column]


def _rearranged_r(
    channels, indptr, rows, value, fold, codes, n, drift, beta, first, squares, shrink, out
) -> None:
    """``out[channel, draw]`` r; the rows of each channel rise, but for those below 0.

    The codes of all draws fill more than a cache holds: many channels are summed over some rows
    before the next rows are taken, which is three times as fast as one channel after another.
    """
    n_draws, n_folds, n_codes = n.shape
    at_once = min(max(1, SUMS // n.size), len(channels))
    n_rows = max(1, CODES // max(n_draws * codes.itemsize, 1))
    total = np.zeros((at_once, n_folds, n_draws, n_codes))
    mine = np.zeros((n_folds, n_codes))
    now = np.zeros(at_once, dtype=np.int64)
    for begin in range(0, len(channels), at_once):
        some = channels[begin : begin + at_once]
        total[:] = 0.0
        for place in range(len(some)):
            now[place] = indptr[some[place]]
        for stop in range(n_rows, len(codes) + n_rows, n_rows):
            for place in range(len(some)):
                at, end = now[place], indptr[some[place] + 1]
                while at < end and rows[at] < stop:
                    row = rows[at]
                    if row >= 0:
                        amount = np.float64(value[at])
                        of_fold = total[place, fold[row]]
                        of_row = codes[row]
                        for draw in range(n_draws):
                            of_fold[draw, of_row[draw]] += amount
                    at += 1
                now[place] = at
        for place in range(len(some)):
            channel = some[place]
            for draw in range(n_draws):
                for k in range(n_folds):
                    for c in range(n_codes):
                        mine[k, c] = total[place, k, draw, c]
                    for column in range(beta.shape[1]):
                        slow = beta[channel, column]
                        for c in range(n_codes):
                            mine[k, c] -= slow * drift[draw, k, column, c]
                out[begin + place, draw] = pooled_r(
                    mine, n[draw], first[channel], squares[channel], shrink
                )


def _tally(observed, r, counts, n, beaten, mean, std) -> None:
    """Of the draws that were made and count: how many, those that do as well, mean and deviation."""
    for channel in range(len(r)):
        total, squares = 0.0, 0.0
        for draw in range(r.shape[1]):
            if counts[channel, draw] and np.isfinite(r[channel, draw]):
                n[channel] += 1
                total += r[channel, draw]
                beaten[channel] += r[channel, draw] >= observed[channel] - 1e-6
        mean[channel] = total / max(n[channel], 1)
        for draw in range(r.shape[1]):
            if counts[channel, draw] and np.isfinite(r[channel, draw]):
                squares += (r[channel, draw] - mean[channel]) ** 2
        std[channel] = np.sqrt(squares / max(n[channel], 1))


# the test suite wraps every function in a type checker, which numba cannot compile
_jit = njit(cache=True, nogil=True)
count_draws = _jit(inspect.unwrap(_count_draws))
rearranged_r = _jit(inspect.unwrap(_rearranged_r))
tally = _jit(inspect.unwrap(_tally))
