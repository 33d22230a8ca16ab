"""r between activity and what a variable predicts of it, curves fitted on other folds; its interval."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from scipy import stats

from nwbsparse.analysis.association.sums import Sums

LEVEL = 0.95
"""Of the intervals."""


@dataclass(frozen=True)
class CrossFit:
    """Of every channel: its correlation with its curve, and how that changes without a block."""

    r: np.ndarray
    """(channel,) over all bins; NaN where the activity is constant."""
    left_out: np.ndarray
    """(block, channel) the same without each block, curves fitted anew."""
    halves: np.ndarray
    """(channel, 2) in the even and in the odd blocks, curves as for r."""
    peaks: np.ndarray
    """(channel, fold) the code at which the curve of each fold, fitted on the others, is largest."""
    peak: np.ndarray
    """(channel,) the code at which the curve of all bins is largest."""

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end (channel,) of the 95 % interval of r.

        Delete-one-block jackknife on atanh r, t with as many degrees of freedom as there are blocks
        less one. Percentile bootstraps with fixed curves cover too little (66-93 %).
        """
        z, spread, freedom = jackknife(self.r, self.left_out)
        if freedom < 1:
            return np.full(z.shape, np.nan), np.full(z.shape, np.nan)
        reach = stats.t.ppf(0.5 + LEVEL / 2, freedom) * spread
        return np.tanh(z - reach), np.tanh(z + reach)


def cross_fit(sums: Sums) -> CrossFit:
    """Correlate every channel with its curve over all bins, the curve of each fold from the others.

    The curve of fold k at code c is (S_c − n_c·mean)/(n_c + shrink), with sums over the bins of the
    other folds: rarely visited codes say little.
    """
    n_channels, n_blocks = sums.squares.shape
    r = np.full(n_channels, np.nan)
    left_out = np.full((n_blocks, n_channels), np.nan)
    n_folds = int(sums.fold.max()) + 1 if n_blocks else 0
    leave_out(sums.total, sums.n, sums.squares, sums.fold, n_folds, sums.shrink, r, left_out)
    curves = fold_curves(sums)
    return CrossFit(
        r=r,
        left_out=left_out,
        halves=np.stack([_in_blocks(sums, curves, half) for half in (0, 1)], axis=1),
        peaks=_largest(curves, sums.n),
        peak=_largest(_curve(sums)[:, None], sums.n)[:, 0],
    )


def jackknife(r: np.ndarray, left_out: np.ndarray) -> tuple[np.ndarray, Any, int]:
    """Atanh r, its standard error, and degrees of freedom, from its values without each block."""
    z, without = fisher(r), fisher(left_out)
    return z, jackknife_error(without), len(left_out) - 1


def jackknife_error(without: np.ndarray) -> np.ndarray | np.floating:
    """Standard error (...,) of an estimate from its values (block, ...) without each block."""
    n = len(without)
    centred = without - without.mean(axis=0) if n else without
    return np.sqrt((n - 1) / max(n, 1) * (centred**2).sum(axis=0))


def fisher(r: np.ndarray) -> np.ndarray:
    """atanh, of values that rounding may have put at ±1."""
    return np.arctanh(np.clip(r, -0.999, 0.999))


def fold_sums(sums: Sums) -> tuple[np.ndarray, np.ndarray]:
    """(channel, fold, code) activity and (fold, code) bins."""
    n_folds = int(sums.fold.max()) + 1
    total = np.stack([sums.total[:, sums.fold == k].sum(axis=1) for k in range(n_folds)], axis=1)
    return total, np.stack([sums.n[sums.fold == k].sum(axis=0) for k in range(n_folds)])


def fold_curves(sums: Sums) -> np.ndarray:
    """(channel, fold, code) the curve for each fold, fitted on the others."""
    total, n = fold_sums(sums)
    others = total.sum(axis=1, keepdims=True) - total
    return _shrunk(others, n.sum(axis=0) - n, sums.shrink)


def _curve(sums: Sums) -> np.ndarray:
    return _shrunk(sums.total.sum(axis=1), sums.n.sum(axis=0), sums.shrink)


def _shrunk(total: np.ndarray, n: np.ndarray, shrink: float) -> np.ndarray:
    mean = total.sum(axis=-1, keepdims=True) / np.maximum(n.sum(axis=-1, keepdims=True), 1.0)
    return (total - n * mean) / (n + shrink)


def _in_blocks(sums: Sums, curves: np.ndarray, half: int) -> np.ndarray:
    """(channel,) the correlation within every other block."""
    some = np.flatnonzero(np.arange(len(sums.fold)) % 2 == half)
    n, predicted = sums.n[some], curves[:, sums.fold[some]]
    count = max(n.sum(), 1.0)
    total, squares = sums.total[:, some], sums.squares[:, some].sum(axis=1)
    mean = total.sum(axis=(1, 2)) / count
    expected = (n * predicted).sum(axis=(1, 2)) / count
    cross = (total * predicted).sum(axis=(1, 2)) / count - mean * expected
    spread = np.maximum((n * predicted**2).sum(axis=(1, 2)) / count - expected**2, 0)
    spread = np.sqrt(spread * np.maximum(squares / count - mean**2, 0))
    return np.divide(cross, spread, out=np.full(len(cross), np.nan), where=spread > 1e-12)


def _largest(curves: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The code of each curve's largest value among the codes that occur."""
    return np.where(n.sum(axis=0) > 0, curves, -np.inf).argmax(axis=-1)


def _pooled_r(total, n, first, squares, shrink) -> float:
    """R from activity (fold, code), bins (fold, code), and the sum and sum of squares of all bins."""
    n_folds, n_codes = total.shape
    count = 0.0
    of_code, in_code = np.zeros(n_codes), np.zeros(n_codes)
    for k in range(n_folds):
        for c in range(n_codes):
            of_code[c] += total[k, c]
            in_code[c] += n[k, c]
            count += n[k, c]
    all_total = of_code.sum()
    cross, expected, expected2 = 0.0, 0.0, 0.0
    for k in range(n_folds):
        others, bins = all_total, count
        for c in range(n_codes):
            others -= total[k, c]
            bins -= n[k, c]
        mean = others / bins if bins > 0 else 0.0
        for c in range(n_codes):
            there = in_code[c] - n[k, c]
            curve = (of_code[c] - total[k, c] - there * mean) / (there + shrink)
            cross += total[k, c] * curve
            expected += n[k, c] * curve
            expected2 += n[k, c] * curve * curve
    if count < 2:
        return np.nan
    varies = squares - first * first / count
    if varies <= 1e-12 * squares or squares <= 0:
        return np.nan
    predicted = expected2 - expected * expected / count
    if predicted <= 1e-12 * squares:
        return 0.0
    return (cross - first * expected / count) / np.sqrt(predicted * varies)


def _leave_out(total, n, squares, fold, n_folds, shrink, r, left_out) -> None:
    n_channels, n_blocks, n_codes = total.shape
    bins = np.zeros((n_folds, n_codes))
    for block in range(n_blocks):
        for c in range(n_codes):
            bins[fold[block], c] += n[block, c]
    for channel in range(n_channels):
        mine = np.zeros((n_folds, n_codes))
        first, second = 0.0, 0.0
        in_block = np.zeros(n_blocks)
        for block in range(n_blocks):
            for c in range(n_codes):
                mine[fold[block], c] += total[channel, block, c]
                in_block[block] += total[channel, block, c]
            first += in_block[block]
            second += squares[channel, block]
        r[channel] = pooled_r(mine, bins, first, second, shrink)
        for block in range(n_blocks):
            k = fold[block]
            for c in range(n_codes):
                mine[k, c] -= total[channel, block, c]
                bins[k, c] -= n[block, c]
            left_out[block, channel] = pooled_r(
                mine, bins, first - in_block[block], second - squares[channel, block], shrink
            )
            for c in range(n_codes):
                mine[k, c] += total[channel, block, c]
                bins[k, c] += n[block, c]


# the test suite wraps every function in a type checker, which numba cannot compile
_jit = njit(cache=True, nogil=True)
pooled_r = _jit(inspect.unwrap(_pooled_r))
leave_out = _jit(inspect.unwrap(_leave_out))
