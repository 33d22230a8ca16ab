"""Figure of where in space one latent is active: its maps in both halves of the recording."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.views.drawing import GREY, INK, NEVER, axes, measured_in, tidy

MAPS = "viridis"
_WIDE, _HIGH = 5.0, 2.5
FLAT = 10
"""A position that never changed along an axis is drawn as a band: so many times as long as wide."""


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
    scale = Normalize(0, scale_top(first, second))
    left, right, bottom, top = extent(first)
    ratio = (top - bottom) / (right - left)
    height = min(0.76, 0.36 * ratio * _WIDE / _HIGH)
    for at, values, title in ((0.1, first, one_title), (0.52, second, other_title)):
        one = ax.inset_axes((at, 0.16, 0.36, height))
        field(one, values, scale)
        tidy(
            one,
            x=measured_in("x", unit),
            y=measured_in("y", unit) if at < 0.5 else "",
            title=title,
        )
        if at > 0.5:
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
    ax.set_facecolor(NEVER)
    ax.imshow(
        as_band(values).values,
        extent=extent(values),
        origin="lower",
        cmap=MAPS,
        norm=scale,
        interpolation="none",
    )
    ax.set_aspect("equal", adjustable="box", anchor="SW")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    return ax


def _finite(values: np.ndarray, percent: int) -> float:
    good = values[np.isfinite(values)]
    return float(np.percentile(good, percent)) if len(good) else 0.0


def as_band(values: xr.DataArray) -> xr.DataArray:
    """A map of a position that never changed along an axis: one row or column instead of many on a spot."""
    for dim in values.dims:
        if not np.ptp(values[dim].values):
            values = values.max(str(dim)).expand_dims(str(dim), values.dims.index(dim))
    return values


def extent(values: xr.DataArray) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of a map (y, x); what never changed is a tenth as wide as the other."""
    y, x = (values[dim].values.astype(np.float64) for dim in values.dims)
    wide, high = _span(x), _span(y)
    wide, high = wide or high / FLAT or 1.0, high or wide / FLAT or 1.0
    middle = [float(one[0] + one[-1]) / 2 for one in (x, y)]
    return (
        middle[0] - wide / 2, middle[0] + wide / 2, middle[1] - high / 2, middle[1] + high / 2
    )  # fmt: skip


def _span(centres: np.ndarray) -> float:
    """From the first edge to the last of even bins; 0 when all are on one spot."""
    step = float(np.diff(centres).mean()) if len(centres) > 1 else 0.0
    return float(np.ptp(centres)) + step
