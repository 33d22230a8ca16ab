"""Figures that set things side by side: seeds, inputs of decoders, what was said and what was so."""

from __future__ import annotations

from itertools import product

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.analysis.quality.stability import SAME
from nwbsparse.errors import unknown
from nwbsparse.views.drawing import (
    CYCLE,
    GREEN,
    GREY,
    INK,
    NEVER,
    PALE,
    axes,
    plain,
    says_nothing,
    tidy,
)

COLUMNS = 400
"""Latents of the stability matrix at most."""
CUT = -0.25
"""Scores below are drawn at the left edge as an arrow."""
TARGETS = 30
"""Behaviours that are shown at most."""
WRITTEN = 12
"""Classes up to which a confusion matrix has its numbers written in it."""


def stability_matrix(stability: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Which latents come back when training starts from other weights, seed by seed.

    One column per latent, most recurrent first, one row per other seed: the darker, the more the
    activations of a latent and its partner there agree (correlation on held-out bins, 0 and less is
    white; grey where one of them is never active). A dot says that it was found again: the
    dictionary match exceeds chance and the activations correlate by 0.7 or more. The green bar
    spans the stable latents. Of more than 400 latents evenly spaced ones are shown, which is said.

    Args:
        stability: what :func:`nwbsparse.stability` gave.
        ax: where to draw.
    """
    agreement = stability["agreement"].values
    n, n_seeds = agreement.shape
    ax = axes(ax, (7.0, 1.1 + 0.32 * n_seeds))
    if not n or not n_seeds:
        return says_nothing(ax, "there is no other seed to compare with")
    with np.errstate(invalid="ignore"):
        again = (stability["match"].values > stability.attrs["chance_match"]) & (agreement >= SAME)
    recurrence = stability["recurrence"].values
    typical = np.nan_to_num(agreement, nan=-1.0).mean(axis=1)
    order = np.lexsort((-typical, -recurrence))
    some = order[np.unique(np.linspace(0, n - 1, min(n, COLUMNS)).astype(int))]
    picture = np.ma.masked_invalid(agreement[some].T)
    scale = Normalize(0, 1)
    ax.set_facecolor(NEVER)
    ax.imshow(picture, cmap="Blues", norm=scale, aspect="auto", interpolation="none")
    column, row = np.nonzero(again[some])
    size = float(np.clip(300 / len(some), 1.2, 5))
    ax.autoscale(enable=False)
    ax.plot(column, row, "o", color="white", markersize=size, markeredgewidth=0)
    stable = np.flatnonzero(stability["stable"].values[some])
    if len(stable):
        ax.plot([-0.5, stable.max() + 0.5], [1.06, 1.06], color=GREEN, linewidth=3,
                transform=ax.get_xaxis_transform(), solid_capstyle="butt", clip_on=False)  # fmt: skip
    n_stable = int(stability["stable"].values.sum())
    colour = " (green)" if n_stable else ""
    title = f"{n_stable:,} of {n:,} stable{colour}; dots: found again in that seed"
    ax.set_title(title, fontsize=8.5, color=INK, loc="left", pad=11)
    ax.set_yticks(range(n_seeds), [str(one) for one in stability["seed"].values])
    if len(some) <= 60:
        ax.set_xticks(range(len(some)), [str(one) for one in stability[names.LATENT].values[some]])
    else:
        ax.set_xticks([])
    shown = f"{len(some)} of {n:,} latents" if len(some) < n else "latents"
    tidy(ax, x=f"{shown}, most recurrent first", y="seed")
    ax.tick_params(length=0)
    if len(some) <= 60:
        ax.tick_params(axis="x", labelsize=6.5, rotation=90 if len(some) > 30 else 0)
    figure = ax.get_figure()
    assert figure is not None
    bar = figure.colorbar(ScalarMappable(scale, "Blues"), ax=ax, fraction=0.03, pad=0.02)
    bar.set_label("agreement (r)", fontsize=8.5, color=INK)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    bar.ax.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=2)
    return ax


def decoding_comparison(scores: xr.Dataset, ax: Axes | None = None) -> Axes:
    """How well behaviour is decoded from counts, latents and what else, side by side, held out.

    Left: covariates, R². Right: conditions, balanced accuracy, with a line at chance. Scores below
    −0.25 are drawn at the left edge as arrows. Behaviours that could not be assessed are listed with
    '–'. At most thirty behaviours per panel, those that are decoded best. The panels are children of
    the returned axes.

    Args:
        scores: what ``decode`` gave.
        ax: where to draw.
    """
    categorical = scores[names.KIND].values == names.CATEGORICAL
    panels = [(np.flatnonzero(~categorical), "r2", "held-out R²"),
              (np.flatnonzero(categorical), "balanced_accuracy", "held-out balanced accuracy")]  # fmt: skip
    panels = [one for one in panels if len(one[0])]
    rows = max([min(len(one[0]), TARGETS) for one in panels], default=1)
    high = 1.15 + 0.3 * rows
    ax = axes(ax, (4.8 * max(len(panels), 1), high))
    ax.set_axis_off()
    if not panels:
        return says_nothing(ax, "no behaviour was decoded")
    inputs = [str(name) for name in scores["input"].values]
    wide = 1 / len(panels)
    for at, (targets, measure, label) in enumerate(panels):
        best = np.nan_to_num(scores[measure].values[:, targets].max(axis=0), nan=-np.inf)
        targets = targets[np.argsort(-best, kind="stable")[:TARGETS]]
        share = min(len(targets), TARGETS) / rows
        bottom, top = 0.5 / high, 1 - 0.45 / high
        height = max((top - bottom) * share, 0.12)
        panel = ax.inset_axes((wide * (at + 0.43), top - height, wide * 0.55, height))
        _decoded(panel, scores, targets, measure)
        n = int((categorical if measure != "r2" else ~categorical).sum())
        more = f" ({len(targets)} of {n} shown)" if n > len(targets) else ""
        tidy(panel, x=label + more)
        panel.tick_params(axis="y", length=0)
        if not at:
            panel.legend(
                [panel.lines[i] for i in range(len(inputs))], [name.replace("_", " ") for name in inputs],
                frameon=False, fontsize=8, labelcolor=INK, ncols=len(inputs), loc="lower left",
                bbox_to_anchor=(-0.75, 1.0), borderaxespad=0.2, handlelength=0.8, columnspacing=1.0,
            )  # fmt: skip
    return ax


def confusion_matrix(
    scores: xr.Dataset, target: str, *, given: str = "latents", ax: Axes | None = None
) -> Axes:
    """Which classes of a condition are taken for which, when it is decoded on held-out bins.

    Rows are what was so, columns what the decoder said; each row adds up to 1. Classes that never
    occur on the held-out bins and are never said are left out. Beside each class its number of
    bins.

    Args:
        scores: what ``decode`` gave.
        target: name of the condition.
        given: which input it was decoded from.
        ax: where to draw.

    Raises:
        BadInput: there is no such condition or input.
    """
    known = [str(one).removeprefix("confusion.") for one in scores.data_vars
             if str(one).startswith("confusion.")]  # fmt: skip
    inputs = [str(one) for one in scores["input"].values]
    for what, name, there in (("condition", target, known), ("input", given, inputs)):
        if name not in there:
            raise unknown(name, there, what=what)
    table = scores[f"confusion.{target}"].values[inputs.index(given)]
    kept = np.flatnonzero(table.sum(axis=0) + table.sum(axis=1))
    if not len(kept):
        status = str(scores["status"].values[list(scores["target"].values).index(target)])
        return says_nothing(axes(ax, (3.4, 2.6)), f"{target}: {status or 'no held-out bins'}")
    table = table[np.ix_(kept, kept)].astype(np.float64)
    n = table.sum(axis=1, keepdims=True)
    share = np.divide(table, n, out=np.full(table.shape, np.nan), where=n > 0)
    side = max(1.6, 0.42 * min(len(kept), 14))
    ax = axes(ax, (side + 2.0, side + 1.2))
    ax.set_facecolor(NEVER)
    ax.imshow(np.ma.masked_invalid(share), cmap="Blues", vmin=0, vmax=1, interpolation="none")
    labels = [plain(one, most=18) for one in scores[f"{target}_true"].values[kept]]
    if len(kept) <= WRITTEN:
        for row, column in product(range(len(kept)), repeat=2):
            value = share[row, column]
            ax.text(column, row, f"{value:.2f}" if np.isfinite(value) else "–", ha="center", va="center",
                    fontsize=7.5, color="white" if value > 0.6 else INK)  # fmt: skip
    every = max(1, len(kept) // 30)
    ticks = range(0, len(kept), every)
    ax.set_yticks(ticks, [f"{labels[i]} ({int(n[i, 0]):,})" for i in ticks])
    upright = max(map(len, labels)) * len(labels) > 36
    ax.set_xticks(ticks, [labels[i] for i in ticks])
    tidy(ax, x=f"decoded from {given.replace('_', ' ')}", y="true (held-out bins)")
    ax.tick_params(length=0)
    ax.tick_params(axis="x", rotation=90 if upright else 0)
    ax.set_title(plain(target), fontsize=9, color=INK, loc="left")
    return ax


def _decoded(ax: Axes, scores: xr.Dataset, targets: np.ndarray, measure: str) -> None:
    values = scores[measure].values[:, targets]
    n_inputs, n = values.shape
    rows = np.arange(n)
    ax.hlines(rows, 0, 1, color=PALE, linewidth=0.6, transform=ax.get_yaxis_transform(), zorder=0)
    # inputs a little apart: equal scores would hide each other
    apart = np.linspace(-0.22, 0.22, n_inputs) if n_inputs > 1 else np.zeros(1)
    for score, colour, off in zip(values, CYCLE, apart, strict=False):
        ax.plot(np.where(score >= CUT, score, np.nan), rows + off, "o", color=colour, markersize=5)
    for score, colour, off in zip(values, CYCLE, apart, strict=False):
        low = np.where(score < CUT, CUT, np.nan)
        ax.plot(low, rows + off, "<", color=colour, markersize=5)
    if measure == "r2":
        low = float(np.nanmin(values)) if np.isfinite(values).any() else 0.0
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.set_xlim(max(min(low - 0.05, -0.03), CUT - 0.03), 1)
    else:
        ax.plot(scores["chance"].values[targets], rows, "|", color=INK, markersize=12)
        ax.set_xlim(0, 1)
    for at in np.flatnonzero(~np.isfinite(values).any(axis=0)).tolist():
        ax.text(0.02, at, "– not assessable", transform=ax.get_yaxis_transform(), fontsize=7.5,
                color=GREY, va="center", backgroundcolor="white")  # fmt: skip
    ax.set_yticks(rows, [plain(one, most=29) for one in scores["target"].values[targets]])
    ax.set_ylim(n - 0.5, -0.5)
    ax.xaxis.set_major_locator(MaxNLocator(5))
