"""What a linear readout of one session decodes: logistic or ridge regression, chosen on validation."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor

from nwbsparse import names
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.heads import BIN, NONE, Head

STRENGTHS = (1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)
"""Inverse penalties per value of the input that are tried."""
ITERATIONS = 200


def linear_readout(session: SessionTrials, head: Head, name: str) -> np.ndarray | None:
    """Answers of a linear readout of one session to one variable, on its test trials.

    It is learned on training trials alone. What it reads (the mean of each unit over the trial, or
    every bin of it) and how much it is penalised is chosen by its loss on validation trials; a
    variable that has a value in each bin is read from that bin.

    Args:
        session: its trials with targets and parts.
        head: what the variable is.
        name: of the variable.

    Returns:
        (test trial,) or (test trial, time) in the variable's own terms; None where the session lacks
        it, or has less than two values of it in its training trials.
    """
    if name not in session.targets:
        return None
    target = _numbers(session.targets[name])
    parts = {part: session.of_part(part).numpy() for part in (names.TRAIN, names.VALIDATION)}
    test = session.of_part(names.TEST).numpy()
    candidates = []
    for table in _inputs(session, head):
        fitted = _chosen(head, table, target, parts[names.TRAIN], parts[names.VALIDATION])
        if fitted is not None:
            loss, readout = fitted
            candidates.append((loss, readout(table[test])))
    if not candidates:
        return None
    answer = min(candidates, key=lambda one: one[0])[1]
    return answer.reshape(len(test), *target.shape[1:])


def _numbers(target: Tensor) -> np.ndarray:
    return target.numpy()


def _inputs(session: SessionTrials, head: Head) -> list[np.ndarray]:
    """(trial, …, value) what is read: z-scores by the training trials, 0 where not observed."""
    activity = session.activity.numpy().astype(np.float64)
    train = activity[session.of_part(names.TRAIN).numpy()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of units that were never observed
        mean, spread = np.nanmean(train, axis=(0, 1)), np.nanstd(train, axis=(0, 1))
    z = (activity - mean) / np.where(spread > 0, spread, np.inf)
    z = np.nan_to_num(z, nan=0.0, posinf=0.0, neginf=0.0)
    return [z] if head.per == BIN else [z.mean(axis=1), z.reshape(len(z), -1)]


def _chosen(head: Head, table, target, train, validation):
    """The readout with the lowest loss on validation trials, and that loss; None without two values."""
    x, y = _entries(head, table[train], target[train])
    if len(np.unique(y)) < 2:
        return None
    x_validation, y_validation = _entries(head, table[validation], target[validation])
    spread = np.where((own := x.std(axis=0)) > 0, own, 1.0)
    best = None
    for strength in STRENGTHS:
        readout = _fitted(head, x / spread, y, strength)
        loss = readout.loss(x_validation / spread, y_validation) if len(y_validation) else 0.0
        if best is None or loss < best[0]:
            best = loss, readout
    assert best is not None
    loss, readout = best
    return loss, lambda rows: readout.answer(rows.reshape(-1, x.shape[1]) / spread)


def _entries(head: Head, table: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows with a value: trials, or bins."""
    x, y = table.reshape(-1, table.shape[-1]), target.reshape(-1)
    there = y != NONE if head.kind == names.CATEGORY else np.isfinite(y)
    return x[there], y[there]


class _Logistic:
    def __init__(self, x: np.ndarray, y: np.ndarray, strength: float) -> None:
        self.model = LogisticRegression(C=strength / x.shape[1], max_iter=ITERATIONS)
        with warnings.catch_warnings():
            # what has not converged is judged on validation trials like all else
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit(x, y)

    def answer(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict(x))

    def loss(self, x: np.ndarray, y: np.ndarray) -> float:
        share = self.model.predict_proba(x)
        at = np.searchsorted(self.model.classes_, y).clip(max=len(self.model.classes_) - 1)
        known = self.model.classes_[at] == y
        of_true = np.where(known, share[np.arange(len(y)), at], 0.0)
        return float(-np.log(of_true.clip(min=1e-9)).mean())


class _Ridge:
    """Of numbers, or of cosine and sine of angles."""

    def __init__(self, x: np.ndarray, y: np.ndarray, strength: float, period: float) -> None:
        self.period = period
        self.model = Ridge(alpha=x.shape[1] / strength).fit(x, self._wanted(y))

    def answer(self, x: np.ndarray) -> np.ndarray:
        made = np.asarray(self.model.predict(x))
        if not self.period:
            return made
        angle = np.arctan2(made[:, 1], made[:, 0])
        return np.mod(angle / (2 * np.pi), 1.0) * self.period

    def loss(self, x: np.ndarray, y: np.ndarray) -> float:
        return float(np.square(self.model.predict(x) - self._wanted(y)).mean())

    def _wanted(self, y: np.ndarray) -> np.ndarray:
        if not self.period:
            return y
        angle = y * (2 * np.pi / self.period)
        return np.column_stack([np.cos(angle), np.sin(angle)])


def _fitted(head: Head, x: np.ndarray, y: np.ndarray, strength: float) -> _Logistic | _Ridge:
    if head.kind == names.CATEGORY:
        return _Logistic(x, y, strength)
    return _Ridge(x, y, strength, head.period if head.kind == names.CIRCULAR else 0.0)
