"""What is claimed of each latent: one p over all variables, the variable it follows, and a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nwbsparse.analysis.association.associate import Association
from nwbsparse.analysis.statistics.false_discovery import false_discovery_rate

NAMED = 0.05
"""p of a variable up to which a latent may be said to follow it."""
FOUND, NOT_FOUND, FEW_DRAWS, NOT_TESTABLE = "found", "not found", "too few draws", "not testable"


@dataclass(frozen=True)
class Claims:
    """By latent."""

    choice: np.ndarray
    """Which variable it follows, or would: −1 where it can be correlated with none."""
    p: np.ndarray
    """Over all variables; NaN where none could be tested."""
    q: np.ndarray
    """Benjamini-Hochberg over latents."""
    status: np.ndarray
    """'found', 'not found', 'too few draws' or 'not testable: why'."""


def claims(associations: Sequence[Association], n_latents: int, alpha: float) -> Claims:
    """One p per latent over the variables that could be tested, and which of them it follows.

    p = 1 − (1 − min p)^V (Šidák) over its V testable variables, q over latents. It is said to
    follow the variable of largest r among those of p ≤ .05; where there is none, of those that
    could be tested; where none could, of all.
    """
    shape = (len(associations), n_latents)
    r = np.array([one.r for one in associations]).reshape(shape)
    p = np.array([one.p for one in associations]).reshape(shape)
    tested = np.isfinite(p)
    n = tested.sum(axis=0)
    least = np.where(tested, p, 1.0).min(axis=0, initial=1.0)
    over_all = np.where(n > 0, 1 - (1 - least) ** np.maximum(n, 1), np.nan)
    q = false_discovery_rate(over_all)
    choice = np.full(n_latents, -1)
    for among in (np.ones(shape, dtype=bool), tested, tested & (np.nan_to_num(p, nan=1) <= NAMED)):
        value = np.where(among & np.isfinite(r), r, -np.inf)
        some = np.isfinite(value).any(axis=0)
        if some.any():
            choice[some] = value.argmax(axis=0)[some]
    status = [
        _status(associations, latent, int(choice[latent]), int(n[latent]), q, alpha)
        for latent in range(n_latents)
    ]
    return Claims(choice, over_all, q, np.array(status, dtype=object))


def _status(
    associations: Sequence[Association],
    latent: int,
    choice: int,
    n: int,
    q: np.ndarray,
    alpha: float,
) -> str:
    if not n:
        return f"{NOT_TESTABLE}: {_why(associations, latent, choice)}"
    if q[latent] < alpha:
        return FOUND
    draws = associations[choice].chance.n[latent]
    smallest = 1 - (1 - 1 / (1 + draws)) ** n
    n_tests = int(np.isfinite(q).sum())
    if n_tests * smallest > alpha and associations[choice].chance.p[latent] <= 2 / (1 + draws):
        return FEW_DRAWS  # the smallest p that these draws can give would not survive alone
    return NOT_FOUND


def _why(associations: Sequence[Association], latent: int, choice: int) -> str:
    if not associations:
        return "there is no variable to compare it with"
    one = associations[max(choice, 0)]
    why = str(one.hindrance[latent])
    if why == "never active":
        return why
    return f"{one.variable.name}: {why}"
