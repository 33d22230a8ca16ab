"""Associations and claims as variables of the Attribution dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.analysis.association.associate import Association
from nwbsparse.analysis.behaviour.claims import Claims

CANDIDATE = "candidate"


def claim_columns(associations: Sequence[Association], claimed: Claims) -> dict[str, Any]:
    """What is said of each latent: the variable that it follows, r, interval, chance, p and q."""
    n = len(claimed.choice)
    numbers = {
        key: np.full(n, np.nan)
        for key in ("association", "association_low", "association_high", "association_half_1",
                    "association_half_2", "association_null_mean", "association_null_std",
                    "association_independent")
    }  # fmt: skip
    draws = np.zeros(n, dtype=np.int64)
    variable, condition, kind = (np.full(n, "", dtype=object) for _ in range(3))
    for index in np.unique(claimed.choice[claimed.choice >= 0]):
        here = claimed.choice == index
        one = associations[index]
        assert one.fit is not None, "what is chosen has an r"
        low, high = one.fit.interval()
        columns = (
            one.fit.r, low, high, one.fit.halves[:, 0], one.fit.halves[:, 1], one.chance.mean,
            one.chance.std, one.independent,
        )  # fmt: skip
        for key, values in zip(numbers, columns, strict=True):
            numbers[key][here] = values[here]
        draws[here] = one.chance.n[here]
        variable[here], kind[here] = one.variable.name, one.kind
        if one.variable.kind == names.CATEGORICAL:
            condition[here] = np.array(one.variable.labels, dtype=object)[one.fit.peak[here]]
    latent = names.LATENT
    return {
        "best_variable": (latent, variable),
        "best_condition": (latent, condition),
        **{key: (latent, values) for key, values in numbers.items()},
        "association_draws": (latent, draws),
        "association_kind": (latent, kind),
        "association_p": (latent, claimed.p),
        "association_q": (latent, claimed.q),
        "association_status": (latent, claimed.status),
    }


def variable_columns(associations: Sequence[Association], n_latents: int) -> dict[str, Any]:
    """Every latent with every variable: r, interval, chance, p, and how long its memory is."""
    made: dict[str, list[np.ndarray]] = {
        key: [] for key in ("r", "r_low", "r_high", "r_p", "r_null_mean", "r_null_std",
                            "r_independent", "r_memory")
    }  # fmt: skip
    nothing = np.full(n_latents, np.nan)
    for one in associations:
        low, high = (nothing, nothing) if one.fit is None else one.fit.interval()
        columns = (
            one.r, low, high, one.p, one.chance.mean, one.chance.std, one.independent, one.memory
        )  # fmt: skip
        for key, values in zip(made, columns, strict=True):
            made[key].append(values)
    both = (names.LATENT, CANDIDATE)
    shape = (len(associations), n_latents)
    names_of = np.array([one.variable.name for one in associations], dtype=object)
    return {
        **{key: (both, np.array(rows).reshape(shape).T) for key, rows in made.items()},
        "candidate_variable": (CANDIDATE, names_of),
        "candidate_condition": (CANDIDATE, np.full(len(associations), "", dtype=object)),
    }
