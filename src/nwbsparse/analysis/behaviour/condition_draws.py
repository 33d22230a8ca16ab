"""How the codes of a variable are rearranged under chance, for the whole matrix of conditions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import factorial, prod

import numpy as np

from nwbsparse import names
from nwbsparse.analysis.association.design import Design
from nwbsparse.analysis.association.hindrance import too_short
from nwbsparse.analysis.association.label_draws import TRIALS, label_draws
from nwbsparse.analysis.association.memory import memories
from nwbsparse.analysis.association.nulls import NULLS, SHIFT
from nwbsparse.analysis.association.shifts import LEAST_INDEPENDENT, MEMORIES, SHIFTS, longest
from nwbsparse.analysis.association.trials import make_trials
from nwbsparse.analysis.behaviour.coding import Coded

SESSIONS = "sessions"


@dataclass(frozen=True)
class ConditionDraws:
    """One variable under chance; draw 0 is what was observed."""

    kind: str
    """shifts, trials, sequence or sessions; or the null that was asked for."""
    row: np.ndarray
    """(bin,) the row of the table that a known bin belongs to, −1 elsewhere."""
    table: np.ndarray
    """(row, draw) code of each row in each draw."""
    independent: float = np.inf
    """Stretches that the draws can be independent in; infinite where draws are independent."""
    exact: bool = False
    """Whether the draws are all arrangements there are."""
    status: str = ""
    """Why it says nothing; '' if it does."""


def condition_draws(
    variable: Coded, codes: np.ndarray, design: Design, n_draws: int, number: int
) -> ConditionDraws:
    """Rearrangements that fit the variable: trials, sessions, or shifts in time.

    ``codes`` are of the assessed bins; ``number`` of the variable gives draws of its own.
    """
    if variable.table == names.SESSIONS:
        return _sessions(variable, codes, design, n_draws, number)
    if variable.table is not None and variable.table in design.trials:
        return _trials(variable, codes, design, n_draws, number)
    known = np.flatnonzero(codes >= 0)
    row = np.full(len(codes), -1, dtype=np.int32)
    row[known] = np.arange(len(known))
    if not len(known):
        nothing = np.zeros((0, 1), np.uint8)
        return ConditionDraws(SHIFTS, row, nothing, status="it is never known")
    session = design.session[known]
    own, _ = memories(codes[known], np.zeros((0, variable.size)), session)
    drawn = NULLS[variable.null or SHIFT](
        codes[known], session, MEMORIES * own, n_draws, (design.seed, number)
    )
    kind = variable.null or SHIFTS
    independent = longest(session) / (MEMORIES * own) if drawn.alike else np.inf
    if independent < LEAST_INDEPENDENT:
        said = too_short(independent, own * design.bin_width)
        return ConditionDraws(kind, row, codes[known][:, None], independent, status=said)
    table = drawn.table(np.arange(drawn.n))
    return ConditionDraws(kind, row, _with_observed(codes[known], table), independent)


def _trials(
    variable: Coded, codes: np.ndarray, design: Design, n_draws: int, number: int
) -> ConditionDraws:
    trials = make_trials(codes, design.trials[str(variable.table)], variable.size, design)
    row = trials.row.astype(np.int32)
    alone = trials.codes[:, None]
    if said := trials.hindrance():
        return ConditionDraws(TRIALS, row, alone, status=said)
    drawn = label_draws(trials, n_draws, (design.seed, number), 3, variable.null)
    if drawn.status:
        return ConditionDraws(drawn.kind, row, alone, drawn.independent, status=drawn.status)
    table = _with_observed(trials.codes, drawn.table(np.arange(drawn.n)))
    never = drawn.kind == TRIALS and (table == table[:, :1]).all()
    said = "the labels never change among neighbouring trials" if never else ""
    return ConditionDraws(drawn.kind, row, table, drawn.independent, status=said)


def _sessions(
    variable: Coded, codes: np.ndarray, design: Design, n_draws: int, number: int
) -> ConditionDraws:
    known = codes >= 0
    _, first, at = np.unique(design.session[known], return_index=True, return_inverse=True)
    labels = codes[known][first]
    row = np.full(len(codes), -1, dtype=np.int32)
    row[known] = at
    rng = np.random.default_rng([design.seed, number])
    table, exact = arrangements(labels, n_draws=n_draws, rng=rng)
    said = "" if len(np.unique(labels)) > 1 else "all sessions are alike"
    small = np.ascontiguousarray(table.astype(np.uint8 if variable.size <= 256 else np.uint32))
    return ConditionDraws(SESSIONS, row, small, exact=exact, status=said)


def _with_observed(codes: np.ndarray, table: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate([codes[:, None].astype(table.dtype), table], axis=1))


def arrangements(
    labels: np.ndarray, *, n_draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, bool]:
    """(session, draw): labels exchanged among sessions, first as they are; and whether that is all.

    All different arrangements where there are at most ``n_draws``, random ones otherwise.
    """
    _, counts = np.unique(labels, return_counts=True)
    n_all = factorial(len(labels)) // prod(factorial(int(count)) for count in counts)
    if n_all > n_draws or len(labels) > 8:
        random = np.array([rng.permutation(labels) for _ in range(n_draws)]).reshape(
            -1, len(labels)
        )
        return np.concatenate([labels[None], random]).T, False
    everything = {tuple(one) for one in permutations(labels.tolist())} - {tuple(labels.tolist())}
    return np.array([labels.tolist(), *sorted(everything)]).T, True
