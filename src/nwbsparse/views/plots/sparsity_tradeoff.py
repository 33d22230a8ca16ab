"""Figures 2 and 3 of Naik (2025): how well an embedding is reconstructed by how few latents."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nwbsparse.studies.fits import Fits, as_frame, rows_of
from nwbsparse.views.drawing import BLUE, GREEN, GREY, INK, ORANGE, PALE, SKY, tidy
from nwbsparse.views.plots.marks_of_fits import (
    colours_above,
    cross,
    hollow,
    legend_below,
    panels_of,
    star,
)

FAMILIES = {"standard": SKY, "topk": BLUE, "exponential": ORANGE, "jumprelu": GREEN}
NAMED = {"topk": "TopK", "jumprelu": "JumpReLU", "exponential": "exponential penalty"}
LOWEST = -0.25
"""What is below is drawn at the edge."""


def reconstruction_by_sparsity(fits: xr.Dataset, animal: str, dims: float) -> Axes:
    """Figures 2 and 3: R² of an embedding against the share of active latents, of the whole grid.

    Left: by architecture. Right: by latents per dim.
    """
    frame = as_frame(fits)
    rows = rows_of(frame, "sweep", animal=animal, dims=dims).dropna(subset=["r2"])
    own = rows[rows["control"] == ""]
    figure, panels = panels_of(1, 2, width=4.0, height=3.5, sharey=True)
    by_family, by_size = panels.flat
    for family, colour in FAMILIES.items():
        some = own[own["method"] == family]
        _points(by_family, some, colour, NAMED.get(family, family))
    for colour, expansion in zip(
        (SKY, ORANGE, BLUE), sorted(own["expansion"].unique()), strict=False
    ):
        some = own[own["expansion"] == expansion]
        _points(by_size, some, colour, f"{expansion:g} per dim")
    for ax, title in ((by_family, "by architecture"), (by_size, "by latents per dim")):
        for control, style in (("untrained", {"mfc": "none"}), ("shuffled", {})):
            some = rows[rows["control"] == control]
            marker = "o" if control == "untrained" else "x"
            ax.plot(some["nonzero_ratio"], some["r2"], marker, color=GREY, ms=5, zorder=1, **style)
        smooth = rows_of(frame, "baseline", animal=animal, dims=dims, method="smoothed counts")
        if len(smooth):
            ax.plot(smooth["nonzero_ratio"], smooth["r2"], "*", color=INK, ms=11, zorder=4)
        ax.set_ylim(LOWEST if (rows["r2"] < 0).any() else -0.03, 1.03)
        ax.axhline(0, color=PALE, linewidth=0.8, zorder=0)
        ax.set_xlim(-0.02, max(float(rows["nonzero_ratio"].max()) * 1.05, 0.1))
        tidy(ax, x="share of latents active", y="held-out R²" if ax is by_family else "")
        colours_above(ax, title)
    beside = [hollow("untrained, fitted decoder"), cross("TopK of shuffled dims")]
    if len(rows_of(frame, "baseline", animal=animal, dims=dims)):
        beside.append(star("ridge from counts over 20 bins"))
    if (rows["r2"] < LOWEST).any():
        beside.append(
            Line2D([], [], marker="v", color=GREY, ms=4, ls="none", label="below the axis")
        )
    legend_below(figure, beside)
    return by_family


def _points(ax: Axes, some: Fits, colour: str, label: str) -> None:
    ax.plot(some["nonzero_ratio"], some["r2"], "o", color=colour, label=label, alpha=0.8,
            markeredgewidth=0, ms=5)  # fmt: skip
    below = some[some["r2"] < LOWEST]
    ax.plot(below["nonzero_ratio"], np.full(len(below), LOWEST + 0.02), "v", color=colour, ms=4)
