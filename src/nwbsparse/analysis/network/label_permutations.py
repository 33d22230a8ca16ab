"""How often permuted labels differ as much: over trials within sessions, or over sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from nwbsparse.analysis.network.eta_squared import eta_squared, eta_squared_of_many
from nwbsparse.analysis.network.shuffled_labels import shuffled

SHUFFLES = 50
"""Permutations that are looked at as if they were the labels."""


@dataclass(frozen=True)
class Tested:
    """What permutations of the labels of one variable say."""

    p: Float[np.ndarray, " latent"]
    """Share of permutations (and the labels themselves) with an η² as large; 1 where nothing varies."""
    session_eta2: Float[np.ndarray, " latent"]
    """η² of session means; NaN of a variable that varies within sessions."""
    n_cases: int
    """Trials, or sessions."""
    by_chance: Float[np.ndarray, "draw latent"]
    """η² of permuted labels, of the cases."""
    trial_by_chance: Float[np.ndarray, "shuffle latent"]
    """η² of trials under those permutations that are looked at by themselves."""

    def shuffled_selective(
        self, others: Float[np.ndarray, "latent other"], alpha: float, least: float
    ) -> float:
        """How many latents would be called selective for permuted labels, in the mean.

        Args:
            others: η² of the other variables.
            alpha, least: bounds of p and of η².
        """
        if not len(self.trial_by_chance):
            return 0.0
        largest = others.max(axis=1, initial=0.0)
        ordered = np.sort(self.by_chance, axis=0)
        n = len(ordered)
        found = []
        for drawn, of_trials in zip(self.by_chance, self.trial_by_chance, strict=False):
            above = np.array(
                [n - np.searchsorted(ordered[:, at], one - 1e-12) for at, one in enumerate(drawn)]
            )
            p = (above + 1) / (n + 1)
            found.append(np.sum((p < alpha) & (of_trials >= least) & (of_trials > largest)))
        return float(np.mean(found))


def permutation_p(
    activation: Float[np.ndarray, "trial latent"],
    group: Int[np.ndarray, " trial"],
    session: Int[np.ndarray, " trial"],
    *,
    constant: bool,
    n: int,
    rng: np.random.Generator,
) -> Tested:
    """Test whether latents differ between groups.

    Args:
        activation: of each trial.
        group: −1 are left out.
        session: number of its session.
        constant: whether a session has one group: then sessions are the cases.
        n: permutations.
        rng: draws them.
    """
    there = group >= 0
    activation, group, session = activation[there], group[there], session[there]
    if not constant:
        drawn = np.stack([shuffled(group, session, over=False, rng=rng) for _ in range(n)])
        by_chance = eta_squared_of_many(activation, drawn)
        p = _share_as_large(by_chance, eta_squared(activation, group))
        none = np.full(activation.shape[1], np.nan)
        return Tested(p, none, len(group), by_chance, by_chance[:SHUFFLES])
    which, first, number = np.unique(session, return_index=True, return_inverse=True)
    means = np.stack([activation[session == one].mean(axis=0) for one in which])
    own = group[first]
    drawn = np.stack([rng.permutation(own) for _ in range(n)])
    by_chance = eta_squared_of_many(means, drawn)
    of_sessions = eta_squared(means, own)
    trials = eta_squared_of_many(activation, drawn[:SHUFFLES][:, number])
    return Tested(_share_as_large(by_chance, of_sessions), of_sessions, len(own), by_chance, trials)


def _share_as_large(by_chance: np.ndarray, found: np.ndarray) -> np.ndarray:
    # a rounding error must not make the same grouping, drawn by chance, look smaller
    as_large = (by_chance >= found - 1e-12).sum(axis=0)
    return (as_large + 1) / (len(by_chance) + 1)
