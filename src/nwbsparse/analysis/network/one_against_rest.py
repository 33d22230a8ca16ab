"""AUROC of every latent for every group of trials against all others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from scipy.stats import rankdata

from nwbsparse import names
from nwbsparse.analysis.network.eta_squared import one_hot
from nwbsparse.analysis.network.groups import Groups


def auroc_of_groups(
    activation: np.ndarray, codes: Mapping[str, np.ndarray], groups: Mapping[str, Groups]
) -> xr.Dataset:
    """How well each latent tells each group from the rest: probability that it is more active there.

    Args:
        activation: (trial, latent).
        codes: the group of every trial, per variable.
        groups: what the groups are.

    Returns:
        ``auroc(latent, condition)``, ties counting half, NaN of a group without trials; coordinates
        ``condition_variable`` and ``condition_name`` over ``condition``.
    """
    columns, variables, labels = [], [], []
    for name, group in codes.items():
        there = group >= 0
        rank = rankdata(activation[there], axis=0)
        member = np.zeros((int(there.sum()), len(groups[name])))
        made = one_hot(group[there])
        member[:, : made.shape[1]] = made
        n_in = member.sum(axis=0)[:, None]
        n_out = len(member) - n_in
        with np.errstate(invalid="ignore", divide="ignore"):
            columns.append((member.T @ rank - n_in * (n_in + 1) / 2) / (n_in * n_out))
        variables += [name] * len(groups[name])
        labels += list(groups[name].labels)
    return xr.Dataset(
        {"auroc": ((names.LATENT, names.CONDITION), np.concatenate(columns).T)},
        coords={
            "condition_variable": (names.CONDITION, np.array(variables, dtype=object)),
            "condition_name": (names.CONDITION, np.array(labels, dtype=object)),
        },
    )
