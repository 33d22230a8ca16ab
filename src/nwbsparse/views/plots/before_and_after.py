"""Figures 4 to 6 of Naik (2025): scores of embeddings and of their latents, by k and by size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nwbsparse.studies.fits import Fits, as_frame, made_of, rows_of, trained_on
from nwbsparse.views.drawing import BLUE, GREY, INK, ORANGE, SKY, VERMILLION, tidy
from nwbsparse.views.plots.marks_of_fits import (
    SCORES,
    legend_below,
    panels_of,
)

_OF_K = (SKY, ORANGE, BLUE)
NO_BASELINE = "neuron_paper"
"""Smoothed counts correlate with their own units: no baseline of this score."""
_RING = {"marker": "o", "markerfacecolor": "white"}
_LINES: dict[str, dict[str, Any]] = {
    "": {"color": BLUE, "marker": "o", "linewidth": 1.6, "linestyle": "-", "zorder": 3},
    "untrained": {"color": VERMILLION, "linewidth": 1.0, "linestyle": "--", "zorder": 2} | _RING,
    "shuffled": {"color": GREY, "marker": "x", "linewidth": 1.0, "linestyle": "--", "zorder": 2},
}
_BY_SIZE: dict[str, dict[str, Any]] = {
    "": {"marker": "o", "linewidth": 1.6, "linestyle": "-"},
    "untrained": {"linewidth": 0.9, "linestyle": "--"} | _RING,
    "shuffled": {"marker": "x", "linewidth": 0.9, "linestyle": ":"},
}


def before_and_after(fits: xr.Dataset, scores: Sequence[str]) -> Axes | None:
    """Figures 4 and 5: scores of the embedding, and of its latents for every k.

    Thick: the mean over animals and dims, its bars from the lowest to the highest seed; thin: one
    line per size. None where there is no behaviour.
    """
    frame = as_frame(fits)
    before = trained_on(frame)
    after = rows_of(frame, "analysis")
    if before[list(scores)].dropna().empty or after[list(scores)].dropna().empty:
        return None
    ks = sorted(after["k"].dropna().unique())
    figure, panels = panels_of(1, len(scores), width=3.7, height=3.3)
    at = np.arange(len(ks) + 1)
    for ax, score in zip(panels.flat, scores, strict=True):
        for control in ("shuffled", "untrained", ""):
            start = made_of(frame, control)
            own = after[after["control"] == control]
            if not control:
                _each_size(ax, start, own, score, ks)
            seeds = [own[own["k"] == k].groupby("seed")[score].mean() for k in ks]
            means = [start[score].mean(), *(one.mean() for one in seeds)]
            low = [0.0, *(one.mean() - one.min() for one in seeds)]
            high = [0.0, *(one.max() - one.mean() for one in seeds)]
            ax.errorbar(at, means, yerr=[low, high], capsize=2, ms=5, **_LINES[control])
        smooth = rows_of(frame, "baseline", method="smoothed counts")[score].dropna()
        if len(smooth) and score != NO_BASELINE:
            ax.axhline(smooth.mean(), color=INK, linestyle=":", linewidth=1.2, zorder=0)
        ax.set_xticks(at, ["CEBRA", *(f"k = {k:g}" for k in ks)])
        tidy(ax, y=SCORES[score])
    beside = [
        Line2D([], [], color=BLUE, marker="o", ms=5, label="trained"),
        Line2D([], [], color=SKY, linewidth=0.8, label="each size"),
        Line2D([], [], color=VERMILLION, marker="o", mfc="white", ms=5, ls="--", label="untrained"),
        Line2D([], [], color=GREY, marker="x", ms=5, ls="--", label="shuffled"),
        Line2D([], [], color=INK, ls=":", label="counts over 20 bins"),
    ]
    legend_below(figure, beside)
    return panels.flat[0]


def scores_by_size(fits: xr.Dataset, scores: Sequence[str]) -> Axes | None:
    """Figure 6: scores of latents by dims of the embedding, one line per k.

    None where there is no behaviour.
    """
    frame = as_frame(fits)
    rows = rows_of(frame, "analysis").dropna(subset=list(scores))
    if rows.empty:
        return None
    ks, sizes = sorted(rows["k"].unique()), sorted(rows["dims"].unique())
    figure, panels = panels_of(1, len(scores), width=3.7, height=3.3)
    for ax, score in zip(panels.flat, scores, strict=True):
        for colour, k in zip(_OF_K, ks, strict=False):
            for control in ("shuffled", "untrained", ""):
                own = rows[(rows["k"] == k) & (rows["control"] == control)]
                seeds = own.groupby(["dims", "seed"])[score].mean().unstack("seed")
                mean = seeds.mean(axis=1)
                bars = [mean - seeds.min(axis=1), seeds.max(axis=1) - mean]
                # a little apart: bars at one place would hide each other
                off = 1 + 0.04 * (ks.index(k) - (len(ks) - 1) / 2)
                ax.errorbar(mean.index * off, mean, yerr=bars, capsize=2, ms=5,
                            **{**_BY_SIZE[control], "color": colour})  # fmt: skip
        smooth = rows_of(frame, "baseline", method="smoothed counts")[score].dropna()
        if len(smooth) and score != NO_BASELINE:
            ax.axhline(smooth.mean(), color=INK, linestyle="-.", linewidth=1.0, zorder=0)
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, [f"{size:g}" for size in sizes])
        ax.minorticks_off()
        tidy(ax, x="dims of the embedding", y=SCORES[score])
    beside = [Line2D([], [], color=c, marker="o", ms=5, label=f"k = {k:g}")
              for c, k in zip(_OF_K, ks, strict=False)]  # fmt: skip
    beside += [
        Line2D([], [], color=GREY, marker="o", mfc="white", ms=5, ls="--", label="untrained"),
        Line2D([], [], color=GREY, marker="x", ms=5, ls=":", label="shuffled"),
        Line2D([], [], color=INK, ls="-.", label="counts over 20 bins"),
    ]
    legend_below(figure, beside)
    return panels.flat[0]


def _each_size(ax: Axes, start: Fits, own: Fits, score: str, ks: Sequence[float]) -> None:
    """A thin line per animal and size of the embedding."""
    for _, some in own.groupby(["animal", "dims"]):
        first = start.merge(some[["animal", "dims"]].drop_duplicates())[score].mean()
        line = [first, *(some[some["k"] == k][score].mean() for k in ks)]
        ax.plot(range(len(line)), line, color=SKY, linewidth=0.8, alpha=0.7, zorder=1)
