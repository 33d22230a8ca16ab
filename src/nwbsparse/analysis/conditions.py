"""Latent ↔ condition: how often a latent is active inside a condition and outside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import rankdata

from nwbsparse import names
from nwbsparse.analysis.coding import Coded

THIRDS = ("low", "middle", "high")


@dataclass(frozen=True)
class ConditionEffects:
    """(latent, condition) effect sizes; NaN where a condition does not occur or fills everything."""

    labels: tuple[tuple[str, str], ...]
    """(variable, condition) of each column."""
    p_in: np.ndarray
    """Share of the condition's bins in which the latent is active; also its coverage."""
    p_out: np.ndarray
    """The same outside the condition; 1 − p_out is the specificity."""
    selectivity: np.ndarray
    """p_in / (p_in + p_out): 0.5 says nothing (Bhagat 2025, eqs 1-3)."""
    precision: np.ndarray
    """Share of the latent's active bins that lie in the condition."""
    auroc: np.ndarray
    """Probability that a bin of the condition has the larger activation; ties count half."""
    n_in: np.ndarray
    """(condition,) bins of the condition."""


def as_conditions(variables: Sequence[Coded]) -> list[Coded]:
    """Categorical variables as they are, continuous ones cut into thirds (low, middle, high)."""
    made = []
    for variable in variables:
        if variable.kind == names.CATEGORICAL:
            made.append(variable)
        elif variable.kind == names.CONTINUOUS:
            thirds = np.minimum(variable.codes * 3 // variable.size, 2)
            codes = np.where(variable.codes >= 0, thirds, -1).astype(np.int32)
            made.append(replace(variable, codes=codes, labels=THIRDS))
    return made


def condition_effects(
    activation: np.ndarray, variables: Sequence[Coded], bins: np.ndarray
) -> ConditionEffects:
    """Effect sizes of every condition of every variable on the given bins.

    ``activation`` is (bin, latent), of these bins. "Outside" are the bins where the variable is
    known but has another value: outside a trial nothing is compared.
    """
    labels: list[tuple[str, str]] = []
    columns: dict[str, list[np.ndarray]] = {
        key: [] for key in ("p_in", "p_out", "precision", "auroc")
    }
    n_in: list[int] = []
    for variable in variables:
        codes = variable.codes[bins]
        known = codes >= 0
        inside = np.arange(variable.size)[:, None] == codes[known]
        values = activation[known]
        active = (values > 0).astype(np.float64)
        ranks = rankdata(values, axis=0) if len(values) else values
        n, total = inside.sum(axis=1), len(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            hits = inside.astype(np.float64) @ active
            columns["p_in"].append(hits / n[:, None])
            columns["p_out"].append((active.sum(axis=0) - hits) / (total - n)[:, None])
            columns["precision"].append(hits / active.sum(axis=0))
            above = inside.astype(np.float64) @ ranks - (n * (n + 1) / 2)[:, None]
            columns["auroc"].append(above / (n * (total - n))[:, None])
        labels += [(variable.name, label) for label in variable.labels]
        n_in += list(n)
    stacked = {
        key: np.concatenate(parts).T if parts else np.empty((activation.shape[1], 0))
        for key, parts in columns.items()
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        selectivity = stacked["p_in"] / (stacked["p_in"] + stacked["p_out"])
    return ConditionEffects(tuple(labels), selectivity=selectivity, n_in=np.array(n_in), **stacked)
