"""Dose curves of steering: how far the answer moves to the other condition, and what else it costs."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nwbsparse import names
from nwbsparse.views.drawing import BLUE, GREY, VERMILLION, plain, tidy

LATENTS, RANDOM = "latents", "random latents"


def steering_curves(found: xr.Dataset) -> Axes:
    """A panel per variable whose latents are set: its own answer, and what other variables lose.

    Args:
        found: what :func:`nwbsparse.analysis.network.steering.steering` gave.
    """
    steered = [str(one) for one in found[names.STEERED].values]
    n_columns = min(3, len(steered))
    n_rows = -(-len(steered) // n_columns)
    figure = Figure(figsize=(2.7 * n_columns + 0.4, 2.5 * n_rows + 0.4), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True)
    dose = found[names.DOSE].values
    for ax in grid.flat[len(steered) :]:
        ax.set_axis_off()
    for number, (ax, name) in enumerate(zip(grid.flat, steered, strict=False)):
        own = found.sel({names.REPRESENTATION: LATENTS, names.STEERED: name})
        off = own["off_target"].transpose(names.DOSE, names.HEAD).values
        known = np.isfinite(off).any(axis=0)
        for column in np.flatnonzero(known):
            ax.plot(dose, off[:, column], color=VERMILLION, lw=1, alpha=0.7)
        if RANDOM in found[names.REPRESENTATION].values:
            random = found["target"].sel({names.REPRESENTATION: RANDOM, names.STEERED: name})
            ax.plot(dose, random.values, color=GREY, lw=1, ls="--")
        ax.plot(dose, own["target"].values, color=BLUE, lw=2)
        title = f"{plain(name, most=22)}: {own['outcome'].item()}"
        tidy(ax, x="dose" if number >= len(steered) - n_columns else "", title=title)
        ax.set_ylim(-0.25, 1.35)
    grid.flat[0].set_ylabel("share", fontsize=9)
    return grid.flat[0]
