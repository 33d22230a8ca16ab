"""How labels of trials are rearranged under chance: exchanged, shifted where they repeat, or as asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nwbsparse.analysis.association.draws import Table
from nwbsparse.analysis.association.exchange import labels_repeat
from nwbsparse.analysis.association.hindrance import too_few_trials
from nwbsparse.analysis.association.memory import memories
from nwbsparse.analysis.association.nulls import EXCHANGE, NULLS, SHIFT
from nwbsparse.analysis.association.shifts import LEAST_INDEPENDENT, MEMORIES, longest
from nwbsparse.analysis.association.trials import Trials

TRIALS, SEQUENCE = "trials", "sequence"
"""Kinds of chance: labels exchanged among neighbours, their sequence shifted."""
OF_TRIALS = " of trials"
"""Ends the kind of a null that was asked for by name."""


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


def label_draws(
    trials: Trials, n_draws: int, seed: tuple[int, ...], stream: int, null: str = ""
) -> LabelDraws:
    """Exchange labels among ten neighbours; where they repeat more than chance, shift their sequence.

    Args:
        trials: in the order of time.
        n_draws: draws, of shifts at most.
        seed: of the recording and the variable: whether labels repeat is asked once for both.
        stream: which of the variable's random streams the exchanges are of.
        null: the name of the null that was asked for in place of these.
    """
    own_seed = (*seed, stream)
    if not null and not labels_repeat(trials.codes, trials.session, (*seed, 1)):
        exchanged = NULLS[EXCHANGE](trials.codes, trials.session, 1, n_draws, own_seed)
        return LabelDraws(TRIALS, exchanged.table, exchanged.n, np.inf, "")
    own, _ = memories(trials.codes, np.zeros((0, trials.size)), trials.session)
    # a trial is over before the next: half of the memory lies within
    step = max(1.0, MEMORIES * own / 2)
    drawn = NULLS[null or SHIFT](trials.codes, trials.session, int(step), n_draws, own_seed)
    if null and not drawn.alike:
        return LabelDraws(f"{null}{OF_TRIALS}", drawn.table, drawn.n, np.inf, "")
    independent = longest(trials.session) / step
    enough = independent >= LEAST_INDEPENDENT
    status = "" if enough else too_few_trials(independent, step)
    kind = f"{null}{OF_TRIALS}" if null else SEQUENCE
    return LabelDraws(kind, drawn.table, drawn.n, independent, status)
