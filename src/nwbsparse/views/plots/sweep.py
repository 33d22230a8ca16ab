"""The fits of a sweep, drawn: what sparsity costs, and what size gives."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nwbsparse.studies.choice import HIDDEN, L0, R2, choose, front_of
from nwbsparse.views.drawing import BLUE, GREY, INK, PALE, VERMILLION, axes, says_nothing, tidy


def sweep_pareto(table: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Each fit's reconstruction against how many latents it needs in a bin, on validation bins.

    The line joins the fits that no other beats in both. The options that the rule takes are marked.

    Args:
        table: what :func:`nwbsparse.sweep` returned.
        ax: where to draw; a new figure when absent.
    """
    ax = axes(ax, (4.2, 3.0))
    if R2 not in table or not np.isfinite(table[R2].values).any():
        return says_nothing(ax, "no fit has a reconstruction yet")
    x, y = table[L0].values, table[R2].values
    ax.plot(x, y, "o", color=BLUE, markersize=3.5, alpha=0.6, label="fits")
    front = front_of(table)
    ax.plot(x[front], y[front], color=GREY, linewidth=1, zorder=0, label="none is better in both")
    _mark(ax, table, x, y)
    return tidy(ax, x="active latents per bin", y="R² of validation bins")


def sweep_sizes(table: xr.Dataset, ax: Axes | None = None) -> Axes:
    """How well each fit tells units that it does not see, against its number of latents.

    The line joins the means of each size; what reaches the dotted line, 95 % of the best
    combination, will do. Bars are standard errors over blocks of validation bins.

    Args:
        table: what :func:`nwbsparse.sweep` returned, with the metric "hidden_units".
        ax: where to draw; a new figure when absent.
    """
    ax = axes(ax, (4.2, 3.0))
    if HIDDEN not in table or not np.isfinite(table[HIDDEN].values).any():
        return says_nothing(ax, "hidden units were not asked for, or no coder learned to tell them")
    x, y = table["n_latents_used"].values.astype(float), table[HIDDEN].values
    known = np.isfinite(y)
    ax.errorbar(
        x[known], y[known], yerr=table[f"{HIDDEN}_se"].values[known], fmt="o", color=BLUE, markersize=3.5,
        alpha=0.6, elinewidth=0.5,
    )  # fmt: skip
    sizes = np.unique(x[known])
    ax.plot(sizes, [y[known & (x == one)].mean() for one in sizes], color=PALE, linewidth=1.2)
    _mark(ax, table, x, y)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [f"{one:g}" for one in sizes])
    ax.minorticks_off()
    return tidy(ax, x="latents", y="R² of hidden units")


def _mark(ax: Axes, table: xr.Dataset, x: np.ndarray, y: np.ndarray) -> None:
    if (choice := choose(table)) is not None:
        at = list(choice.fits)
        ax.plot(
            x[at], y[at], "o", markersize=9, markerfacecolor="none", markeredgecolor=VERMILLION,
            label="chosen",
        )  # fmt: skip
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize=8, labelcolor=INK, loc="best")
