"""Figures of the units that a latent reads, where it reconstructs others."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nwbsparse import names
from nwbsparse.views.drawing import axes, says_nothing
from nwbsparse.views.plots.units import unit_bars


def read_units(attribution: xr.Dataset, latent: int, *, n: int = 8, ax: Axes | None = None) -> Axes:
    """The units a latent is made from, of a coder that reconstructs others: what each adds to it.

    Bars are ``encoder_attribution``: the mean of what the unit adds to the latent's pre-activation
    while it is active on held-out bins. The number beside a bar is the unit's mean z-score there.
    The ``n`` largest first, without units that are silent on the held-out bins.
    """
    if names.INPUT_UNIT not in attribution.dims:
        why = "this coder reconstructs the units that it reads: see top_units"
        return says_nothing(axes(ax, (2.7, 2.0)), why)
    order = most_read(attribution, latent, n)
    if not len(order):
        return says_nothing(axes(ax, (2.7, 2.0)), "never active on held-out bins")
    added, z = (
        attribution[name].values[latent, order] for name in ("encoder_attribution", "input_z")
    )
    ids = attribution[names.INPUT_UNIT_ID].values[order]
    return unit_bars(
        axes(ax, (2.7, 0.7 + 0.22 * len(order))), added, z, ids, x="added to the latent"
    )


def most_read(attribution: xr.Dataset, latent: int, n: int) -> np.ndarray:
    """The units (positions) that add or take most to or from a latent, largest first."""
    added = attribution["encoder_attribution"].values[latent]
    known = np.isfinite(added)
    size = np.where(known, -np.abs(added), np.inf)
    return np.argsort(size, kind="stable")[: min(n, int(known.sum()))]
