"""Which behaviour each latent follows: chosen on training bins, tested once on held-out bins."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from nwbsparse import names
from nwbsparse.analysis.apply.activity import Entries, entries_of
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.behaviour.design import Ground
from nwbsparse.analysis.statistics.loops import classes, fit_by_class
from nwbsparse.analysis.statistics.nulls import (
    Null,
    Shifting,
    circular_shift,
    inner,
    make_shifting,
    permutation,
)

MIN_ACTIVE = 20
MIN_EPISODES = 5
"""Active bins, and separate stretches of them, below which nothing is claimed."""
SHRINK = 1.0
"""Seconds of occupancy at which a tuning bin counts half: rarely visited places say little."""
AT_ONCE = 16
"""Channels whose held-out activity is made a full table at once."""


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
class Tested:
    """The one tested association of every channel (latent or unit)."""

    choice: np.ndarray
    """(channel,) index into the candidates, −1 when nothing could be tested."""
    score: np.ndarray
    """(candidate, channel): cross-validated correlation on the fitting bins."""
    observed: np.ndarray
    """(channel,) correlation on the test bins."""
    halves: np.ndarray
    """(channel, 2): the same in each half of the test blocks."""
    null: tuple[Null, ...]

    @property
    def p(self) -> np.ndarray:
        return np.array([null.p for null in self.null])


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


def associate(
    activity: np.ndarray | Entries, candidates: Sequence[Candidate], ground: Ground
) -> Tested:
    """Choose each channel's best candidate on the fitting bins and test it once on the others.

    ``activity`` is (time, channel), a table or sparse. The choice is the largest correlation between
    a channel and what a candidate predicts, with tuning curves fitted in one half of the fitting
    bins and scored in the other. Channels active in fewer than 20 bins or 5 separate episodes of the
    held-out bins where the chosen variable is known are not assessable and never ranked.
    """
    entries = entries_of(activity)
    sums = class_sums(entries, candidates, ground)
    score = fitting_scores(sums, candidates, entries.n_channels, ground)
    scored = np.isfinite(score).any(axis=0)
    choice = np.full(entries.n_channels, -1)
    if len(candidates):
        choice = np.where(scored, np.where(np.isfinite(score), score, -np.inf).argmax(axis=0), -1)
    found = test_all(entries, choice, candidates, sums, ground)
    return Tested(
        choice,
        score,
        observed=np.array([one.observed for one in found]),
        halves=np.array([one.halves for one in found]).reshape(-1, 2),
        null=tuple(one.null for one in found),
    )


def test_all(
    entries: Entries,
    choice: np.ndarray,
    candidates: Sequence[Candidate],
    sums: dict[str, tuple[ClassSums, ClassSums]],
    ground: Ground,
) -> list[HeldOut]:
    """The chosen claim of every channel on the test bins, channels of one claim after another."""
    held = entries.at(ground.testing)
    basis = ground.basis(ground.testing)

    def one_after_another(channels: np.ndarray) -> list[HeldOut]:
        values = held.dense(channels)
        values -= (values @ basis) @ basis.T
        made = []
        before: tuple[int, HeldOutBins] | None = None
        for channel, left in zip(channels, values, strict=True):
            best = int(choice[channel])
            if best < 0:
                silent = entries.indptr[channel] == entries.indptr[channel + 1]
                said = "never active" if silent else "there is no variable to compare it with"
                made.append(HeldOut(np.nan, not_assessable(said)))
                continue
            if before is None or before[0] != best:
                before = best, held_out_bins(candidates[best], ground)
            fitted = joined(sums[candidates[best].variable.name], int(channel))
            curve = prediction(candidates[best], fitted, ground.bin_width)[:, 0]
            mine = slice(held.indptr[channel], held.indptr[channel + 1])
            active = held.bins[mine][held.value[mine] > 0]
            made.append(held_out(active, left, before[1], curve, ground))
        return made

    order = np.argsort(choice, kind="stable")
    found: list[HeldOut | None] = [None] * len(choice)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        pieces = np.array_split(order, max(1, -(-len(order) // AT_ONCE)))
        for channels, made in zip(pieces, pool.map(one_after_another, pieces), strict=True):
            for channel, one in zip(channels, made, strict=True):
                found[channel] = one
    return [one for one in found if one is not None]


@dataclass(frozen=True)
class ClassSums:
    """Activity without drift in the tuning bins of a variable, in some of the fitting bins."""

    n: np.ndarray
    """(code,) bins."""
    total: np.ndarray
    """(code, channel)"""
    squares: np.ndarray
    """(channel,)"""


def class_sums(
    entries: Entries, candidates: Sequence[Candidate], ground: Ground
) -> dict[str, tuple[ClassSums, ClassSums]]:
    """For each variable: sums in the two halves of the fitting bins.

    The drift is removed from the sums, not from the activity, which stays sparse: with the
    coefficients β of the drift B in each channel, Σ(a − Bβ) = Σa − (ΣB)β, and so for squares.
    """
    fitting = entries.at(ground.fitting)
    basis = ground.basis(ground.fitting)
    beta = fitting.table.T @ basis
    variables = {candidate.variable.name: candidate.variable for candidate in candidates}
    made = {}
    for name, variable in variables.items():
        codes = variable.codes[ground.fitting]
        halves = [np.where(ground.fold == half, codes, -1) for half in (0, 1)]
        first, second = (_half_sums(fitting, half, variable.size, basis, beta) for half in halves)
        made[name] = (first, second)
    return made


def _half_sums(
    fitting: Entries, codes: np.ndarray, size: int, basis: np.ndarray, beta: np.ndarray
) -> ClassSums:
    total, squares = np.zeros((fitting.n_channels, size)), np.zeros(fitting.n_channels)
    cross = np.zeros((fitting.n_channels, basis.shape[1]))
    where = (fitting.indptr, fitting.bins, fitting.value, classes(codes, size))
    fit_by_class(*where, basis, total, squares, cross)
    known = codes >= 0
    n = np.bincount(codes[known], minlength=size).astype(np.float64)
    drift = np.array(
        [np.bincount(codes[known], weights=column[known], minlength=size) for column in basis.T]
    ).reshape(-1, size)
    of_known = basis[known]
    gram = of_known.T @ of_known
    left = squares - 2 * (beta * cross).sum(axis=1) + ((beta @ gram) * beta).sum(axis=1)
    # what is left of a constant is rounding
    left = np.where(left > 1e-9 * squares, left, 0.0)
    return ClassSums(n, (total - beta @ drift).T, left)


def joined(halves: tuple[ClassSums, ClassSums], channel: int) -> ClassSums:
    """The sums of one channel over all fitting bins."""
    one, other = halves
    total = one.total[:, [channel]] + other.total[:, [channel]]
    return ClassSums(one.n + other.n, total, one.squares[[channel]] + other.squares[[channel]])


def fitting_scores(
    sums: dict[str, tuple[ClassSums, ClassSums]],
    candidates: Sequence[Candidate],
    n_channels: int,
    ground: Ground,
) -> np.ndarray:
    """(candidate, channel): correlation with what a candidate predicts, cross-validated in halves."""
    score = np.full((len(candidates), n_channels), np.nan)
    for row, candidate in enumerate(candidates):
        halves = sums[candidate.variable.name]
        scored = [
            _correlation(prediction(candidate, fitted, ground.bin_width), scored_on)
            for fitted, scored_on in (halves, halves[::-1])
        ]
        score[row] = np.mean(scored, axis=0)
    return score


@dataclass(frozen=True)
class HeldOut:
    """One channel's claim on the test bins."""

    observed: float
    """Correlation with what was predicted."""
    null: Null
    halves: tuple[float, float] = (np.nan, np.nan)
    """The same in each half of the test blocks; NaN with too little activity there."""


@dataclass(frozen=True)
class HeldOutBins:
    """Where a candidate is known among the test bins, and what does not depend on the channel."""

    candidate: Candidate
    known: np.ndarray
    """(test bin,) bool."""
    codes: np.ndarray
    """(known bin,)"""
    halves: tuple[np.ndarray, np.ndarray]
    """Which of the known bins are in each half of the test blocks."""
    inside: np.ndarray | None
    """(known bin,) of a condition that moves freely, whose prediction is the same for all channels."""
    shifting: Shifting | None
    """The same, ready to be shifted."""


def held_out_bins(candidate: Candidate, ground: Ground) -> HeldOutBins:
    """Prepare a candidate for tests of many channels."""
    codes = candidate.variable.codes[ground.testing]
    known = codes >= 0
    half = ground.half[known]
    halves = np.flatnonzero(half == 0), np.flatnonzero(half == 1)
    inside = shifting = None
    if candidate.code is not None and candidate.variable.table is None:
        inside = (codes[known] == candidate.code).astype(np.float64)
        shifting = make_shifting(inside, bin_width=ground.bin_width)
    return HeldOutBins(candidate, known, codes[known], halves, inside, shifting)


def held_out(
    active: np.ndarray,
    residual: np.ndarray,
    bins: HeldOutBins,
    curve: np.ndarray,
    ground: Ground,
) -> HeldOut:
    """Test one channel's claim on the test bins: statistic and null.

    ``active`` are the (rising) test bins in which the channel is active, ``residual`` its activity
    without drift in all of them. Variables constant within trials are tested over trials, all
    others by circular shifts.
    """
    active = active[bins.known[active]]
    if len(active) < MIN_ACTIVE or _episodes(active) < MIN_EPISODES:
        said = f"active in {len(active)} held-out bins, {_episodes(active)} episodes"
        return HeldOut(np.nan, not_assessable(said))
    values = residual if bins.known.all() else residual[bins.known]
    predicted = curve[bins.codes] if bins.inside is None else bins.inside
    halves = bins.halves
    table = bins.candidate.variable.table
    if table is None:
        shifted = predicted if bins.shifting is None else bins.shifting
        observed, null = circular_shift(values, shifted, bin_width=ground.bin_width)
    else:
        trials = ground.trials[table][ground.testing][bins.known]
        rows, first, at, n = np.unique(
            trials, return_index=True, return_inverse=True, return_counts=True
        )
        if len(rows) < MIN_ACTIVE:
            return HeldOut(np.nan, not_assessable(f"only {len(rows)} held-out trials"))
        values, predicted, order = (
            np.bincount(at, weights=column) / n
            for column in (values, predicted, ground.times[ground.testing][bins.known])
        )
        half = ground.half[bins.known][first]
        halves = np.flatnonzero(half == 0), np.flatnonzero(half == 1)
        observed, null = permutation(
            values, predicted, order, n_draws=ground.n_draws, seed=ground.seed
        )
    in_half = [active[ground.half[active] == one] for one in (0, 1)]
    said = [
        pearson(values[half], predicted[half])
        if len(mine) >= MIN_ACTIVE / 2 and _episodes(mine) >= MIN_EPISODES / 2
        else np.nan
        for half, mine in zip(halves, in_half, strict=True)
    ]
    return HeldOut(observed, null, (said[0], said[1]))


def pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of two columns; NaN where one is constant or there are fewer than three rows."""
    if len(first) < 3:
        return np.nan
    a, b = first - first.mean(), second - second.mean()
    scale = float(np.sqrt(inner(a, a) * inner(b, b)))
    return inner(a, b) / scale if scale > 1e-12 * len(a) else np.nan


def not_assessable(why: str) -> Null:
    """No null, and the reason for it."""
    return Null(np.nan, np.nan, np.nan, 0, why)


def _episodes(active: np.ndarray) -> int:
    """Runs of neighbouring bins."""
    return int(np.count_nonzero(np.diff(active) != 1) + 1) if len(active) else 0


def prediction(candidate: Candidate, sums: ClassSums, bin_width: float) -> np.ndarray:
    """(code, channel): the activity that a candidate predicts in each tuning bin, up to a constant."""
    if candidate.code is not None:  # "more active in this condition": nothing is fitted
        indicator = np.zeros(sums.total.shape)
        indicator[candidate.code] = 1.0
        return indicator
    mean = sums.total.sum(axis=0) / max(sums.n.sum(), 1.0)
    return (sums.total - sums.n[:, None] * mean) / (sums.n + SHRINK / bin_width)[:, None]


def _correlation(predicted: np.ndarray, sums: ClassSums) -> np.ndarray:
    """Pearson correlation (channel,) of activity with its prediction, from the sums per code."""
    n, total = sums.n, sums.total
    count = max(n.sum(), 1.0)
    mean, expected = total.sum(axis=0) / count, n @ predicted / count
    cross = (predicted * total).sum(axis=0) / count - mean * expected
    spread = np.sqrt(
        np.maximum(sums.squares / count - mean**2, 0)
        * np.maximum(n @ predicted**2 / count - expected**2, 0)
    )
    return np.divide(cross, spread, out=np.full(cross.shape, np.nan), where=spread > 1e-12)
