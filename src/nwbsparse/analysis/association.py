"""Which behaviour each latent follows: chosen on training bins, tested once on held-out bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import sparse
from scipy.ndimage import gaussian_filter1d

from nwbsparse import names
from nwbsparse.analysis.coding import Coded
from nwbsparse.analysis.nulls import Null, circular_shift, permutation, without_drift
from nwbsparse.binning.join import sessions_of
from nwbsparse.binning.split import part

MIN_ACTIVE = 20
MIN_EPISODES = 5
"""Active bins, and separate stretches of them, below which nothing is claimed."""
SHRINK = 1.0
"""Seconds of occupancy at which a tuning bin counts half: rarely visited places say little."""
SLOW = 30.0
"""Standard deviation (s) of the smoothing of the population rate that is removed: the rate itself
is tuned to behaviour, and removing it would write that tuning into units without (decision 0006)."""
FOLD = 30.0
"""Seconds of the stretches that alternate between the two halves in which a choice is made."""


@dataclass(frozen=True)
class Candidate:
    """One thing a latent may follow: the tuning curve of a variable, or one of its conditions."""

    variable: Coded
    code: int | None = None
    """The condition; None for the whole curve."""

    @property
    def condition(self) -> str:
        return "" if self.code is None else self.variable.labels[self.code]


@dataclass(frozen=True)
class Ground:
    """The bins of a recording on which choices are made and on which they are tested."""

    fitting: np.ndarray
    """Indices of training and validation bins."""
    fold: np.ndarray
    """(fitting,) 0 or 1."""
    testing: np.ndarray
    times: np.ndarray
    population: np.ndarray
    """(time,) spikes of all units, smoothed: what drifts slowly, and nothing tuned."""
    bin_width: float
    trials: dict[str, np.ndarray]
    """Row of the interval table in each bin, by table."""
    n_draws: int
    seed: int
    session: np.ndarray
    """(time,) which session a bin is of: each has its own level, drift and population."""

    def residual(self, activity: np.ndarray, bins: np.ndarray) -> np.ndarray:
        """Activity (bin, channel) of these bins without drift and population rate, by session."""
        values = activity[bins].astype(np.float64)
        for one in np.unique(self.session[bins]):
            mine = self.session[bins] == one
            own = bins[mine]
            values[mine] = without_drift(values[mine], self.times[own], self.population[own])
        return values


@dataclass(frozen=True)
class Tested:
    """The one tested association of every channel (latent or unit)."""

    choice: np.ndarray
    """(channel,) index into the candidates, −1 when nothing could be tested."""
    score: np.ndarray
    """(candidate, channel): cross-validated correlation on the fitting bins."""
    observed: np.ndarray
    """(channel,) correlation on the test bins."""
    null: tuple[Null, ...]

    @property
    def p(self) -> np.ndarray:
        return np.array([null.p for null in self.null])


def make_ground(binned: xr.Dataset, *, n_draws: int, seed: int) -> Ground:
    """Divide a split dataset into bins to choose on (two alternating halves) and bins to test on."""
    fitting = np.flatnonzero(part(binned, "train") | part(binned, "validation"))
    width = float(binned.attrs[names.BIN_WIDTH])
    times = binned[names.TIME].values
    session = sessions_of(binned)
    rate = binned[names.COUNTS].values.sum(axis=1, dtype=np.float64)
    for one in np.unique(session):
        rate[session == one] = gaussian_filter1d(rate[session == one], SLOW / width)
    return Ground(
        fitting=fitting,
        fold=(times[fitting] // FOLD).astype(np.int64) % 2,
        testing=np.flatnonzero(part(binned, "test")),
        times=times,
        population=rate,
        bin_width=width,
        trials={
            str(name): variable.values
            for name, variable in binned.data_vars.items()
            if variable.attrs.get(names.ROLE) == names.ROLE_INTERVAL
        },
        n_draws=n_draws,
        seed=seed,
        session=session,
    )


def candidates_of(variables: Sequence[Coded]) -> list[Candidate]:
    """Covariates by their whole tuning curve, categorical variables by each of their conditions."""
    found = []
    for variable in variables:
        if variable.kind == names.CATEGORICAL:
            present = np.unique(variable.codes[variable.codes >= 0])
            found += [Candidate(variable, int(code)) for code in present]
        else:
            found.append(Candidate(variable))
    return found


def associate(activity: np.ndarray, candidates: Sequence[Candidate], ground: Ground) -> Tested:
    """Choose each channel's best candidate on the fitting bins and test it once on the others.

    ``activity`` is (time, channel). The choice is the largest correlation between a channel and
    what a candidate predicts, with tuning curves fitted in one half of the fitting bins and scored
    in the other. Channels active in fewer than 20 bins or 5 separate episodes of the held-out
    bins where the chosen variable is known are not assessable and never ranked.
    """
    score = fitting_scores(activity, candidates, ground)
    residual = ground.residual(activity, ground.testing)
    n_channels = activity.shape[1]
    choice = np.full(n_channels, -1)
    observed = np.full(n_channels, np.nan)
    nulls: list[Null] = []
    curves: dict[int, np.ndarray] = {}
    for channel in range(n_channels):
        silent = not activity[:, channel].any()
        said = "never active" if silent else "there is no variable to compare it with"
        null = Null(np.nan, np.nan, np.nan, 0, said)
        if np.isfinite(score[:, channel]).any():
            best = int(np.nanargmax(score[:, channel]))
            choice[channel] = best
            if best not in curves:
                curves[best] = tuning(activity, candidates[best], ground)
            observed[channel], null = held_out(
                activity[ground.testing, channel],
                residual[:, channel],
                candidates[best],
                curves[best][:, channel],
                ground,
            )
        nulls.append(null)
    return Tested(choice, score, observed, tuple(nulls))


def fitting_scores(
    activity: np.ndarray, candidates: Sequence[Candidate], ground: Ground
) -> np.ndarray:
    """(candidate, channel): correlation with what a candidate predicts, cross-validated in halves."""
    residual = ground.residual(activity, ground.fitting)
    score = np.full((len(candidates), activity.shape[1]), np.nan)
    sums: dict[tuple[str, int], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    for row, candidate in enumerate(candidates):
        variable = candidate.variable
        halves = []
        for half in (0, 1):
            key = (variable.name, half)
            if key not in sums:
                rows = ground.fold == half
                sums[key] = _sums(variable, ground.fitting[rows], residual[rows])
            halves.append(sums[key])
        scored = [
            _correlation(_prediction(candidate, fitted, ground.bin_width), scored_on)
            for fitted, scored_on in (halves, halves[::-1])
        ]
        score[row] = np.mean(scored, axis=0)
    return score


def tuning(activity: np.ndarray, candidate: Candidate, ground: Ground) -> np.ndarray:
    """(code, channel): what the candidate predicts in each tuning bin, from all fitting bins."""
    residual = ground.residual(activity, ground.fitting)
    fitted = _sums(candidate.variable, ground.fitting, residual)
    return _prediction(candidate, fitted, ground.bin_width)


def held_out(
    activity: np.ndarray,
    residual: np.ndarray,
    candidate: Candidate,
    curve: np.ndarray,
    ground: Ground,
) -> tuple[float, Null]:
    """Test one channel's claim on the test bins (arrays are over these): statistic and null.

    Variables constant within trials are tested over trials, all others by circular shifts.
    """
    codes = candidate.variable.codes[ground.testing]
    known = codes >= 0
    active = (activity > 0) & known
    episodes = np.count_nonzero(active[1:] & ~active[:-1]) + int(active[:1].sum())
    if active.sum() < MIN_ACTIVE or episodes < MIN_EPISODES:
        said = f"active in {active.sum()} held-out bins, {episodes} episodes"
        return float("nan"), Null(np.nan, np.nan, np.nan, 0, said)
    prediction = curve[codes[known]]
    table = candidate.variable.table
    if table is None:
        return circular_shift(residual[known], prediction, bin_width=ground.bin_width)
    trials = ground.trials[table][ground.testing][known]
    rows, at, n = np.unique(trials, return_inverse=True, return_counts=True)
    mean = np.bincount(at, weights=residual[known]) / n
    order = np.bincount(at, weights=ground.times[ground.testing][known]) / n
    per_trial = np.bincount(at, weights=prediction) / n
    if len(rows) < MIN_ACTIVE:
        said = f"only {len(rows)} held-out trials"
        return float("nan"), Null(np.nan, np.nan, np.nan, 0, said)
    return permutation(mean, per_trial, order, n_draws=ground.n_draws, seed=ground.seed)


def _sums(
    variable: Coded, bins: np.ndarray, residual: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per code: number of bins and sum of activity (code, channel); per channel: sum of squares."""
    codes = variable.codes[bins]
    known = np.flatnonzero(codes >= 0)
    shape = (variable.size, len(bins))
    onehot = sparse.csr_matrix((np.ones(len(known)), (codes[known], known)), shape=shape)
    n = np.bincount(codes[known], minlength=variable.size).astype(np.float64)
    return n, onehot @ residual, (residual[known] ** 2).sum(axis=0)


def _prediction(
    candidate: Candidate, sums: tuple[np.ndarray, np.ndarray, np.ndarray], bin_width: float
) -> np.ndarray:
    n, total, _ = sums
    if candidate.code is not None:  # "more active in this condition": nothing is fitted
        indicator = np.zeros(total.shape)
        indicator[candidate.code] = 1.0
        return indicator
    mean = total.sum(axis=0) / max(n.sum(), 1.0)
    return (total - n[:, None] * mean) / (n + SHRINK / bin_width)[:, None]


def _correlation(
    prediction: np.ndarray, sums: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> np.ndarray:
    """Pearson correlation (channel,) of activity with its prediction, from the sums per code."""
    n, total, squares = sums
    count = max(n.sum(), 1.0)
    mean, expected = total.sum(axis=0) / count, n @ prediction / count
    cross = (prediction * total).sum(axis=0) / count - mean * expected
    spread = np.sqrt(
        np.maximum(squares / count - mean**2, 0)
        * np.maximum(n @ prediction**2 / count - expected**2, 0)
    )
    return np.divide(cross, spread, out=np.full(cross.shape, np.nan), where=spread > 1e-12)
