"""The six figures of Naik (2025), drawn from a table of fits, with the controls that they lacked.

Every figure takes the tidy table of ``nwbsparse reproduce-paper naik2025``: one row per fit. Trained
coders are filled, what stands beside them is hollow or grey: untrained ones are rings, shuffled data
are crosses, smoothed counts a dashed line or a star. Bars reach from the lowest to the highest seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nwbsparse.views.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PURPLE,
    SKY,
    VERMILLION,
    tidy,
)

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION)
FAMILIES = {"standard": SKY, "topk": BLUE, "exponential": ORANGE, "jumprelu": GREEN}
NAMED = {"topk": "TopK", "jumprelu": "JumpReLU", "exponential": "exponential penalty"}
MARKERS = ("o", "s", "^", "D", "v", "P")
"""One per animal."""
SCORES = {
    "neuron_paper": "neuron score", "behaviour_paper": "behaviour score",
    "position_r2": "position R²", "direction_accuracy": "direction accuracy",
}  # fmt: skip
LEGEND: dict[str, Any] = {
    "frameon": False, "fontsize": 8, "labelcolor": INK, "handlelength": 1.2, "columnspacing": 1.2,
}  # fmt: skip
_TICKS = {"ms": 5, "lw": 0, "ls": "none"}


def decoded_by_setting(fits: xr.Dataset) -> Axes | None:
    """Figure 1: position against direction, decoded from embeddings, coloured by each option.

    None where there is no behaviour.
    """
    frame = _frame(fits)
    rows = _of(frame, "embedding").dropna(subset=["position_r2", "direction_accuracy"])
    if rows.empty:
        return None
    own = rows[rows["control"] == ""]
    options = {"dims": "dims", "hidden_units": "hidden units", "cebra_rate": "learning rate"}
    options = {name: said for name, said in options.items() if own[name].notna().any()}
    animals = sorted(own["animal"].unique())
    figure, panels = _panels(1, len(options), width=3.1, height=3.3, sharey=True)
    for ax, (name, said) in zip(panels.flat, options.items(), strict=True):
        _controls(ax, frame, rows)
        values = sorted(own[name].dropna().unique())
        for colour, value in zip(COLOURS, values, strict=False):
            for marker, animal in zip(MARKERS, animals, strict=False):
                some = own[(own[name] == value) & (own["animal"] == animal)]
                ax.plot(some["position_r2"], some["direction_accuracy"], marker, color=colour,
                        label=f"{value:g}" if animal == animals[0] else None,
                        markeredgecolor="white", markeredgewidth=0.5, ms=6)  # fmt: skip
        tidy(ax, x="position R²", y="direction accuracy" if ax is panels.flat[0] else "", title=said)
        handles, labels = ax.get_legend_handles_labels()
        ax.legend(handles, labels, loc="lower right", **LEGEND)
    beside = [_hollow("random network"), _cross("shuffled"), _star("counts over 20 bins")]
    beside += _of_animals(animals)
    _legend(figure, beside)
    return panels.flat[0]


def reconstruction_by_sparsity(fits: xr.Dataset, animal: str, dims: float) -> Axes:
    """Figures 2 and 3: R² of an embedding against the share of active latents, of the whole grid.

    Left: by architecture. Right: by latents per dim.
    """
    frame = _frame(fits)
    rows = _of(frame, "sweep", animal=animal, dims=dims).dropna(subset=["r2"])
    own = rows[rows["control"] == ""]
    figure, panels = _panels(1, 2, width=4.0, height=3.5, sharey=True)
    by_family, by_size = panels.flat
    for family, colour in FAMILIES.items():
        some = own[own["method"] == family]
        by_family.plot(some["nonzero_ratio"], some["r2"], "o", color=colour, alpha=0.8,
                       label=NAMED.get(family, family), markeredgewidth=0, ms=5)  # fmt: skip
    for colour, expansion in zip((SKY, ORANGE, BLUE), sorted(own["expansion"].unique()), strict=False):
        some = own[own["expansion"] == expansion]
        by_size.plot(some["nonzero_ratio"], some["r2"], "o", color=colour, alpha=0.8,
                     label=f"{expansion:g} per dim", markeredgewidth=0, ms=5)  # fmt: skip
    low = -0.25
    for ax, title in ((by_family, "by architecture"), (by_size, "by latents per dim")):
        for control, style in (("untrained", {"mfc": "none"}), ("shuffled", {})):
            some = rows[rows["control"] == control]
            marker = "o" if control == "untrained" else "x"
            ax.plot(some["nonzero_ratio"], some["r2"], marker, color=GREY, ms=5, zorder=1, **style)
        smooth = _of(frame, "baseline", animal=animal, dims=dims, method="smoothed counts")
        if len(smooth):
            ax.plot(smooth["nonzero_ratio"], smooth["r2"], "*", color=INK, ms=11, zorder=4)
        below = rows[rows["r2"] < low]
        ax.plot(below["nonzero_ratio"], np.full(len(below), low + 0.02), "v", color=GREY, ms=4)
        ax.set_ylim(low, 1.03)
        ax.axhline(0, color=PALE, linewidth=0.8, zorder=0)
        tidy(ax, x="share of latents active", y="held-out R²" if ax is by_family else "", title=title)
    shares = pd.concat([rows["nonzero_ratio"], frame["nonzero_ratio"][[]]])
    for ax in (by_family, by_size):
        ax.set_xlim(-0.02, max(float(shares.max()) * 1.05, 0.1))
        ax.legend(loc="lower right", **LEGEND)
    beside = [_hollow("untrained, fitted decoder"), _cross("TopK of shuffled dims")]
    if len(_of(frame, "baseline", animal=animal, dims=dims)):
        beside.append(_star("ridge from counts over 20 bins"))
    if (rows["r2"] < low).any():
        beside.append(Line2D([], [], marker="v", color=GREY, ms=4, ls="none", label="below the axis"))
    _legend(figure, beside)
    return by_family


def before_and_after(fits: xr.Dataset, scores: Sequence[str]) -> Axes | None:
    """Figures 4 and 5: scores of the embedding, and of its latents for every k.

    Thick: the mean over animals and dims, its bars from the lowest to the highest seed; thin: one
    line per size. None where there is no behaviour.
    """
    frame = _frame(fits)
    before = _chosen(frame)
    after = _of(frame, "analysis")
    if before[list(scores)].dropna().empty or after[list(scores)].dropna().empty:
        return None
    ks = sorted(after["k"].dropna().unique())
    figure, panels = _panels(1, len(scores), width=3.7, height=3.3)
    at = np.arange(len(ks) + 1)
    for ax, score in zip(panels.flat, scores, strict=True):
        for control, colour, marker in (("shuffled", GREY, "x"), ("untrained", VERMILLION, "o"), ("", BLUE, "o")):
            start = frame_of(before, frame, control)
            own = after[after["control"] == control]
            if control == "":
                for _, some in own.groupby(["animal", "dims"]):
                    first = start.merge(some[["animal", "dims"]].drop_duplicates())[score].mean()
                    line = [first, *(some[some["k"] == k][score].mean() for k in ks)]
                    ax.plot(at, line, color=SKY, linewidth=0.8, alpha=0.7, zorder=1)
            seeds = [own[own["k"] == k].groupby("seed")[score].mean() for k in ks]
            means = [start[score].mean(), *(one.mean() for one in seeds)]
            low = [0.0, *(one.mean() - one.min() for one in seeds)]
            high = [0.0, *(one.max() - one.mean() for one in seeds)]
            hollow = {"markerfacecolor": "white"} if control == "untrained" else {}
            ax.errorbar(at, means, yerr=[low, high], color=colour, marker=marker, linewidth=1.6 if not control else 1.0,
                        linestyle="-" if not control else "--", capsize=2, ms=5, zorder=3 if not control else 2, **hollow)  # fmt: skip
        smooth = _of(frame, "baseline", method="smoothed counts")[score].dropna()
        if len(smooth) and score != "neuron_paper":
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
    _legend(figure, beside)
    return panels.flat[0]


def scores_by_size(fits: xr.Dataset, scores: Sequence[str]) -> Axes | None:
    """Figure 6: scores of latents by dims of the embedding, one line per k.

    None where there is no behaviour.
    """
    frame = _frame(fits)
    rows = _of(frame, "analysis").dropna(subset=list(scores))
    if rows.empty:
        return None
    ks, sizes = sorted(rows["k"].unique()), sorted(rows["dims"].unique())
    figure, panels = _panels(1, len(scores), width=3.7, height=3.3)
    for ax, score in zip(panels.flat, scores, strict=True):
        for colour, k in zip((SKY, ORANGE, BLUE), ks, strict=False):
            for control in ("shuffled", "untrained", ""):
                own = rows[(rows["k"] == k) & (rows["control"] == control)]
                seeds = own.groupby(["dims", "seed"])[score].mean().unstack("seed")
                mean = seeds.mean(axis=1)
                style = {"": "-", "untrained": "--", "shuffled": ":"}[control]
                marker = {"": "o", "untrained": "o", "shuffled": "x"}[control]
                hollow = {"markerfacecolor": "white"} if control == "untrained" else {}
                bars = [mean - seeds.min(axis=1), seeds.max(axis=1) - mean]
                # a little apart: bars at one place would hide each other
                off = 1 + 0.04 * (ks.index(k) - (len(ks) - 1) / 2)
                ax.errorbar(mean.index * off, mean, yerr=bars, color=colour, linestyle=style, marker=marker, capsize=2,
                            ms=5, linewidth=1.6 if not control else 0.9, **hollow)  # fmt: skip
        smooth = _of(frame, "baseline", method="smoothed counts")[score].dropna()
        if len(smooth) and score != "neuron_paper":
            ax.axhline(smooth.mean(), color=INK, linestyle="-.", linewidth=1.0, zorder=0)
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, [f"{size:g}" for size in sizes])
        ax.minorticks_off()
        tidy(ax, x="dims of the embedding", y=SCORES[score])
    beside = [Line2D([], [], color=c, marker="o", ms=5, label=f"k = {k:g}")
              for c, k in zip((SKY, ORANGE, BLUE), ks, strict=False)]  # fmt: skip
    beside += [
        Line2D([], [], color=GREY, marker="o", mfc="white", ms=5, ls="--", label="untrained"),
        Line2D([], [], color=GREY, marker="x", ms=5, ls=":", label="shuffled"),
        Line2D([], [], color=INK, ls="-.", label="counts over 20 bins"),
    ]
    _legend(figure, beside)
    return panels.flat[0]


def frame_of(before: pd.DataFrame, frame: pd.DataFrame, control: str) -> pd.DataFrame:
    """The embeddings that coders of a control are made of."""
    if control != "shuffled":
        return before
    return _of(frame, "embedding", control="shuffled", method="shifted dims")


def _frame(fits: xr.Dataset) -> pd.DataFrame:
    return fits.to_dataframe().reset_index()


def _of(frame: pd.DataFrame, part: str, **wanted: Any) -> pd.DataFrame:
    kept = (frame["part"] == part) & (frame["error"] == "")
    for name, value in wanted.items():
        kept &= frame[name] == value
    return frame[kept]


def _chosen(frame: pd.DataFrame) -> pd.DataFrame:
    """The embeddings that coders are trained on: those of the analysed coders' sizes, best known."""
    rows = _of(frame, "embedding", control="")
    made = rows["hidden_units"].notna()
    return rows[~made | ((rows["hidden_units"] == 64) & np.isclose(rows["cebra_rate"], 1e-3))]


def _controls(ax: Axes, frame: pd.DataFrame, rows: pd.DataFrame) -> None:
    bare, dealt = (rows[rows["control"] == one] for one in ("untrained", "shuffled"))
    ax.plot(bare["position_r2"], bare["direction_accuracy"], "o", mfc="none", color=GREY, ms=5)
    ax.plot(dealt["position_r2"], dealt["direction_accuracy"], "x", color=GREY, ms=5)
    smooth = _of(frame, "baseline", method="smoothed counts").dropna(subset=["position_r2"])
    ax.plot(smooth["position_r2"], smooth["direction_accuracy"], "*", color=INK, ms=11)


def _panels(rows: int, columns: int, *, width: float, height: float, **shared: Any) -> Any:
    figure = Figure(figsize=(width * columns, height * rows + 0.35), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def _legend(figure: Figure, handles: list[Line2D]) -> None:
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6), **LEGEND)


def _hollow(label: str) -> Line2D:
    return Line2D([], [], marker="o", mfc="none", color=GREY, ms=5, ls="none", label=label)


def _cross(label: str) -> Line2D:
    return Line2D([], [], marker="x", color=GREY, ms=5, ls="none", label=label)


def _star(label: str) -> Line2D:
    return Line2D([], [], marker="*", color=INK, ms=10, ls="none", label=label)


def _of_animals(animals: list[str]) -> list[Line2D]:
    if len(animals) < 2:
        return []
    return [
        Line2D([], [], marker=marker, color=INK, ms=5, ls="none", label=animal)
        for marker, animal in zip(MARKERS, animals, strict=False)
    ]
