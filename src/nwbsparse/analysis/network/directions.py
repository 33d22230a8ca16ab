"""Tuning to directions: how much of a latent's activity lies in one of them, or along one axis."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.network.eta_squared import one_hot
from nwbsparse.analysis.network.groups import Groups
from nwbsparse.splice.heads import Head

WORDS = ("orientation", "direction", "angle")
TURNS = (180.0, 360.0)
HALF_TURN = 180.0


def is_direction(name: str, head: Head) -> bool:
    """Whether a head is about directions in degrees: by its name and its values, or by its period."""
    if head.kind == names.CIRCULAR:
        return head.period in TURNS
    named = any(word in name.lower() for word in WORDS)
    return head.kind == names.CATEGORY and named and _degrees(head.values) is not None


def direction_indices(
    activation: np.ndarray, codes: Mapping[str, np.ndarray], groups: Mapping[str, Groups]
) -> xr.Dataset:
    """Orientation and direction index of every latent: lengths of mean vectors, 0 to 1.

    ``osi`` = abs(sum r·exp(2iθ)) / sum r, ``dsi`` = abs(sum r·exp(iθ)) / sum r over the mean activation
    r of each direction (Mazurek et al. 2014), NaN of a latent that is never active or goes below 0.

    Args:
        activation: (trial, latent).
        codes: the group of every trial, per head of directions.
        groups: what the groups are.

    Returns:
        ``osi`` and ``dsi`` over ``latent`` and ``direction_head``.
    """
    osi, dsi = [], []
    for name, group in codes.items():
        there = group >= 0
        member = one_hot(group[there])
        angles = _degrees(groups[name].labels)
        assert angles is not None
        angle = np.radians(angles[: member.shape[1]])
        seen = member.sum(axis=0) > 0
        mean = (member[:, seen].T @ activation[there]) / member[:, seen].sum(axis=0)[:, None]
        total = mean.sum(axis=0)
        sound = (mean >= 0).all(axis=0) & (total > 0)
        total = np.where(sound, total, np.nan)
        osi.append(np.abs(np.exp(2j * angle[seen]) @ mean) / total)
        turns = angles.max() >= HALF_TURN
        dsi.append(np.abs(np.exp(1j * angle[seen]) @ mean) / total if turns else total * np.nan)
    dims = (names.LATENT, "direction_head")
    return xr.Dataset(
        {"osi": (dims, np.stack(osi, axis=1)), "dsi": (dims, np.stack(dsi, axis=1))},
        coords={"direction_head": np.array(list(codes), dtype=object)},
    )


def _degrees(values: tuple[str, ...]) -> np.ndarray | None:
    try:
        return np.array([float(one) for one in values]) if values else None
    except ValueError:
        return None
