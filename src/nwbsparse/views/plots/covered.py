"""Figure of the values of a variable that latents cover: one row per latent, in order of its peak."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nwbsparse.analysis.behaviour.tuning import discounted
from nwbsparse.errors import unknown
from nwbsparse.views.drawing import GREY, INK, NEVER, axes, measured_in, plain, says_nothing, tidy
from nwbsparse.views.plots.curve import distinct
from nwbsparse.views.plots.latents import as_band, extent

ROWS = 60
"""Latents that are drawn at most: those of largest r."""
ROW, FEW = 0.115, 24
"""Inches of a row, and rows up to which their numbers are written as large as others."""


def values_covered(
    attribution: xr.Dataset,
    variable: str,
    latents: Sequence[int] | np.ndarray,
    *,
    bin_width: float,
    unit: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Which values of a variable some latents cover: their curves, each to its own maximum.

    Latents are sorted by the value at which they are most active, so that those that cover all values
    make a diagonal; values that never occurred are left out. Of a place in the plane: where each is most
    active, on the map of what was visited; light grey was never visited. Of more than sixty latents those
    of largest r are shown, which is said.

    Args:
        attribution: what ``explain`` gave.
        variable: a covariate or condition of it.
        latents: which latents, by number.
        bin_width: s; values visited for less than a second count for less, as in the test.
        unit: the variable's unit of measure.
        ax: where to draw.

    Raises:
        BadInput: there is no such variable.
    """
    chosen = np.asarray(latents, dtype=np.int64)
    r = attribution["association"].values[chosen]
    chosen = chosen[np.argsort(-np.nan_to_num(r, nan=-1.0), kind="stable")][:ROWS]
    more = f" ({len(chosen)} of {len(latents)})" if len(latents) > len(chosen) else ""
    curves, n, values = _curves(attribution, variable)
    if not len(chosen):
        return says_nothing(axes(ax, (4.4, 2.4)), f"no latent follows {variable}")
    if curves.ndim == 3:
        return _in_the_plane(attribution, variable, chosen, bin_width, unit, more, ax)
    visited = np.flatnonzero(n > 0)
    shown, n, values = curves[chosen][:, visited], n[visited], [values[at] for at in visited]
    steady = discounted(shown, n, bin_width)
    order = np.argsort(steady.argmax(axis=1), kind="stable")
    chosen, shown = chosen[order], shown[order]
    low = np.nanmin(shown, axis=1, keepdims=True)
    high = np.nanmax(shown, axis=1, keepdims=True)
    picture = (shown - low) / np.maximum(high - low, 1e-12)
    ax = axes(ax, (4.4, 1.15 + max(0.9, ROW * len(chosen))))
    ax.set_facecolor(NEVER)
    ax.imshow(
        np.ma.masked_invalid(picture), aspect="auto", cmap="Blues", vmin=0, vmax=1,
        interpolation="none",
    )  # fmt: skip
    _value_ticks(ax, values)
    ax.set_yticks(range(len(chosen)), [str(one) for one in chosen])
    tidy(ax, x=measured_in(variable, unit), y=f"latent{more}")
    ax.tick_params(axis="y", length=0, labelsize=7 if len(chosen) <= FEW else 6)
    return ax


def _curves(attribution: xr.Dataset, variable: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """(latent, value…) mean activation, bins of each value, and what the values are called."""
    if f"tuning.{variable}" in attribution:
        table = attribution[f"tuning.{variable}"]
        n = attribution[f"occupancy.{variable}"].values.astype(np.float64)
        return table.values, n, distinct(table[table.dims[1]].values.astype(np.float64))
    mine = np.flatnonzero(attribution["condition_variable"].values == variable)
    if not len(mine):
        known = [str(name).removeprefix("tuning.") for name in attribution.data_vars
                 if str(name).startswith("tuning.")]  # fmt: skip
        known += list(dict.fromkeys(map(str, attribution["condition_variable"].values)))
        raise unknown(variable, known, what="variable")
    called = [plain(one, most=14) for one in attribution["condition_name"].values[mine]]
    n = attribution["condition_bins"].values[mine].astype(np.float64)
    return attribution["p_in"].values[:, mine], n, called


def _value_ticks(ax: Axes, values: Sequence[str]) -> None:
    every = max(1, -(-len(values) // 12))
    at = range(0, len(values), every)
    long = sum(len(values[i]) + 2 for i in at) > 60
    ax.set_xticks(at, [values[i] for i in at], rotation=45 if long else 0,
                  ha="right" if long else "center")  # fmt: skip


def _in_the_plane(
    attribution: xr.Dataset,
    variable: str,
    chosen: np.ndarray,
    bin_width: float,
    unit: str,
    more: str,
    ax: Axes | None,
) -> Axes:
    table = attribution[f"tuning.{variable}"]
    n = attribution[f"occupancy.{variable}"].values.astype(np.float64)
    y, x = (table[dim].values for dim in table.dims[1:])
    visited = table.isel({table.dims[0]: 0}).copy(data=np.where(n > 0, 0.0, np.nan))
    left, right, bottom, top = around = extent(visited)
    ax = axes(ax, (3.4, float(np.clip(3.0 * (top - bottom) / (right - left), 1.8, 4.2))))
    ax.set_facecolor(NEVER)
    ax.imshow(
        as_band(visited).values, origin="lower", cmap="Greys", vmin=0, vmax=1, extent=around,
        interpolation="none",
    )  # fmt: skip
    steady = discounted(table.values[chosen], n, bin_width)
    peaks: dict[tuple[int, int], list[int]] = {}
    for latent, surface in zip(chosen.tolist(), steady, strict=True):
        row, column = np.unravel_index(int(surface.argmax()), surface.shape)
        peaks.setdefault((int(row), int(column)), []).append(latent)
    for (row, column), same in peaks.items():
        said = ", ".join(map(str, same[:3])) + ("…" if len(same) > 3 else "")
        ax.text(x[column], y[row], said, ha="center", va="center", fontsize=7.5, color=INK,
                bbox={"boxstyle": "round,pad=0.15", "facecolor": "#cfe3f2", "edgecolor": GREY,
                      "linewidth": 0.5})  # fmt: skip
    ax.set_aspect("equal")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    return tidy(ax, x=measured_in("x", unit), y=measured_in(f"y{more}", unit))
