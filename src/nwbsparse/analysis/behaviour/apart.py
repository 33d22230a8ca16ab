"""Which of several variables a found latent follows, or that they cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.analysis.association.associate import Association
from nwbsparse.analysis.association.design import Design, Detrended
from nwbsparse.analysis.behaviour.claims import FOUND, NAMED, Claims
from nwbsparse.analysis.behaviour.partial import beyond

BEYOND = 0.05
"""p from which on a latent is said to follow a variable beyond its rivals."""


def told_apart(
    activity: Detrended,
    associations: Sequence[Association],
    claimed: Claims,
    design: Design,
) -> dict[str, Any]:
    """For each found latent: what it follows, when the other variables are taken into account.

    Its rivals are the other variables that it is associated with by itself (p ≤ .05).
    ``follows`` is the variable alone where it passes beyond its rivals and none of them beyond the
    others; "X and Y" where several pass; "X or Y" where none does, and so they cannot be told
    apart. ``beyond_r`` and ``beyond_p`` are of the named variable; NaN without rivals.
    """
    n_latents = activity.n_channels
    r, p = np.full(n_latents, np.nan), np.full(n_latents, np.nan)
    follows = np.full(n_latents, "", dtype=object)
    near = np.array([np.nan_to_num(one.p, nan=1.0) <= NAMED for one in associations])
    groups: dict[tuple[int, ...], list[int]] = {}
    for latent in np.flatnonzero(claimed.status == FOUND):
        together = tuple(int(one) for one in np.flatnonzero(near[:, latent]))
        groups.setdefault(together, []).append(int(latent))
    for together, members in groups.items():
        chosen = claimed.choice[members]
        of = [associations[index].variable for index in together]
        if len(together) < 2:
            follows[members] = of[0].name
            continue
        some = activity.some(np.array(members))
        passes = np.zeros((len(together), len(members)), dtype=bool)
        for place, variable in enumerate(of):
            rivals = [one for one in of if one is not variable]
            found = beyond(some, variable, rivals, design)
            if found is None:
                continue
            passes[place] = np.nan_to_num(found.p, nan=1.0) <= BEYOND
            mine = chosen == together[place]
            r[np.array(members)[mine]] = found.r[mine]
            p[np.array(members)[mine]] = found.p[mine]
        for column, latent in enumerate(members):
            named = together.index(int(chosen[column]))
            follows[latent] = _in_words([one.name for one in of], passes[:, column], named)
    return {
        "follows": (names.LATENT, follows),
        "beyond_r": (names.LATENT, r),
        "beyond_p": (names.LATENT, p),
    }


def _in_words(variables: Sequence[str], passes: np.ndarray, named: int) -> str:
    """'X', 'X and Y' or 'X or Y', the named variable first."""
    order = [named, *(at for at in range(len(variables)) if at != named)]
    alone = [variables[at] for at in order if passes[at]]
    if passes[named]:
        return " and ".join(alone)
    return " or ".join([variables[named], *(alone or [variables[at] for at in order[1:]])])
