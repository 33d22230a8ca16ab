"""How good answers on held-out trials are, beside chance and beside answers that know nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nwbsparse import names
from nwbsparse.splice.heads import NONE, Head


@dataclass(frozen=True)
class HeldOut:
    """Answers of one method to one variable in one session."""

    score: float
    """Accuracy, mean cosine of the error of an angle, or R²."""
    chance: float
    """Of the best answer that does not look at the trial: the share of the commonest category, the
    mean resultant of an angle, 0."""
    null_mean: float
    """Mean of the score with answers that belong to other trials."""
    null_high: float
    """What 95 % of these stay below."""
    p: float
    """Share of them, and of the score itself, that reach the score."""
    n: int
    """Trials (or bins) with a value."""


def held_out_score(
    head: Head,
    predicted: np.ndarray,
    true: np.ndarray,
    *,
    session: np.ndarray | None = None,
    n_permutations: int = 999,
    seed: int = 0,
) -> HeldOut | None:
    """Score answers against what was shown, and against answers given to other trials.

    The answers stay as they are and are given to other trials: what they reach there is the null. Of
    trials with one value they are permuted; of behaviour in bins they are shifted round by whole
    trials in the order of time, for behaviour goes on from one trial to the next. What is one and the same
    in each of several sessions is permuted over these, for they are its cases.

    Args:
        head: what the variable is.
        predicted: (trial,) or (trial, time) in the variable's own terms, trials in the order of time.
        true: likewise; −1 or NaN where there is none.
        session: (trial,) number of the session, of trials of several.
        n_permutations: of the null, at most.
        seed: of the permutations.

    Returns:
        None where no trial has a value. ``p`` is NaN where all trials have the same one.
    """
    there = true != NONE if head.kind == names.CATEGORY else np.isfinite(true)
    rows = there if there.ndim == 1 else there.any(axis=1)
    predicted, true, there = predicted[rows], true[rows], there[rows]
    session = np.zeros(len(true), dtype=int) if session is None else session[rows]
    n = int(there.sum())
    if not n:
        return None
    score = _score(head, predicted[there], true[there])
    rng = np.random.default_rng(seed)
    if len(np.unique(true[there])) < 2:
        null = []
    elif true.ndim == 1 and (labels := _of_sessions(true, session)) is not None:
        null = [
            _score(head, predicted, rng.permutation(labels)[session]) for _ in range(n_permutations)
        ]
    else:
        null = [
            _score(head, predicted[order][there], true[there])
            for order in _orders(len(true), in_bins=true.ndim > 1, n=n_permutations, rng=rng)
        ]
    finite = np.array(null)[np.isfinite(null)]
    if not len(finite) or not np.isfinite(score):
        return HeldOut(score, _chance(head, true[there]), np.nan, np.nan, np.nan, n)
    reached = (finite >= score - 1e-12).sum()
    return HeldOut(
        score,
        _chance(head, true[there]),
        float(finite.mean()),
        float(np.quantile(finite, 0.95)),
        float((1 + reached) / (1 + len(finite))),
        n,
    )


def _of_sessions(true: np.ndarray, session: np.ndarray) -> np.ndarray | None:
    """(session,) the one value of each of several sessions; None where one of them has more."""
    labels = np.zeros(session.max() + 1, dtype=true.dtype)
    for number in np.unique(session):
        own = np.unique(true[session == number])
        if len(own) > 1:
            return None
        labels[number] = own[0]
    return labels if len(np.unique(session)) > 1 else None


def _orders(n_trials: int, *, in_bins: bool, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    if not in_bins:
        return [rng.permutation(n_trials) for _ in range(n)]
    shifts = np.arange(1, n_trials)
    if len(shifts) > n:
        shifts = np.sort(rng.choice(shifts, n, replace=False))
    return [np.roll(np.arange(n_trials), shift) for shift in shifts]


def _score(head: Head, predicted: np.ndarray, true: np.ndarray) -> float:
    if head.kind == names.CATEGORY:
        return float((predicted == true).mean())
    if head.kind == names.CIRCULAR:
        apart = (predicted - true) * (2 * np.pi / head.period)
        return float(np.cos(apart).mean())
    around = np.square(true - true.mean()).sum()
    return float(1 - np.square(true - predicted).sum() / around) if around > 0 else np.nan


def _chance(head: Head, true: np.ndarray) -> float:
    if head.kind == names.CATEGORY:
        return float(np.bincount(true.astype(np.int64)).max() / len(true))
    if head.kind == names.CIRCULAR:
        angle = true * (2 * np.pi / head.period)
        return float(np.hypot(np.cos(angle).mean(), np.sin(angle).mean()))
    return 0.0
