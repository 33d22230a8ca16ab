"""How many of the latents that are selective for a variable to take, from validation trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Int

from nwbsparse.analysis.network.selective import Eta2, ranked

COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def choose(
    eta2: Eta2,
    head: int,
    index_of: Callable[[Sequence[int]], float],
    *,
    counts: Sequence[int] = COUNTS,
) -> Int[np.ndarray, " chosen"]:
    """The latents to be taken for a variable: the most selective ones, as many as serve best.

    Args:
        eta2: (variable, latent) on training trials: the order in which they are taken.
        head: number of the variable.
        index_of: what taking some of them is worth on validation trials; the largest wins, of several the
            one with the fewest latents. NaN is worth nothing.
        counts: how many are tried.
    """
    order = ranked(eta2, head)
    tried = sorted({min(n, len(order)) for n in counts})
    worth = np.nan_to_num([index_of(order[:n].tolist()) for n in tried], nan=-np.inf)
    return order[: tried[int(np.argmax(worth))]]
