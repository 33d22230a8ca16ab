"""Figures of the conditions a latent prefers: bars of one latent, beside all the others."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nwbsparse.views.drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    SKY,
    axes,
    in_percent,
    plain,
    says_nothing,
    tidy,
)

CONDITIONS = 10
"""Conditions that are shown at most."""
OTHERS = 100
"""Latents of the population that are drawn as dots at most, evenly spaced over all."""


def condition_bars(
    attribution: xr.Dataset,
    latent: int,
    variable: str,
    *,
    condition: str = "",
    ax: Axes | None = None,
) -> Axes:
    """How often a latent is active inside each condition of a variable and outside it, held out.

    At the right the AUROC of its activation; ▸ marks the condition that was tested. At most ten
    conditions, those furthest from an AUROC of one half.
    """
    mine = _furthest(attribution, "auroc", latent, variable)
    ax = axes(ax, (3.9, 0.9 + 0.36 * len(mine)))
    if not len(mine):
        return says_nothing(ax, "this variable has no conditions")
    inside = attribution["p_in"].values[latent, mine]
    outside = attribution["p_out"].values[latent, mine]
    at = np.arange(len(mine))
    ax.barh(at - 0.19, inside, height=0.36, color=BLUE, label="in the condition")
    ax.barh(at + 0.19, outside, height=0.36, color=PALE, label="outside it")
    labels = attribution["condition_name"].values[mine]
    said = [f"{'▸ ' if name == condition else ''}{plain(name, most=24)}" for name in labels]
    ax.set_yticks(at, said)
    ax.set_ylim(len(mine) - 0.45, -0.55)
    top = max(float(np.nan_to_num([*inside, *outside]).max()), 1e-6)
    ax.set_xlim(0, top * 1.05)
    for y, value in zip(at.tolist(), attribution["auroc"].values[latent, mine], strict=True):
        text = f"{value:.2f}" if np.isfinite(value) else "–"
        ax.text(
            1.02, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8, color=INK
        )
    ax.text(1.02, 1.01, "AUROC", transform=ax.transAxes, fontsize=8, color=GREY, va="bottom")
    ax.xaxis.set_major_formatter(in_percent)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.legend(
        frameon=False, fontsize=8, labelcolor=INK, ncols=2, loc="lower left", bbox_to_anchor=(-0.02, 0.98),
        borderaxespad=0.2, handlelength=1.2,
    )  # fmt: skip
    ax.tick_params(axis="y", length=0)
    tidy(ax, x="held-out bins in which the latent is active")
    ax.set_title(plain(variable), fontsize=9, color=INK, loc="left", pad=20)
    return ax


def selectivity_bars(
    attribution: xr.Dataset,
    latent: int,
    variable: str,
    *,
    condition: str = "",
    ax: Axes | None = None,
) -> Axes:
    """How selective a latent is for each condition of a variable, beside all other latents.

    Bars start at 0.5, which is none: selectivity is p_in / (p_in + p_out) on held-out bins (NLDisco,
    equations 1 to 3). Dots are the other latents (of more than 100 evenly spaced ones, which is
    said); a line across a bar is the mean under the null where there is one; ▸ marks the condition
    that was tested. Conditions that cannot be assessed for this latent have no bar but '–'. At most
    ten conditions, those furthest from one half.
    """
    mine = _furthest(attribution, "selectivity", latent, variable)
    ax = axes(ax, (3.9, 1.1 + 0.3 * len(mine)))
    if not len(mine):
        return says_nothing(ax, "this variable has no conditions")
    table = attribution["selectivity"].values[:, mine]
    others = np.delete(np.arange(len(table)), latent)
    shown = others[:: max(1, -(-len(others) // OTHERS))]
    at = np.arange(len(mine))
    own = ax.barh(
        at, table[latent] - 0.5, left=0.5, height=0.6, color=SKY, label=f"latent {latent}"
    )
    # dots side by side rather than on each other: the same places in every drawing
    beside = np.linspace(-0.26, 0.26, 7)[np.arange(len(shown)) * 3 % 7]
    dots = np.tile(beside[:, None], (1, len(mine))) + at
    said = (
        "other latents" if len(shown) == len(others) else f"{len(shown)} of {len(others):,} others"
    )
    if len(shown):
        ax.plot(
            table[shown].ravel(), dots.ravel(), ".", color=INK, markersize=4.5, alpha=0.5, label=said,
            markeredgewidth=0,
        )  # fmt: skip
    if "selectivity_null_mean" in attribution:
        null = attribution["selectivity_null_mean"].values[latent, mine]
        ax.plot(null, at, "|", color=ORANGE, markersize=13, markeredgewidth=1.8, label="null mean")
    ax.axvline(0.5, color=GREY, linewidth=0.8)
    for y, value in zip(at.tolist(), table[latent], strict=True):
        text = f"{value:.2f}" if np.isfinite(value) else "–"
        ax.text(
            1.02, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8, color=INK
        )
    labels = attribution["condition_name"].values[mine]
    ax.set_yticks(
        at, [f"{'▸ ' if name == condition else ''}{plain(name, most=24)}" for name in labels]
    )
    ax.set_ylim(len(mine) - 0.45, -0.55)
    ax.set_xlim(0, 1)
    handles = [own, *ax.lines[:-1]]  # all but the line at one half
    ax.legend(
        handles=handles, frameon=False, fontsize=8, labelcolor=INK, ncols=3, loc="lower left",
        bbox_to_anchor=(-0.02, 0.98), borderaxespad=0.2, handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip
    ax.tick_params(axis="y", length=0)
    tidy(ax, x="selectivity (0.5: none)")
    ax.set_title(plain(variable), fontsize=9, color=INK, loc="left", pad=20)
    return ax


def _furthest(attribution: xr.Dataset, measure: str, latent: int, variable: str) -> np.ndarray:
    """The conditions of a variable in their order: those in which the latent is furthest from 0.5."""
    if measure not in attribution:
        return np.empty(0, dtype=np.int64)
    mine = np.flatnonzero(attribution["condition_variable"].values == variable)
    distance = np.abs(attribution[measure].values[latent, mine] - 0.5)
    order = np.argsort(-np.nan_to_num(distance, nan=-1.0), kind="stable")[:CONDITIONS]
    return mine[np.sort(order)]
