"""How many of the latents that are selective for a variable to take, from validation trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Int

from nwbsparse.analysis.network.selective import Eta2, ranked

COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
AS_GOOD = 0.02
"""What an index may be below the largest to be as good: a few trials of validation."""


def choose(
    eta2: Eta2,
    head: int,
    index_of: Callable[[Sequence[int]], float],
    *,
    among: Bool[np.ndarray, " latent"] | None = None,
    counts: Sequence[int] = COUNTS,
) -> Int[np.ndarray, " chosen"]:
    """The latents to be taken for a variable: the most selective ones, as many as serve best.

    Args:
        eta2: (variable, latent) on training trials: the order in which they are taken.
        head: number of the variable.
        index_of: what taking some of them is worth on validation trials. The fewest latents that are worth
            as much as the best number, give or take .02, are taken. NaN is worth nothing.
        among: which latents may be taken; all when left open.
        counts: how many are tried.

    Returns:
        Their numbers, the most selective first; none where none may be taken.
    """
    order = ranked(eta2, head)
    order = order if among is None else order[among[order]]
    if not len(order):
        return order
    tried = sorted({min(n, len(order)) for n in counts})
    worth = np.nan_to_num([index_of(order[:n].tolist()) for n in tried], nan=-1e9)
    return order[: tried[int(np.argmax(worth >= worth.max() - AS_GOOD))]]
