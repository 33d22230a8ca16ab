"""Labels of trials exchanged among neighbours; or, where labels repeat, their sequence shifted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 10
"""Trials within which labels are exchanged: neighbours share whatever drifts slowly."""
REPEATS = 0.05
"""p of agreement with the trial before, from which on labels are said to repeat."""
ORDERS = 999
"""Random orders that agreement is compared with."""


@dataclass(frozen=True)
class Exchanges:
    """Labels exchanged within runs of ten neighbouring trials of one session."""

    labels: np.ndarray
    """(trial,) in the order of time."""
    session: np.ndarray
    seed: tuple[int, ...]

    def table(self, draws: np.ndarray) -> np.ndarray:
        """(trial, draw) the label of each trial in the draws of these numbers."""
        small = np.uint8 if self.labels.max(initial=0) < 256 else np.uint16
        run = np.empty(len(self.labels))
        for number, trials in enumerate(runs(self.session)):
            run[trials] = number
        out = np.empty((len(self.labels), len(draws)), dtype=small)
        for column, draw in enumerate(draws):  # each by itself, whatever is drawn beside it
            rng = np.random.default_rng([*self.seed, int(draw)])
            out[:, column] = self.labels[np.argsort(run + rng.random(len(run)))]
        return out


def runs(session: np.ndarray) -> list[np.ndarray]:
    """Trials (numbers) in runs of about ten neighbours, none across sessions."""
    made = []
    for one in np.split(np.arange(len(session)), np.flatnonzero(np.diff(session)) + 1):
        made += np.array_split(one, max(1, round(len(one) / NEIGHBOURS)))
    return made


def labels_repeat(labels: np.ndarray, session: np.ndarray, seed: tuple[int, ...]) -> bool:
    """Whether labels agree with the trial before more often than in random orders (p ≤ .05).

    Exchanging neighbours is wrong there: activity that is alike in neighbouring trials then follows
    the labels in 14-20 % of recordings at p = .05.
    """
    rng = np.random.default_rng(seed)
    same = session[1:] == session[:-1]
    observed = np.count_nonzero((labels[1:] == labels[:-1]) & same)
    drawn = np.array([rng.permutation(labels) for _ in range(ORDERS)])
    agree = ((drawn[:, 1:] == drawn[:, :-1]) & same).sum(axis=1)
    return bool((1 + np.count_nonzero(agree >= observed)) / (1 + ORDERS) <= REPEATS)
