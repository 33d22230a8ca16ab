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
FIRST = 200
"""Draws that are made first, evenly spread: where chance does as well as the data in a tenth of
them, more would only say so more exactly."""
OFTEN = 0.1


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
    """Compare r with its draws: some 200 of them first, then all where those are few.

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
    n_channels = len(observed)
    r = np.full((n_channels, n_draws), np.nan, dtype=np.float32)
    numbers = np.arange(n_draws)
    first = numbers[:: max(1, n_draws // FIRST)]
    everyone = np.arange(n_channels)
    r[:, first] = _drawn(rows, table, first, everyone)
    counts = np.ones(r.shape, dtype=bool) if usable is None else usable(numbers)
    with np.errstate(invalid="ignore"):
        beaten = (r[:, first] >= observed[:, None] - 1e-6) & counts[:, first]
    close = np.isfinite(observed) & (
        beaten.sum(axis=1) <= OFTEN * np.maximum(counts[:, first].sum(axis=1), 1)
    )
    rest, some = np.setdiff1d(numbers, first), np.flatnonzero(close)
    r[np.ix_(some, rest)] = _drawn(rows, table, rest, some)
    found = _judged(observed, np.where(counts, r, np.nan), freedom)
    rare = np.flatnonzero(found.p <= 3 / (1 + found.n))
    if more and len(rare):
        further = _drawn(rows, table, np.arange(n_draws, n_draws + more), rare)
        beaten = (further >= observed[rare, None] - 1e-6).sum(axis=1)
        already = np.round(found.p[rare] * (1 + found.n[rare]))
        found.n[rare] += more
        found.p[rare] = (already + beaten) / (1 + found.n[rare])
    return found


def _judged(observed: np.ndarray, draws: np.ndarray, freedom: np.ndarray | None) -> Chance:
    there = np.isfinite(draws)
    n = there.sum(axis=1)
    some = np.maximum(n, 1)
    values = np.where(there, draws, 0.0).astype(np.float64)
    mean = values.sum(axis=1) / some
    std = np.sqrt((np.where(there, values - mean[:, None], 0.0) ** 2).sum(axis=1) / some)
    with np.errstate(invalid="ignore"):
        beaten = (there & (draws >= observed[:, None] - 1e-6)).sum(axis=1)
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
    n_folds = int(rows.fold.max()) + 1

    def some(these: np.ndarray) -> None:
        codes = table(numbers[these])
        shape = (n_folds, len(these), rows.size)
        n, drift = np.zeros(shape), np.zeros((*shape, rows.basis.shape[1]))
        count_draws(rows.fold, codes, rows.basis, n, drift)
        out = np.empty((len(channels), len(these)), dtype=np.float32)
        rearranged_r(
            channels, rows.indptr, rows.rows, rows.value, rows.fold, codes, n, drift, rows.beta,
            rows.first, rows.squares, rows.shrink, out,
        )  # fmt: skip
        r[:, these] = out

    pieces = np.array_split(np.arange(len(numbers)), -(-len(numbers) // AT_ONCE))
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        list(pool.map(some, pieces))
    return r


def _count_draws(fold, codes, basis, n, drift) -> None:
    """Rows, and sums of every column of the basis, by fold, draw and code.

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
                n[k, draw, c] += row - began[draw]
                began[draw] = row
                for column in range(n_columns):
                    drift[k, draw, c, column] += total[column] - before[draw, column]
                    before[draw, column] = total[column]


def _rearranged_r(
    channels, indptr, rows, value, fold, codes, n, drift, beta, first, squares, shrink, out
) -> None:
    n_folds, n_draws, n_codes = n.shape
    total = np.zeros((n_folds, n_draws, n_codes))
    mine, bins = np.zeros((n_folds, n_codes)), np.zeros((n_folds, n_codes))
    for place in range(len(channels)):
        channel = channels[place]
        total[:] = 0.0
        for at in range(indptr[channel], indptr[channel + 1]):
            row = rows[at]
            if row >= 0:
                amount = np.float64(value[at])
                of_fold = total[fold[row]]
                of_row = codes[row]
                for draw in range(n_draws):
                    of_fold[draw, of_row[draw]] += amount
        for draw in range(n_draws):
            for k in range(n_folds):
                for c in range(n_codes):
                    slow = 0.0
                    for column in range(beta.shape[1]):
                        slow += drift[k, draw, c, column] * beta[channel, column]
                    mine[k, c] = total[k, draw, c] - slow
                    bins[k, c] = n[k, draw, c]
            out[place, draw] = pooled_r(mine, bins, first[channel], squares[channel], shrink)


# the test suite wraps every function in a type checker, which numba cannot compile
_jit = njit(cache=True, nogil=True)
count_draws = _jit(inspect.unwrap(_count_draws))
rearranged_r = _jit(inspect.unwrap(_rearranged_r))
