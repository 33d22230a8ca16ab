"""What chance would have given: circular shifts, permutations over trials, false-discovery rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft, stats

MIN_SHIFT = 10.0
"""Smallest circular shift (s); at least three autocorrelation times of the covariate as well."""
MIN_SHIFTS = 20
"""Independent shifts below which an association cannot be assessed."""
MAX_DRAWS = 10_000
NEIGHBOURS = 10
"""Trials within which labels are exchanged: neighbours share whatever drifts slowly."""


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


@dataclass(frozen=True)
class Shifting:
    """A prediction made ready to be compared, under all its circular shifts, with many activities."""

    centred: np.ndarray
    """(bin,) the prediction less its mean."""
    spectrum: np.ndarray
    size: float
    """Root of the sum of squares of ``centred``."""
    least: int
    """Bins of the smallest shift."""


def inner(first: np.ndarray, second: np.ndarray) -> float:
    """Sum of products. Not ``@``: a product that is over in microseconds would wait for a pool."""
    return float(np.einsum("i,i->", first, second))


def make_shifting(prediction: np.ndarray, *, bin_width: float) -> Shifting:
    """Prepare (bin,) what behaviour predicts over the concatenated valid bins."""
    n = len(prediction)
    centred = prediction - prediction.mean() if n else prediction.astype(np.float64)
    spectrum = np.asarray(fft.rfft(centred)) if n else np.zeros(0, np.complex128)
    least = least_shift(np.abs(spectrum) ** 2, n, bin_width) if n else 1
    return Shifting(centred, spectrum, float(np.sqrt(inner(centred, centred))), least)


def circular_shift(
    activity: np.ndarray, prediction: np.ndarray | Shifting, *, bin_width: float
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
    if not isinstance(prediction, Shifting):
        prediction = make_shifting(prediction, bin_width=bin_width)
    a = activity - activity.mean()
    scale = float(np.sqrt(inner(a, a))) * prediction.size
    if scale <= 1e-12 * n:
        return float("nan"), Null(np.nan, np.nan, np.nan, 0, "constant on held-out bins")
    observed = inner(a, prediction.centred) / scale
    least = prediction.least
    independent = n // least
    if independent < MIN_SHIFTS:
        said = f"only {independent} independent shifts ({MIN_SHIFTS} are needed)"
        return observed, Null(np.nan, np.nan, np.nan, 0, said)
    spectrum = np.asarray(fft.rfft(a))
    spectrum *= np.conj(prediction.spectrum)
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


def trial_permutations(order: np.ndarray, *, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """(draw, trial) index arrays that exchange trials among their neighbours in time only.

    ``order`` is the time of each trial. Trials are cut into runs of 10 neighbours and permuted
    within them, so that a slow drift in activity and labels cannot pass for an association; a
    condition that never changes within a run then has no draw that differs from what was observed.
    """
    ranked = np.argsort(order, kind="stable")
    n_runs = max(1, round(len(ranked) / NEIGHBOURS))
    draws = np.tile(np.arange(len(ranked)), (n_draws, 1))
    for run in np.array_split(ranked, n_runs):
        shuffled = rng.permuted(np.tile(run, (n_draws, 1)), axis=1)
        draws[:, run] = shuffled
    return draws


def permutation(
    activity: np.ndarray, prediction: np.ndarray, order: np.ndarray, *, n_draws: int, seed: int
) -> tuple[float, Null]:
    """Correlation over trials of mean activity with what the labels predict, labels permuted.

    Sequential: 1 + b of ``n_draws``, continued up to 10,000 draws while b stays below 10.
    p = (1 + b)/(1 + n), one-sided.
    """
    a, g = activity - activity.mean(), prediction - prediction.mean()
    scale = float(np.sqrt((a @ a) * (g @ g)))
    if len(a) < 2 or scale <= 1e-12 * len(a):
        return float("nan"), Null(np.nan, np.nan, np.nan, 0, "constant on held-out trials")
    observed = float(a @ g) / scale
    rng = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    n, beaten = 0, 0
    for size in (n_draws, max(MAX_DRAWS - n_draws, 0)):
        if size == 0 or beaten >= 10:
            break
        draws = g[trial_permutations(order, n_draws=size, rng=rng)] @ a / scale
        found.append(draws)
        n += size
        beaten += int(np.count_nonzero(draws >= observed - 1e-12))
    null = np.concatenate(found)
    if null.std() < 1e-12:
        said = "the labels never change among neighbouring held-out trials"
        return observed, Null(np.nan, np.nan, np.nan, 0, said)
    return observed, Null((1 + beaten) / (1 + n), float(null.mean()), float(null.std()), n)


def false_discovery_rate(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg q values; NaN stays NaN and does not count as a test."""
    q = np.full(p.shape, np.nan)
    tested = np.isfinite(p)
    if tested.any():
        q[tested] = stats.false_discovery_control(p[tested], method="bh")
    return q


def drift_basis(times: np.ndarray, population: np.ndarray) -> np.ndarray:
    """(bin, column) orthonormal: a cubic in session time and the population rate, where it varies."""
    span = max(float(np.ptp(times)), 1e-9)
    t = 2 * (times - times.min()) / span - 1
    rate = population - population.mean()
    spread = rate.std()
    columns = [np.ones_like(t), t, t**2, t**3] + ([rate / spread] if spread > 0 else [])
    return np.linalg.qr(np.stack(columns, axis=1))[0]


def without_drift(activity: np.ndarray, times: np.ndarray, population: np.ndarray) -> np.ndarray:
    """Activity (bin, channel) after removing a cubic in session time and the population rate.

    Without it a linear drift in both activity and behaviour passes for an association in 27 % of
    null recordings at p < 0.05 (5.8 % with it).
    """
    basis = drift_basis(times, population)
    return activity - basis @ (basis.T @ activity)
