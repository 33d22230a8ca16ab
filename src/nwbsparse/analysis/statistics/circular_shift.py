"""What chance gives a unit and a latent: circular shifts on held-out bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft, stats

MIN_SHIFT = 10.0
"""Smallest circular shift (s); at least three autocorrelation times of the covariate as well."""
MIN_SHIFTS = 20
"""Independent shifts below which an association cannot be assessed."""


@dataclass(frozen=True)
class Null:
    """An observed statistic beside its null distribution."""

    p: float
    mean: float
    std: float
    n: int
    """Draws."""
    status: str = ""
    """Why it could not be assessed; '' when it was."""


def inner(first: np.ndarray, second: np.ndarray) -> float:
    """Sum of products. Not ``@``: a product that is over in microseconds would wait for a pool."""
    return float(np.einsum("i,i->", first, second))


def circular_shift(
    activity: np.ndarray, prediction: np.ndarray, *, bin_width: float
) -> tuple[float, Null]:
    """Correlation of an activity with what behaviour predicts, against all circular shifts.

    ``activity`` and ``prediction`` are (bin,) over the concatenated valid bins. Every shift of at
    least max(10 s, 3 autocorrelation times of the prediction) is a draw, all at once by FFT.

    ``p`` is the larger of (1 + b)/(1 + n) and the upper tail of a t-distribution fitted to the
    draws with as many degrees of freedom as there are independent shifts: neighbouring shifts
    are alike, so the count alone would promise tails that some 50 independent draws cannot give
    (decision 0003). One-sided: the prediction carries the sign found in training.
    """
    n = len(activity)
    if n == 0:
        return float("nan"), Null(np.nan, np.nan, np.nan, 0, "no held-out bins")
    a, g = activity - activity.mean(), prediction - prediction.mean()
    scale = float(np.sqrt(inner(a, a) * inner(g, g)))
    if scale <= 1e-12 * n:
        return float("nan"), Null(np.nan, np.nan, np.nan, 0, "constant on held-out bins")
    observed = inner(a, g) / scale
    moved = np.asarray(fft.rfft(g))
    least = least_shift(np.abs(moved) ** 2, n, bin_width)
    independent = n // least
    if independent < MIN_SHIFTS:
        said = f"only {independent} independent shifts ({MIN_SHIFTS} are needed)"
        return observed, Null(np.nan, np.nan, np.nan, 0, said)
    spectrum = np.asarray(fft.rfft(a)) * np.conj(moved)
    draws = np.asarray(fft.irfft(spectrum, n))[least : n - least + 1]
    draws /= scale
    mean = float(draws.mean())
    std = float(np.sqrt(max(inner(draws, draws) / len(draws) - mean**2, 0.0)))
    counted = (1 + np.count_nonzero(draws >= observed - 1e-12)) / (1 + len(draws))
    tail = float(stats.t.sf((observed - mean) / max(std, 1e-12), df=independent - 1))
    return observed, Null(max(counted, tail), mean, std, len(draws))


def least_shift(power: np.ndarray, n: int, bin_width: float) -> int:
    """Bins of the smallest shift: 10 s or 3 autocorrelation times (first fall below 1/e).

    ``power`` is the power spectrum of what is shifted, over ``n`` bins.
    """
    acf = np.asarray(fft.irfft(power, n))
    below = np.flatnonzero(acf[: n // 2 + 1] < acf[0] / np.e)
    time = int(below[0]) if len(below) else n
    return max(1, int(np.ceil(MIN_SHIFT / bin_width)), 3 * time)
