"""The figure of the headline: confirmed latents with a field in space, and the units behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.analysis.behaviour.coding import Coded, code_variables
from nwbsparse.analysis.behaviour.tuning import tuning_curves
from nwbsparse.binning.split import part
from nwbsparse.views.drawing import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    axes,
    measured_in,
    plain,
    says_nothing,
    tidy,
)
from nwbsparse.views.plots.latents import MAPS, field, halves, scale_top
from nwbsparse.views.plots.quality import comparison_bars
from nwbsparse.views.plots.units import carrying_units, top_units
from nwbsparse.views.report.embedded import to_units
from nwbsparse.views.words import measure, number, p_value

MOST = 8
"""Latents that are shown at most."""


def latent_fields(
    attribution: xr.Dataset,
    binned: xr.Dataset,
    variable: str = "position",
    *,
    latents: Sequence[int] | np.ndarray | None = None,
) -> list[Axes]:
    """Where confirmed latents are active, beside the fields of the units they stand for.

    One row per latent, in the order of q and then of r: its field in the even blocks of the
    recording, in the odd ones (the same scale), the six units that carry it most (largest product
    of its weight and their mean z while it is active), and the fields of the first three, each to
    its own scale, whose top is written above (spikes/s); (−) marks a negative weight. Beneath: what
    all latents tell of the variable together, beside units and components. Light grey was never
    visited.

    Without confirmed latents the figure says so and shows what they tell: zero is a result. Latents
    that are asked for are shown whether they are confirmed or not, and what they are is written
    beside them. A position on a line is drawn as a curve. Of more than eight the first eight are
    shown, which is said.

    Args:
        attribution: what ``explain`` gave (with ``stability=`` if latents are to be confirmed).
        binned: the split Binned dataset.
        variable: the position.
        latents: which latents; None for the confirmed ones that follow ``variable``.

    Returns:
        All axes of a new figure, row by row; the last are the bars beneath.
    """
    confirmed = np.empty(0, dtype=np.int64)
    if "confirmed" in attribution:
        own = attribution["best_variable"].values == variable
        confirmed = _ranked(attribution, np.flatnonzero(attribution["confirmed"].values & own))
    wanted = confirmed if latents is None else np.asarray(latents, dtype=np.int64)
    coded = next((one for one in code_variables(binned) if one.name == variable), None)
    if coded is None or f"tuning.{variable}" not in attribution:
        return [says_nothing(axes(None, (6.0, 2.0)), f"nothing is known about '{variable}' here")]
    shown = wanted[:MOST]
    sheet = _Sheet(attribution[f"tuning.{variable}"], len(shown))
    made: list[Axes] = []
    unit = str(binned[variable].attrs.get(names.UNITS_OF_MEASURE, ""))
    for row, latent in enumerate(shown.tolist()):
        panels = [sheet.panel(row, column) for column in range(len(_COLUMNS))]
        _latent(panels, attribution, coded, latent, unit)
        _units(panels[BARS:], attribution, binned, coded, latent)
        for panel in panels[FIRST : SECOND + 1] if row else ():
            panel.set_title("", loc="left")
        for at, panel in enumerate(panels):
            if row < len(shown) - 1 and at != BAR:
                panel.set_xlabel("")
                panel.tick_params(labelbottom=at == BARS)
        made += panels
    if not len(shown):
        made.append(says_nothing(sheet.wide(above=True), _why_none(attribution, variable)))
    summary = json.loads(attribution.attrs["summary"])
    told = comparison_bars(summary, variable, sheet.wide())
    more = f"{len(shown)} of {len(wanted)} latents shown" if len(wanted) > len(shown) else ""
    told.set_title(more, fontsize=8, color=INK, loc="right")
    return [*made, told]


# inches: left edge and width of the panels of a row
_COLUMNS = (
    (2.3, 1.35), (3.8, 1.35), (5.23, 0.08), (6.45, 0.9), (8.25, 1.2), (9.65, 1.2), (11.05, 1.2),
)  # fmt: skip
FIRST, SECOND, BAR, BARS = range(4)
_WIDE, _BENEATH = 12.45, 1.9
"""Width of the figure, and height of what stands beneath the rows."""


class _Sheet:
    """A figure laid out in inches: a row per latent, and a wide panel beneath."""

    def __init__(self, maps: xr.DataArray, n_rows: int) -> None:
        self.map_high = 1.0
        if maps.ndim == 3:
            y, x = (np.ptp(maps[dim].values) for dim in maps.dims[1:])
            self.map_high = float(np.clip(1.35 * y / max(x, 1e-12), 0.9, 2.2))
        self.row_high = self.map_high + 0.55
        self.high = max(n_rows, 1) * self.row_high + 0.35 + _BENEATH
        self.figure = Figure(figsize=(_WIDE, self.high))

    def panel(self, row: int, column: int) -> Axes:
        left, width = _COLUMNS[column]
        bottom = self.high - 0.35 - row * self.row_high - self.map_high
        return self._axes(left, bottom, width, self.map_high)

    def wide(self, *, above: bool = False) -> Axes:
        return self._axes(2.3, _BENEATH if above else 0.5, 7.5, 1.0)

    def _axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        return self.figure.add_axes(
            (left / _WIDE, bottom / self.high, width / _WIDE, height / self.high)
        )


def _latent(
    panels: list[Axes], attribution: xr.Dataset, coded: Coded, latent: int, unit: str
) -> None:
    """A latent's name, its two fields on one scale, and its units."""
    (first, one_title), (second, other_title) = halves(attribution, latent, coded.name)
    top = scale_top(first, second)
    flat = first.ndim == 2
    for at, values, title in ((FIRST, first, one_title), (SECOND, second, other_title)):
        _field(panels[at], values, top, BLUE)
        tidy(panels[at], x=measured_in("x", unit) if flat else measured_in(coded.name, unit))
        panels[at].set_title(title, fontsize=8, color=INK, loc="left")
    panels[SECOND].tick_params(labelleft=False)
    panels[FIRST].set_ylabel(
        measured_in("y", unit) if flat else "mean activation", fontsize=9, color=INK
    )
    panels[FIRST].text(-0.58, 0.5, _said(attribution, latent), transform=panels[FIRST].transAxes,
                       fontsize=8, color=INK, ha="right", va="center")  # fmt: skip
    bar = panels[BAR]
    if flat:
        bar.figure.colorbar(ScalarMappable(Normalize(0, top), MAPS), cax=bar)
        bar.set_yticks([0, top], ["0", measure(top)])
        bar.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=2)
        bar.spines["outline"].set_visible(False)
    else:
        bar.set_axis_off()
    most = carrying_units(attribution, latent, 6)
    top_units(attribution, latent, units=most, ax=panels[BARS])
    panels[BARS].xaxis.set_major_locator(MaxNLocator(2, min_n_ticks=2))


def _units(
    panels: list[Axes], attribution: xr.Dataset, binned: xr.Dataset, coded: Coded, latent: int
) -> None:
    """The fields of the units that carry it most, each to its own scale."""
    panels = panels[1:]
    most = carrying_units(attribution, latent, len(panels))
    for panel in panels[len(most) :]:
        panel.set_axis_off()
    hertz = "" if binned[names.COUNTS].dtype.kind == "f" else " Hz"
    unit = str(binned[coded.name].attrs.get(names.UNITS_OF_MEASURE, ""))
    for panel, one in zip(panels, most.tolist(), strict=False):
        rate = _unit_field(binned, coded, one)
        peak = scale_top(rate)
        _field(panel, rate, peak, ORANGE)
        tidy(panel, x=measured_in("x" if rate.ndim == 2 else coded.name, unit))
        sign = "" if to_units(attribution, latent)[0][one] >= 0 else " (−)"
        said = plain(attribution[names.UNIT_ID].values[one], most=8)
        top = measure(peak) if np.isfinite(rate.values).any() else "–"
        panel.set_title(f"unit {said}{sign}: {top}{hertz}", fontsize=8, color=INK, loc="left")
        panel.tick_params(labelleft=False)


def _field(ax: Axes, values: xr.DataArray, top: float, colour: str) -> None:
    if values.ndim == 2:
        field(ax, values, Normalize(0, top))
        ax.set_anchor("C")
        ax.xaxis.set_major_locator(MaxNLocator(3))
        ax.yaxis.set_major_locator(MaxNLocator(3))
        return
    ax.plot(values[values.dims[0]].values, values.values, color=colour, linewidth=1.6)
    ax.set_ylim(0, top * 1.08)
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.yaxis.set_major_locator(MaxNLocator(3))


def _unit_field(binned: xr.Dataset, coded: Coded, unit: int) -> xr.DataArray:
    """A unit's mean rate (traces: mean activity) per place, on held-out bins in which it was observed."""
    use = part(binned, "test")
    if names.VALID in binned:
        use = use & binned[names.VALID].values[:, unit]
    bins = np.flatnonzero(use)
    counts = binned[names.COUNTS].values[bins][:, [unit]].astype(np.float64)
    if binned[names.COUNTS].dtype.kind != "f":
        counts /= float(binned.attrs[names.BIN_WIDTH])
    return tuning_curves(counts, [coded], bins)[f"tuning.{coded.name}"].isel({names.LATENT: 0})


def _said(attribution: xr.Dataset, latent: int) -> str:
    r, q = (attribution[name].values[latent] for name in ("association", "association_q"))
    confirmed = "confirmed" in attribution and bool(attribution["confirmed"].values[latent])
    q_said = p_value(q)
    equal = "" if q_said.startswith("<") else "= "
    lines = [
        f"latent {attribution[names.LATENT].values[latent]}",
        f"r = {number(r)}",
        f"q {equal}{q_said}",
        "confirmed" if confirmed else "not confirmed",
    ]
    if "label" in attribution:
        lines += wrap(plain(attribution["label"].values[latent], most=80), 24)
    return "\n".join(lines)


def _ranked(attribution: xr.Dataset, latents: np.ndarray) -> np.ndarray:
    q, r = (attribution[name].values[latents] for name in ("association_q", "association"))
    return latents[np.lexsort((-r, q))]


def _why_none(attribution: xr.Dataset, variable: str) -> str:
    if "n_confirmed_latents" not in attribution.attrs:
        return "no latent is confirmed: that takes several seeds (n_seeds=5)"
    return f"no confirmed latent follows {variable}"
