"""Nulls: how the codes of a variable are rearranged under chance, ours and those that others registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nwbsparse.analysis.association.draws import Table
from nwbsparse.analysis.association.exchange import Exchanges
from nwbsparse.analysis.association.shifts import make_shifts
from nwbsparse.roles import Registry

SHIFT, EXCHANGE = "shift", "exchange"
BINS, LABELS, BOTH = "bins", "trials", "both"
"""What a null can rearrange: bins in time, labels of trials, or either."""
CALLED_WITH = ("codes", "session", "least", "n_draws", "seed")

NULLS = Registry("null", called_with=CALLED_WITH, facts={"rows": BOTH})
"""Functions ``(codes, session, least, n_draws, seed) → Rearranged`` by the word of ``nulls=``.

``codes`` (row,) of the variable, ``session`` (row,) that each row is of, in the order of time; rows are
bins, or trials where labels are constant in them. ``least``: rows after which the variable has forgotten
itself, three of its memories. ``seed``: numbers for a generator of random numbers.
"""


@dataclass(frozen=True)
class Rearranged:
    """Codes under chance: as many draws as there are, made when they are asked for."""

    table: Table
    """Numbers of draws → (row, draw) codes; a draw is the same whatever is asked for beside it."""
    n: int
    """Draws that there are."""
    alike: bool = False
    """Whether draws are alike, as neighbouring shifts are: p then trusts no more tail than as many
    independent stretches give as the recording has."""
    usable: Callable[[np.ndarray], np.ndarray] | None = None
    """(channel,) rows that a draw must lie away → (channel, draw) bool; None: all draws count."""


@NULLS.register(SHIFT, rows=BINS)
def shifted(
    codes: np.ndarray, session: np.ndarray, least: int, n_draws: int, seed: tuple[int, ...]
) -> Rearranged:
    """Codes shifted in a circle, evenly spaced; nothing is random."""
    del seed
    made = make_shifts(codes, session, least, n_draws)
    return Rearranged(made.table, len(made.distance), alike=True, usable=made.usable)


@NULLS.register(EXCHANGE, rows=LABELS)
def exchanged(
    codes: np.ndarray, session: np.ndarray, least: int, n_draws: int, seed: tuple[int, ...]
) -> Rearranged:
    """Labels exchanged among ten neighbouring trials, however far apart trials are alike."""
    del least
    return Rearranged(Exchanges(codes, session, seed).table, n_draws)
