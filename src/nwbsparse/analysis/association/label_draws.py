"""How labels of trials are rearranged under chance: exchanged, or shifted where they repeat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nwbsparse.analysis.association.draws import Table
from nwbsparse.analysis.association.exchange import Exchanges, labels_repeat
from nwbsparse.analysis.association.hindrance import too_few_trials
from nwbsparse.analysis.association.memory import memories
from nwbsparse.analysis.association.shifts import (
    LEAST_INDEPENDENT,
    MEMORIES,
    longest,
    make_shifts,
)
from nwbsparse.analysis.association.trials import Trials

TRIALS, SEQUENCE = "trials", "sequence"
"""Kinds of chance: labels exchanged among neighbours, their sequence shifted."""


@dataclass(frozen=True)
class LabelDraws:
    """Rearranged labels: the draws of some numbers, and how far they can be trusted."""

    kind: str
    table: Table
    n: int
    independent: float
    """Stretches that shifts can be independent in; infinite where labels are exchanged."""
    status: str
    """Why there are too few; '' where there are not."""


def label_draws(trials: Trials, n_draws: int, seed: tuple[int, ...], stream: int) -> LabelDraws:
    """Exchange labels among ten neighbours; where they repeat more than chance, shift their sequence.

    Args:
        trials: in the order of time.
        n_draws: draws, of shifts at most.
        seed: of the recording and the variable: whether labels repeat is asked once for both.
        stream: which of the variable's random streams the exchanges are of.
    """
    if not labels_repeat(trials.codes, trials.session, (*seed, 1)):
        exchanged = Exchanges(trials.codes, trials.session, (*seed, stream))
        return LabelDraws(TRIALS, exchanged.table, n_draws, np.inf, "")
    own, _ = memories(trials.codes, np.zeros((0, trials.size)), trials.session)
    # a trial is over before the next: half of the memory lies within
    step = max(1.0, MEMORIES * own / 2)
    shifts = make_shifts(trials.codes, trials.session, int(step), n_draws)
    independent = longest(trials.session) / step
    enough = independent >= LEAST_INDEPENDENT
    status = "" if enough else too_few_trials(independent, step)
    return LabelDraws(SEQUENCE, shifts.table, len(shifts.distance), independent, status)
