"""Labels that were permuted: within each session, or, of what is one per session, over sessions."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int


def shuffled(
    group: Int[np.ndarray, " trial"],
    session: Int[np.ndarray, " trial"],
    *,
    over: bool,
    rng: np.random.Generator,
) -> Int[np.ndarray, " trial"]:
    """The same labels for other trials.

    Args:
        group: of each trial.
        session: number of its session.
        over: whether a session has one label, which goes to another session as it is.
        rng: draws.
    """
    which, first, number = np.unique(session, return_index=True, return_inverse=True)
    if over:
        return group[first][rng.permutation(len(which))][number]
    drawn = group.copy()
    for one in which:
        at = np.flatnonzero(session == one)
        drawn[at] = group[rng.permutation(at)]
    return drawn
