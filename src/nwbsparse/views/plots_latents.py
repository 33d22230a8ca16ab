"""Figures of what one latent stands for: maps, tuning curves, conditions and units."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.views.drawing import (
    BLUE,
    GREY,
    INK,
    NEVER,
    ORANGE,
    PALE,
    axes,
    in_percent,
    measured_in,
    plain,
    says_nothing,
    tidy,
)

MAPS = "viridis"
_WIDE, _HIGH = 5.0, 2.5


def spatial_map(
    attribution: xr.Dataset, latent: int, variable: str, *, unit: str = "", ax: Axes | None = None
) -> Axes:
    """Where in space a latent is active: training bins left, held-out bins right, one scale.

    Places that were never visited are light grey. The two maps are children of the returned axes.
    """
    ax = axes(ax, (_WIDE, _HIGH))
    ax.set_axis_off()
    fitted = attribution[f"train_tuning.{variable}"].isel({names.LATENT: latent})
    held = attribution[f"tuning.{variable}"].isel({names.LATENT: latent})
    y, x = (fitted[dim].values for dim in fitted.dims)
    # a place seen for a few held-out bins can show any value: the top of the scale is not set there
    top = max(_finite(fitted.values, 100), _finite(held.values, 95), 1e-12)
    scale = Normalize(0, top)
    ratio = _span(y) / max(_span(x), 1e-12)
    height = min(0.76, 0.36 * ratio * _WIDE / _HIGH)
    for left, values, title in ((0.1, fitted, "training bins"), (0.52, held, "held-out bins")):
        one = ax.inset_axes((left, 0.16, 0.36, height))
        one.set_facecolor(NEVER)
        extent = (*_edges(x)[[0, -1]], *_edges(y)[[0, -1]])
        one.imshow(
            values.values,
            extent=extent,
            origin="lower",
            cmap=MAPS,
            norm=scale,
            interpolation="none",
        )
        tidy(
            one,
            x=measured_in("x", unit),
            y=measured_in("y", unit) if left < 0.5 else "",
            title=title,
        )
        one.set_aspect("equal", adjustable="box", anchor="SW")
        one.xaxis.set_major_locator(MaxNLocator(4))
        one.yaxis.set_major_locator(MaxNLocator(4))
        if left > 0.5:
            one.set_yticklabels([])
    bar = ax.inset_axes((0.915, 0.16, 0.02, height))
    figure = ax.get_figure()
    assert figure is not None
    figure.colorbar(ScalarMappable(scale, MAPS), cax=bar)
    bar.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=2)
    bar.yaxis.set_major_locator(MaxNLocator(3))
    bar.set_ylabel("mean activation", fontsize=8.5, color=INK)
    bar.spines["outline"].set_visible(False)
    return ax


def tuning_curve(
    attribution: xr.Dataset,
    latent: int,
    variable: str,
    *,
    bin_width: float,
    unit: str = "",
    circular: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """A latent's mean activation over a covariate: line from training, dots from held-out bins.

    The strip above says how many held-out seconds stand behind each dot.
    """
    ax = axes(ax, (4.4, 2.6))
    ax.set_axis_off()
    fitted = attribution[f"train_tuning.{variable}"].isel({names.LATENT: latent})
    held = attribution[f"tuning.{variable}"].isel({names.LATENT: latent}).values
    seconds = attribution[f"occupancy.{variable}"].values * bin_width
    x = fitted[fitted.dims[0]].values
    curve = ax.inset_axes((0.12, 0.16, 0.86, 0.62))
    strip = ax.inset_axes((0.12, 0.84, 0.86, 0.14), sharex=curve)
    line_x, line_y = x, fitted.values
    if circular:
        line_x = np.concatenate([[x[-1] - 2 * np.pi], x, [x[0] + 2 * np.pi]])
        line_y = np.concatenate([[line_y[-1]], line_y, [line_y[0]]])
    curve.plot(line_x, line_y, color=BLUE, linewidth=1.8, label="training bins")
    curve.plot(x, held, "o", color=ORANGE, markersize=5, label="held-out bins")
    strip.fill_between(x, seconds, step="mid", color=PALE, linewidth=0)
    top = np.nanmax([*line_y, *held, 0]) if np.isfinite([*line_y, *held]).any() else 1.0
    curve.set_ylim(0, max(float(top), 1e-12) * 1.12)
    curve.legend(frameon=False, fontsize=8, labelcolor=INK, loc="best")
    tidy(curve, x=measured_in(variable, unit), y="mean activation")
    tidy(strip, y="s")
    strip.tick_params(labelbottom=False, length=2)
    strip.set_ylim(bottom=0)
    strip.yaxis.set_major_locator(MaxNLocator(1, integer=True))
    strip.text(1, 1.02, "held-out seconds", fontsize=7.5, color=GREY, ha="right", va="bottom",
               transform=strip.transAxes)  # fmt: skip
    if circular:
        curve.set_xlim(-np.pi, np.pi)
        curve.set_xticks([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], ["−π", "−π/2", "0", "π/2", "π"])
    return ax


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
    mine = np.flatnonzero(attribution["condition_variable"].values == variable)
    auroc = attribution["auroc"].values[latent, mine]
    order = np.argsort(-np.nan_to_num(np.abs(auroc - 0.5), nan=-1.0), kind="stable")[:10]
    mine = mine[np.sort(order)]
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


def top_units(attribution: xr.Dataset, latent: int, *, n: int = 8, ax: Axes | None = None) -> Axes:
    """The units a latent stands for: decoder weights, and how each fires while it is active.

    The number beside a bar is the unit's mean z-score in held-out bins in which the latent is
    active. Units that are silent on the held-out bins are left out.
    """
    weight = attribution["weight"].values[latent]
    z = attribution["z"].values[latent]
    fires = np.isfinite(z) if np.isfinite(z).any() else np.ones(len(z), dtype=bool)
    order = np.argsort(np.where(fires, -np.abs(weight), 1.0), kind="stable")[
        : min(n, int(fires.sum()))
    ]
    ax = axes(ax, (2.7, 0.7 + 0.22 * len(order)))
    at = np.arange(len(order))
    ax.barh(
        at, weight[order], height=0.62, color=[BLUE if w >= 0 else ORANGE for w in weight[order]]
    )
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set_yticks(
        at, [f"unit {plain(attribution[names.UNIT_ID].values[i], most=16)}" for i in order]
    )
    ax.set_ylim(len(order) - 0.4, -0.6)
    span = float(np.abs(weight[order]).max()) or 1.0
    ax.set_xlim(-span * 1.05 if (weight[order] < 0).any() else 0, span * 1.05)
    for y, value in zip(at.tolist(), z[order], strict=True):
        text = f"{value:+.1f}".replace("-", "−") if np.isfinite(value) else "–"
        ax.text(
            1.03, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8, color=INK
        )
    ax.text(1.03, 1.0, "mean z", transform=ax.transAxes, fontsize=8, color=GREY, va="bottom")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    return tidy(ax, x="decoder weight")


def _finite(values: np.ndarray, percent: int) -> float:
    good = values[np.isfinite(values)]
    return float(np.percentile(good, percent)) if len(good) else 0.0


def _span(centres: np.ndarray) -> float:
    edges = _edges(centres)
    return float(edges[-1] - edges[0])


def _edges(centres: np.ndarray) -> np.ndarray:
    step = float(np.diff(centres).mean()) if len(centres) > 1 else 1.0
    return np.concatenate([centres - step / 2, [centres[-1] + step / 2]])
