"""Figures of how well a coder does: reconstruction, sparsity, training, and beside its controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from nwbsparse.analysis.behaviour.summary import listed
from nwbsparse.views.drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    axes,
    in_percent,
    plain,
    says_nothing,
    tidy,
)

LEAST_TOP, HALF = 0.05, 0.5
"""Least top of an axis of R²; and that above which the axis goes to 1, where all reports have it."""
MANY = 60
"""Units above which bars become a line of dots."""


def unit_r2(metrics: xr.Dataset, ax: Axes | None = None) -> Axes:
    """How much of each unit's activity the latents explain on held-out bins, best unit first.

    Units that are silent there have no R² and are only counted. Below −0.5 a bar is cut.
    """
    ax = axes(ax, (5.1, 2.6))
    values = metrics["unit_r2"].values
    known = np.sort(values[np.isfinite(values)])[::-1]
    silent, of = len(values) - len(known), str(metrics["unit_r2"].dims[0])
    if not len(known):
        return says_nothing(ax, f"no {of} varies on the held-out bins")
    rank = np.arange(1, len(known) + 1)
    shown = np.maximum(known, -0.5)
    if len(known) <= MANY:
        ax.bar(rank, shown, width=0.8, color=BLUE)
    else:
        ax.plot(rank, shown, ".", color=BLUE, markersize=3)
    ax.axhline(0, color=GREY, linewidth=0.8)
    top = max(1.15 * float(shown.max()), LEAST_TOP)
    ax.set_ylim(min(0.0, float(shown.min()) * 1.1), 1.02 if top > HALF else top)
    ax.set_xlim(0.3, len(known) + 0.7)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    left_out = f"; {silent} silent not shown" if silent else ""
    return tidy(ax, x=f"{of}s, best first ({len(known)} shown{left_out})", y="held-out R²")


def l0_histogram(metrics: xr.Dataset, k: int | None = None, ax: Axes | None = None) -> Axes:
    """How many latents are active in a held-out bin; the line marks the k that was asked for."""
    ax = axes(ax, (5.1, 2.6))
    l0 = metrics["l0"].values.astype(np.int64)
    if not len(l0):
        return says_nothing(ax, "no held-out bins")
    last = max(int(np.percentile(l0, 99.9)), 1)
    width = max(1, -(-(last + 1) // 50))
    edges = np.arange(0, last + 1 + width, width) - 0.5
    n, _ = np.histogram(np.minimum(l0, last), edges)
    ax.bar(edges[:-1] + width / 2, n / len(l0), width=width * 0.92, color=BLUE)
    ax.yaxis.set_major_formatter(in_percent)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if k is not None:
        ax.axvline(k, color=ORANGE, linewidth=1.6)
        at = ax.get_xaxis_transform()
        ax.text(k, 1.01, f"k = {k}", color=INK, fontsize=8, ha="center", va="bottom", transform=at)
    return tidy(ax, x="latents active in a bin (L0)", y="held-out bins")


def density_histogram(metrics: xr.Dataset, ax: Axes | None = None) -> Axes:
    """How often each latent is active: share of held-out bins, on a logarithmic axis."""
    ax = axes(ax, (5.1, 2.6))
    density = metrics["density"].values
    active = density[density > 0]
    if not len(active):
        return says_nothing(ax, "no latent is ever active on the held-out bins")
    low = np.floor(np.log10(active.min()) * 2) / 2
    edges = np.logspace(low, 0, max(round(float(-low) * 6), 1) + 1)
    n, _ = np.histogram(active, edges)
    ax.bar(edges[:-1], n, width=np.diff(edges) * 0.94, align="edge", color=BLUE)
    ax.set_xscale("log")
    ax.set_xlim(edges[0], 1)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if low >= -2 else (1,)))
    ax.xaxis.set_major_formatter(in_percent)
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(which="minor", color=PALE)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    dead = int((density == 0).sum())
    left_out = f" ({dead} never active, not shown)" if dead else ""
    return tidy(ax, x=f"share of held-out bins in which active{left_out}", y="latents")


def training_history(history: Sequence[Mapping[str, Any]], ax: Axes | None = None) -> Axes:
    """The loss on training batches and on validation bins while the coder learned."""
    ax = axes(ax, (5.1, 2.6))
    if not history:
        return says_nothing(ax, "no training history is stored")
    update = [row["update"] for row in history]
    train = np.array([row["train_loss"] for row in history], dtype=np.float64)
    validation = np.array([row["validation_loss"] for row in history], dtype=np.float64)
    ax.plot(update, train, color=PALE, linewidth=1.4, label="training batch")
    ax.plot(update, validation, color=BLUE, linewidth=1.6, label="validation bins")
    best = int(np.nanargmin(validation)) if np.isfinite(validation).any() else 0
    ax.plot(update[best], validation[best], "o", color=ORANGE, markersize=5, label="kept")
    if (train > 0).all() and (validation > 0).all():
        ax.set_yscale("log")
    ax.legend(frameon=False, fontsize=8, labelcolor=INK)
    return tidy(ax, x="updates", y="loss")


def comparison_bars(summary: Mapping[str, Any], variable: str = "", ax: Axes | None = None) -> Axes:
    """How well all latents together tell a variable, beside as many units, components and the rest.

    Bars: share of bins told to within one neighbouring bin (of categories: exactly), mean over
    values, out of fold. The line is chance.

    Args:
        summary: that of the Attribution dataset.
        variable: which; by default the one that most latents follow.
        ax: where to draw.
    """
    ax = axes(ax, (4.8, 2.1))
    told = {name: one["together"] for name, one in listed(summary) if "together" in one}
    variable = variable or next(iter(told), "")
    if variable not in told:
        return says_nothing(ax, "no variable could be told from the latents")
    share, n = told[variable]["share"], told[variable]["n"]
    rows = {
        f"{n} latents": "latents", f"{n} best units": "units", f"{n} units that add most": "forward",
        f"{n} components": "components", f"{n} untrained latents": "untrained",
        "all units": "all_units",
    }  # fmt: skip
    rows |= {f"{n} of {plain(key, most=16)}": key for key in share if key not in rows.values()}
    at = np.arange(len(rows))
    values = [share[key] for key in rows.values()]
    ax.barh(at, values, height=0.62, color=[BLUE, *[GREY] * (len(rows) - 1)])
    for y, value in zip(at.tolist(), values, strict=True):
        said = f"{value:.0%}".replace("%", " %")
        ax.text(value + 0.015, y, said, va="center", fontsize=8.5, color=INK, zorder=4,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})  # fmt: skip
    chance = told[variable]["chance"]
    ax.axvline(chance, color=INK, linewidth=1, linestyle=(0, (3, 2)))
    ax.text(chance, -0.62, "chance", fontsize=7.5, color=INK, ha="center", va="bottom")
    ax.set_yticks(at, list(rows))
    ax.invert_yaxis()
    ax.set_xlim(0, 1.12)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    tidy(ax, x=f"{plain(variable, most=24)} told right")
    ax.tick_params(axis="y", labelsize=8.5, length=0)
    return ax
