"""Figure of the values of one variable for which a latent is active: its tuning curve."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.views.drawing import BLUE, GREY, INK, ORANGE, PALE, axes, measured_in, tidy
from nwbsparse.views.plots.latents import halves
from nwbsparse.views.words import measure

STEADY = 1.0
"""Seconds from which on a point of the curve says how high the axis must be."""
CLOSE, SOME, FEW = 0.02, 2, 5
"""Share of the range up to which neighbours are close, how many must be, and values of a curve at least."""
BEYOND = 2.0
"""Times the steady part of the curve up to which the axis is made higher for what lies above it."""


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
    """A latent's mean activation over a covariate: line from all bins, dots from each half of them.

    The halves are the even and the odd blocks of the recording. The strip above says how many
    seconds stand behind each point of the line, which is dotted across values that were never
    visited. The axis is as high as the points known for a second or more need; what is seen for
    less, or in one half only, does not squeeze them: beyond the axis stands a triangle with its value.
    Values that crowd at one place, as of an animal that mostly stands still, are drawn side by side.
    """
    ax = axes(ax, (4.4, 2.6))
    ax.set_axis_off()
    whole = attribution[f"tuning.{variable}"].isel({names.LATENT: latent})
    of_halves = halves(attribution, latent, variable)
    seconds = attribution[f"occupancy.{variable}"].values * bin_width
    values_of_x, y = whole[whole.dims[0]].values, whole.values.astype(np.float64)
    by_rank = not circular and crowded(values_of_x)
    x = np.arange(len(values_of_x)) if by_rank else values_of_x
    curve = ax.inset_axes((0.12, 0.16, 0.86, 0.62))
    strip = ax.inset_axes((0.12, 0.84, 0.86, 0.14), sharex=curve)
    all_values = np.concatenate([y, *(half.values for half, _ in of_halves)])
    top = _top(y, seconds, all_values)
    _line(curve, x, y, circular=circular)
    for (half, title), shape in zip(of_halves, ("o", "s"), strict=True):
        values = half.values.astype(np.float64)
        shown = np.where(values > top, np.nan, values)
        curve.plot(x, shown, shape, color=ORANGE, markersize=4, label=title,
                   markerfacecolor=ORANGE if shape == "o" else "white")  # fmt: skip
        _mark_beyond(curve, x, values, top, ORANGE)
    _mark_beyond(curve, x, y, top, BLUE)
    strip.fill_between(x, seconds, step="mid", color=PALE, linewidth=0)
    curve.set_ylim(0, top * 1.12)
    label = measured_in(variable, unit)
    tidy(curve, x=f"{label}, its values side by side" if by_rank else label, y="mean activation")
    if by_rank:
        said = distinct(values_of_x.astype(np.float64))
        curve.set_xticks(x, said, rotation=45, ha="right", rotation_mode="anchor")
        curve.tick_params(axis="x", labelsize=7)
    tidy(strip)
    strip.tick_params(labelbottom=False, length=2)
    strip.set_ylim(bottom=0)
    strip.yaxis.set_major_locator(MaxNLocator(1, integer=True))
    strip.text(1, 1.02, "seconds", fontsize=7.5, color=GREY, ha="right", va="bottom",
               transform=strip.transAxes)  # fmt: skip
    # above everything: inside the axes it would lie on points
    strip.legend(*curve.get_legend_handles_labels(), frameon=False, fontsize=8, labelcolor=INK, ncols=2,
                 loc="lower left", bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.1, handletextpad=0.1,
                 columnspacing=1.0)  # fmt: skip
    if circular:
        curve.set_xlim(-np.pi, np.pi)
        curve.set_xticks([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], ["−π", "−π/2", "0", "π/2", "π"])
    return ax


def crowded(x: np.ndarray) -> bool:
    """Whether some values lie so close to their neighbours that a curve over them is one vertical line."""
    if len(x) < FEW:
        return False
    close = np.diff(x.astype(np.float64)) < CLOSE * max(float(np.ptp(x)), 1e-300)
    return int(close.sum()) >= SOME


def distinct(centres: np.ndarray) -> list[str]:
    """Values as finely as their neighbours need to be told apart, up to a thousandth of the range."""
    apart = np.diff(centres) if len(centres) > 1 else np.ones(1)
    near = np.minimum(np.append(apart, apart[-1]), np.insert(apart, 0, apart[0]))[: len(centres)]
    steps = np.maximum(near / 10, np.ptp(centres) / 1000)
    return [measure(one, step=float(step)) for one, step in zip(centres, steps, strict=True)]


def _line(curve: Axes, x: np.ndarray, y: np.ndarray, *, circular: bool) -> None:
    """The curve; dotted across values never visited, with a point where both neighbours are unknown."""
    if circular:
        x = np.concatenate([[x[-1] - 2 * np.pi], x, [x[0] + 2 * np.pi]])
        y = np.concatenate([[y[-1]], y, [y[0]]])
    known = np.isfinite(y)
    if not known.all():
        curve.plot(x[known], y[known], color=BLUE, linewidth=1.2, linestyle=":")
    curve.plot(x, y, color=BLUE, linewidth=1.8)
    beside = np.pad(known, 1)
    alone = known & ~beside[:-2] & ~beside[2:]
    curve.plot(x[alone], y[alone], ".", color=BLUE, markersize=6)


def _top(y: np.ndarray, seconds: np.ndarray, all_values: np.ndarray) -> float:
    """How high the axis must be: for what is steady, and for the rest as far as that can still be read."""
    highest = float(np.nanmax(all_values)) if np.isfinite(all_values).any() else 1.0
    of_steady = y[np.isfinite(y) & (seconds >= STEADY)]
    steady = float(of_steady.max()) if len(of_steady) else highest
    bound = BEYOND * steady if steady > 0 else highest
    return max(min(highest, bound), 1e-12)


def _mark_beyond(curve: Axes, x: np.ndarray, y: np.ndarray, top: float, colour: str) -> None:
    """Triangles at the top edge for what lies above it, each with its value."""
    for at in np.flatnonzero(np.nan_to_num(y) > top):
        curve.plot(x[at], top * 1.07, "^", color=colour, markersize=4)
        curve.annotate(measure(y[at]), (x[at], top * 1.07), (4, 0), textcoords="offset points",
                       va="center", fontsize=7, color=INK)  # fmt: skip
