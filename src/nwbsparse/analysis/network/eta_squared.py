"""Share of the variance of latents that lies between groups of trials (η², eta2)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def eta_squared(
    activation: Float[np.ndarray, "trial latent"], group: Int[np.ndarray, " trial"]
) -> Float[np.ndarray, " latent"]:
    """η² = variance between the means of groups over all variance; 0 of a latent that never changes.

    Args:
        activation: of trials (or sessions).
        group: −1 are left out.
    """
    there = group >= 0
    activation, group = activation[there].astype(np.float64), group[there]
    if not len(group):
        return np.zeros(activation.shape[1])
    centred = activation - activation.mean(axis=0)
    return _between(centred, one_hot(group)) / _around(centred)


def eta_squared_of_many(
    activation: Float[np.ndarray, "trial latent"], groups: Int[np.ndarray, "draw trial"]
) -> Float[np.ndarray, "draw latent"]:
    """The same for many groupings of the same trials."""
    centred = activation.astype(np.float64) - activation.mean(axis=0)
    around = _around(centred)
    return np.stack([_between(centred, one_hot(group)) / around for group in groups])


def one_hot(group: Int[np.ndarray, " trial"]) -> Float[np.ndarray, "trial group"]:
    """(trial, group) 1 where a trial is in a group."""
    return np.eye(int(group.max(initial=-1)) + 1)[group]


def _between(centred: np.ndarray, member: np.ndarray) -> np.ndarray:
    n = member.sum(axis=0)
    sums = member[:, n > 0].T @ centred
    return (sums**2 / n[n > 0, None]).sum(axis=0)


def _around(centred: np.ndarray) -> np.ndarray:
    """Sum of squares; infinite where there are none, so that a share of it is 0."""
    total = (centred**2).sum(axis=0)
    return np.where(total > 1e-12, total, np.inf)
