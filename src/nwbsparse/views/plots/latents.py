"""Figures of where and for which values one latent is active: maps and tuning curves."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.views.drawing import BLUE, GREY, INK, NEVER, ORANGE, PALE, axes, measured_in, tidy

MAPS = "viridis"
_WIDE, _HIGH = 5.0, 2.5


def spatial_map(
    attribution: xr.Dataset, latent: int, variable: str, *, unit: str = "", ax: Axes | None = None
) -> Axes:
    """Where in space a latent is active: even blocks of the recording left, odd ones right, one scale.

    What is alike in both is more than chance.

    Places that were never visited are light grey. The two maps are children of the returned axes.
    """
    ax = axes(ax, (_WIDE, _HIGH))
    ax.set_axis_off()
    (first, one_title), (second, other_title) = halves(attribution, latent, variable)
    y, x = (first[dim].values for dim in first.dims)
    scale = Normalize(0, scale_top(first, second))
    ratio = _span(y) / max(_span(x), 1e-12)
    height = min(0.76, 0.36 * ratio * _WIDE / _HIGH)
    for left, values, title in ((0.1, first, one_title), (0.52, second, other_title)):
        one = ax.inset_axes((left, 0.16, 0.36, height))
        field(one, values, scale)
        tidy(
            one,
            x=measured_in("x", unit),
            y=measured_in("y", unit) if left < 0.5 else "",
            title=title,
        )
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


def halves(attribution: xr.Dataset, latent: int, variable: str) -> list[tuple[xr.DataArray, str]]:
    """A latent's tuning in the even and in the odd blocks, with their titles.

    Of results of versions before 0.2: in training and held-out bins.
    """
    titles = {f"tuning_half_1.{variable}": "even blocks", f"tuning_half_2.{variable}": "odd blocks"}
    if not titles.keys() <= set(attribution.data_vars):
        titles = {
            f"train_tuning.{variable}": "training bins",
            f"tuning.{variable}": "held-out bins",
        }
    return [(attribution[key].isel({names.LATENT: latent}), title) for key, title in titles.items()]


def scale_top(first: xr.DataArray, *others: xr.DataArray) -> float:
    """The top of a scale for these maps: the maximum of the first, nearly that of the others.

    A place seen for a few held-out bins can show any value: the scale is not set there.
    """
    return max(_finite(first.values, 100), *(_finite(one.values, 95) for one in others), 1e-12)


def field(ax: Axes, values: xr.DataArray, scale: Normalize) -> Axes:
    """One map (y, x) on its own axes; places that were never visited are light grey."""
    y, x = (values[dim].values for dim in values.dims)
    ax.set_facecolor(NEVER)
    ax.imshow(
        values.values,
        extent=(*_edges(x)[[0, -1]], *_edges(y)[[0, -1]]),
        origin="lower",
        cmap=MAPS,
        norm=scale,
        interpolation="none",
    )
    ax.set_aspect("equal", adjustable="box", anchor="SW")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(4))
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
    """A latent's mean activation over a covariate: line from all bins, dots from each half of them.

    The halves are the even and the odd blocks of the recording. The strip above says how many
    seconds stand behind each point of the line.
    """
    ax = axes(ax, (4.4, 2.6))
    ax.set_axis_off()
    whole = attribution[f"tuning.{variable}"].isel({names.LATENT: latent})
    of_halves = halves(attribution, latent, variable)
    seconds = attribution[f"occupancy.{variable}"].values * bin_width
    x = whole[whole.dims[0]].values
    curve = ax.inset_axes((0.12, 0.16, 0.86, 0.62))
    strip = ax.inset_axes((0.12, 0.84, 0.86, 0.14), sharex=curve)
    line_x, line_y = x, whole.values
    if circular:
        line_x = np.concatenate([[x[-1] - 2 * np.pi], x, [x[0] + 2 * np.pi]])
        line_y = np.concatenate([[line_y[-1]], line_y, [line_y[0]]])
    curve.plot(line_x, line_y, color=BLUE, linewidth=1.8)
    for (half, title), shape in zip(of_halves, ("o", "s"), strict=True):
        curve.plot(x, half.values, shape, color=ORANGE, markersize=4, label=title,
                   markerfacecolor=ORANGE if shape == "o" else "white")  # fmt: skip
    strip.fill_between(x, seconds, step="mid", color=PALE, linewidth=0)
    values = np.concatenate([line_y, *(half.values for half, _ in of_halves)])
    top = np.nanmax(values) if np.isfinite(values).any() else 1.0
    curve.set_ylim(0, max(float(top), 1e-12) * 1.12)
    curve.legend(frameon=False, fontsize=8, labelcolor=INK, loc="best")
    tidy(curve, x=measured_in(variable, unit), y="mean activation")
    tidy(strip, y="s")
    strip.tick_params(labelbottom=False, length=2)
    strip.set_ylim(bottom=0)
    strip.yaxis.set_major_locator(MaxNLocator(1, integer=True))
    strip.text(1, 1.02, "seconds", fontsize=7.5, color=GREY, ha="right", va="bottom",
               transform=strip.transAxes)  # fmt: skip
    if circular:
        curve.set_xlim(-np.pi, np.pi)
        curve.set_xticks([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], ["−π", "−π/2", "0", "π/2", "π"])
    return ax


def _finite(values: np.ndarray, percent: int) -> float:
    good = values[np.isfinite(values)]
    return float(np.percentile(good, percent)) if len(good) else 0.0


def _span(centres: np.ndarray) -> float:
    edges = _edges(centres)
    return float(edges[-1] - edges[0])


def _edges(centres: np.ndarray) -> np.ndarray:
    step = float(np.diff(centres).mean()) if len(centres) > 1 else 1.0
    return np.concatenate([centres - step / 2, [centres[-1] + step / 2]])
