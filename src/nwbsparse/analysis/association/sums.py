"""Activity summed by block and by the code of a variable: all that an association needs."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np
from numba import njit

from nwbsparse.analysis.association.design import Design, Detrended

NOTHING = 1e-9
"""Share of the sum of squares below which what is left without drift is rounding."""


@dataclass(frozen=True)
class Sums:
    """Of activity without drift, in the bins (or trials) in which a variable is known."""

    n: np.ndarray
    """(block, code) bins."""
    total: np.ndarray
    """(channel, block, code)"""
    squares: np.ndarray
    """(channel, block)"""
    fold: np.ndarray
    """(block,)"""
    shrink: float
    """Bins (or trials) at which a code counts half."""


def sums_by_block(
    activity: Detrended,
    codes: np.ndarray,
    block: np.ndarray,
    size: int,
    design: Design,
    *,
    shrink: float,
    n_folds: int,
) -> Sums:
    """Sums in the bins where ``codes`` (bin,) is 0 or more; ``block`` (bin,) of each of them."""
    known = codes >= 0
    n_blocks = int(block[known].max()) + 1 if known.any() else 0
    kept, beta = activity.kept, activity.beta
    n_channels, n_columns = beta.shape
    total = np.zeros((n_channels, n_blocks, size))
    squares = np.zeros((n_channels, n_blocks))
    cross = np.zeros((n_channels, n_blocks, n_columns))
    sum_in_blocks(
        kept.indptr, kept.bins, kept.value, codes, block, design.basis,
        total, squares, cross,
    )  # fmt: skip
    place = block[known].astype(np.int64) * size + codes[known]
    n = np.bincount(place, minlength=n_blocks * size).astype(np.float64)
    of_known = design.basis[known]
    drift = np.stack(
        [np.bincount(place, weights=one, minlength=n_blocks * size) for one in of_known.T]
        or [np.zeros(0)],
        axis=-1,
    ).reshape(n_blocks, size, n_columns)
    total -= np.tensordot(beta, drift, axes=([1], [2]))
    raw = squares.sum(axis=1)
    of_block = block[known]
    for one in range(n_blocks):
        mine = of_known[of_block == one]
        gram = mine.T @ mine
        squares[:, one] += ((beta @ gram) * beta).sum(axis=1)
        squares[:, one] -= 2 * (beta * cross[:, one]).sum(axis=1)
    squares[squares.sum(axis=1) <= NOTHING * raw] = 0.0
    return Sums(
        n.reshape(n_blocks, size), total, squares, np.arange(n_blocks) % n_folds, float(shrink)
    )


def _sum_in_blocks(indptr, bins, value, codes, block, basis, total, squares, cross) -> None:
    for channel in range(len(indptr) - 1):
        for at in range(indptr[channel], indptr[channel + 1]):
            here = bins[at]
            code = codes[here]
            if code >= 0:
                amount = np.float64(value[at])
                where = block[here]
                total[channel, where, code] += amount
                squares[channel, where] += amount * amount
                for column in range(basis.shape[1]):
                    cross[channel, where, column] += amount * basis[here, column]


# the test suite wraps every function in a type checker, which numba cannot compile
sum_in_blocks = njit(cache=True, nogil=True)(inspect.unwrap(_sum_in_blocks))
