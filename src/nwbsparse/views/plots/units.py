"""Figures of the units behind latents: weights, where in the brain they are, what ablation costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.analysis.apply.populations import units_of
from nwbsparse.analysis.units.attribute import DEPTH, REGION, by_region
from nwbsparse.errors import BadInput
from nwbsparse.views.drawing import BLUE, CYCLE, GREY, INK, ORANGE, axes, plain, says_nothing, tidy
from nwbsparse.views.report.embedded import is_of_units, to_units
from nwbsparse.views.words import number, percent

ROWS, COLUMNS = 40, 60
"""Latents and units of a heatmap at most."""
REGIONS = 12
"""Regions that are shown at most."""
_BESIDE = (40, 72)
"""Points from the axes' right edge to the two columns of numbers."""
NO_WEIGHTS = "a latent of an embedding has no weight on any unit"
NAMED = 3
"""Units whose names are written beside their weights."""


def top_units(
    attribution: xr.Dataset,
    latent: int,
    *,
    n: int = 8,
    units: Sequence[int] | np.ndarray | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The units a latent stands for: decoder weights, and how each fires while it is active.

    The number beside a bar is the unit's mean z-score in held-out bins in which the latent is
    active. The ``n`` largest |weight| first, without units that are silent on the held-out bins,
    unless ``units`` says which. Of a coder of an embedding, bars are correlations.
    """
    z = attribution["z"].values[latent]
    weight, said = to_units(attribution, latent)
    order = _strongest(attribution, latent, n) if units is None else np.asarray(units)
    ax = axes(ax, (2.7, 0.7 + 0.22 * len(order)))
    ids = attribution[names.UNIT_ID].values[order]
    return unit_bars(ax, weight[order], z[order], ids, x=said)


def unit_bars(ax: Axes, values: np.ndarray, z: np.ndarray, ids: np.ndarray, *, x: str) -> Axes:
    """A bar for each unit, its name at the left and its mean z-score at the right."""
    at = np.arange(len(values))
    ax.barh(at, values, height=0.62, color=[BLUE if one >= 0 else ORANGE for one in values])
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.set_yticks(at, [f"unit {plain(one, most=16)}" for one in ids])
    ax.set_ylim(len(values) - 0.4, -0.6)
    span = float(np.abs(values).max(initial=0)) or 1.0
    ax.set_xlim(-span * 1.05 if (values < 0).any() else 0, span * 1.05)
    for y, value in zip(at.tolist(), z, strict=True):
        text = f"{'+' if value > 0.05 else ''}{number(value, 1)}"
        ax.text(
            1.03, y, text, transform=ax.get_yaxis_transform(), va="center", fontsize=8, color=INK
        )
    ax.text(1.03, 1.0, "mean z", transform=ax.transAxes, fontsize=8, color=GREY, va="bottom")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    return tidy(ax, x=x)


def carrying_units(attribution: xr.Dataset, latent: int, n: int) -> np.ndarray:
    """The units that make a latent: largest product of its weight and their mean z while it is active.

    A large weight alone says little of a unit that hardly ever fires with the latent: what it adds
    is taken back by others. Of a coder of an embedding: the units of largest mean z.
    """
    z = attribution["z"].values[latent]
    weight = to_units(attribution, latent)[0] if is_of_units(attribution) else np.ones(len(z))
    known = np.isfinite(z)
    size = np.where(known, -weight * np.where(known, z, 0.0), np.inf)
    return np.argsort(size, kind="stable")[: min(n, int(known.sum()))]


def _strongest(attribution: xr.Dataset, latent: int, n: int) -> np.ndarray:
    z = attribution["z"].values[latent]
    fires = np.isfinite(z) if np.isfinite(z).any() else np.ones(len(z), dtype=bool)
    size = np.where(fires, -np.abs(to_units(attribution, latent)[0]), 1.0)
    return np.argsort(size, kind="stable")[: min(n, int(fires.sum()))]


def weights_along_depth(
    table: xr.Dataset, binned: xr.Dataset, latent: int, *, ax: Axes | None = None
) -> Axes:
    """A latent's weight on every unit, at the unit's depth along the probe, coloured by region.

    ``table`` is what ``attribute`` or ``explain`` gave for ``binned``, whose units carry ``depth``
    (drawn as it is stored, upwards) and perhaps ``region``. The three strongest units are named;
    the bar at the left is the mean depth ± spread, weighted by |weight|. Units that never fire or
    have no depth are left out and counted.
    """
    ax = axes(ax, (3.4, 4.0))
    if not is_of_units(table):
        return says_nothing(ax, NO_WEIGHTS)
    binned = units_of(table, binned)
    weight, use = _weights(table, binned, latent)
    if DEPTH not in binned.coords or binned[DEPTH].dtype.kind not in "fiu":
        return says_nothing(ax, "the units of this recording have no depth")
    depth = binned[DEPTH].values.astype(np.float64)
    shown = use & np.isfinite(depth) & np.isfinite(weight)
    if not shown.any():
        return says_nothing(ax, "no unit that fires has a depth")
    regions = _regions(binned)
    kinds = sorted(set(regions[shown]))
    many = len(kinds) > len(CYCLE) or len(kinds) == 1
    for colour, kind in zip(CYCLE, [None] if many else kinds, strict=False):
        here = shown if kind is None else shown & (regions == kind)
        label = "units" if kind is None else plain(kind, most=18)
        ax.hlines(depth[here], 0, weight[here], color=colour, linewidth=1.2)
        ax.plot(weight[here], depth[here], "o", color=colour, markersize=4, label=label)
    ax.axvline(0, color=GREY, linewidth=0.8)
    span = float(np.abs(weight[shown]).max()) or 1.0
    low, high = min(float(weight[shown].min()), 0.0), max(float(weight[shown].max()), 0.0)
    ax.set_xlim(low - 0.35 * span, high + 0.2 * span)
    _name_strongest(ax, binned, weight, depth, shown)
    summary = by_region(table.isel({names.LATENT: [latent]}), binned)
    mean, spread = (float(summary[name].values[0]) for name in ("depth_mean", "depth_spread"))
    if np.isfinite(mean):
        at = low - 0.28 * span
        ax.errorbar(at, mean, spread, fmt="_", color=GREY, markersize=8, linewidth=1.6, capsize=0,
                    label="mean ± spread")  # fmt: skip
    ax.legend(frameon=False, fontsize=8, labelcolor=INK, loc="lower left", ncols=2,
              bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.2, handlelength=1.2)  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(4))
    left_out = int((~shown).sum())
    n = f" ({left_out} of {len(shown)} units left out)" if left_out else ""
    return tidy(ax, x=f"weight of latent {latent}{n}", y="depth")


def weights_by_region(
    table: xr.Dataset, binned: xr.Dataset, latent: int, *, ax: Axes | None = None
) -> Axes:
    """A latent's weight on every unit, brain region by region, and how much of it is in each.

    At the right the region's share of Σ|weight|, beside its share of the units, which is what
    equal weights would give. At most twelve regions, those with the largest shares; the three
    strongest units are named. Units that never fire are left out and counted.
    """
    binned = units_of(table, binned)
    weight, use = _weights(table, binned, latent)
    shown = use & np.isfinite(weight)
    if REGION not in binned.coords or not shown.any():
        why = "the units of this recording have no region"
        return says_nothing(axes(ax, (5.2, 2.0)), why if shown.any() else "no unit fires here")
    summary = by_region(table.isel({names.LATENT: [latent]}), binned)
    share = np.nan_to_num(summary["region_share"].values[0])
    order = np.argsort(-share, kind="stable")[:REGIONS]
    regions, kinds = _regions(binned), summary[REGION].values[order]
    ax = axes(ax, (5.2, 0.9 + 0.5 * len(kinds)))
    row = np.full(len(weight), np.nan)
    for at, kind in enumerate(kinds):
        mine = np.flatnonzero(shown & (regions == kind))
        # dots side by side rather than on each other: the same places in every drawing
        row[mine] = at + np.linspace(-0.24, 0.24, 5)[np.arange(len(mine)) * 2 % 5]
        ax.plot(weight[mine], row[mine], "o", color=BLUE, markersize=4, alpha=0.75,
                markeredgewidth=0)  # fmt: skip
        of_units = float(summary["region_units"].values[order[at]])
        for offset, value in zip(_BESIDE, (share[order[at]], of_units), strict=True):
            ax.annotate(
                percent(value), (1, at), (offset, 0), xycoords=ax.get_yaxis_transform(), color=INK,
                textcoords="offset points", va="center", ha="right", fontsize=8, annotation_clip=False,
            )  # fmt: skip
    for offset, said in zip(_BESIDE, ("weight", "units"), strict=True):
        ax.annotate(
            said, (1, 1), (offset, 2), xycoords="axes fraction", textcoords="offset points",
            va="bottom", ha="right", fontsize=8, color=GREY, annotation_clip=False,
        )  # fmt: skip
    _name_strongest(ax, binned, weight, row, shown & np.isfinite(row))
    ax.axvline(0, color=GREY, linewidth=0.8)
    span = float(np.abs(weight[shown]).max()) or 1.0
    low, high = min(float(weight[shown].min()), 0.0), max(float(weight[shown].max()), 0.0)
    ax.set_xlim(low - 0.15 * span, high + 0.15 * span)
    ax.set_yticks(range(len(kinds)), [plain(kind, most=28) for kind in kinds])
    ax.set_ylim(len(kinds) - 0.5, -0.5)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.tick_params(axis="y", length=0)
    notes = [f"{(~shown).sum()} of {len(shown)} units left out"] if not shown.all() else []
    if len(share) > len(order):
        notes.append(f"{len(share) - len(order)} more regions not shown")
    said = f" ({'; '.join(notes)})" if notes else ""
    return tidy(ax, x=f"weight of latent {latent}{said}")


def ablation_heatmap(
    table: xr.Dataset, *, latents: Sequence[int] | np.ndarray | None = None, ax: Axes | None = None
) -> Axes:
    """What each unit's reconstruction loses without each latent: ΔR² on held-out bins.

    Of more than 40 latents those with the largest sum, and of more than 60 units likewise, unless
    ``latents`` says which; the axis labels say how many there are. Units stand beside the latent
    that carries them. Units without ΔR² (silent, or not assessable) are left out. Where leaving a
    latent out improves a unit, the square is orange.

    Args:
        table: what ``attribute`` gave.
        latents: which latents; None for those with the largest sum.
        ax: where to draw.
    """
    if "ablation" not in table:
        return says_nothing(axes(ax, (5.0, 2.6)), "attribute() gives the ablation; it was not run")
    values = table["ablation"].values
    known = np.flatnonzero(np.isfinite(values).any(axis=0))
    total = np.nan_to_num(np.abs(values)).sum(axis=1)
    rows = np.argsort(-total, kind="stable")[:ROWS] if latents is None else np.asarray(latents)
    if not len(known) or not len(rows):
        return says_nothing(axes(ax, (5.0, 2.6)), "no unit has a reconstruction to lose")
    here = np.nan_to_num(values[np.ix_(rows, known)])
    columns = known[np.sort(np.argsort(-here.max(axis=0), kind="stable")[:COLUMNS])]
    here = np.nan_to_num(values[np.ix_(rows, columns)])
    columns = columns[np.lexsort((-here.max(axis=0), here.argmax(axis=0)))]
    # latents in the order of the units that they carry most: blocks instead of scattered squares
    rows = rows[
        np.argsort(np.nan_to_num(values[np.ix_(rows, columns)]).argmax(axis=1), kind="stable")
    ]
    here = values[np.ix_(rows, columns)]
    ax = axes(ax, (2.2 + 0.13 * len(columns), 1.2 + 0.14 * len(rows)))
    top, low = max(float(np.nanmax(here)), 1e-6), float(np.nanmin(here))
    harm = low < -0.02 * top
    most = max(top, -low)
    scale = Normalize(-most, most) if harm else Normalize(0, top)
    colours = "PuOr" if harm else "Purples"
    ax.imshow(here, cmap=colours, norm=scale, aspect="auto", interpolation="none")
    every = max(1, len(rows) // 40), max(1, len(columns) // 60)
    ax.set_yticks(range(0, len(rows), every[0]), [str(i) for i in rows[:: every[0]]])
    of = str(table["ablation"].dims[1])
    ids = (table[names.UNIT_ID] if of == names.UNIT else table[of]).values[columns]
    ax.set_xticks(range(0, len(columns), every[1]), [plain(i, most=12) for i in ids[:: every[1]]])
    figure = ax.get_figure()
    assert figure is not None
    bar = figure.colorbar(ScalarMappable(scale, colours), ax=ax, fraction=0.04, pad=0.02)
    if harm:
        bar.ax.set_ylim(low, top)
    bar.set_label("ΔR² without the latent", fontsize=8.5, color=INK)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    bar.ax.tick_params(labelsize=8, color=GREY, labelcolor=INK, length=2)
    n = len(values), values.shape[1]
    tidy(
        ax,
        x=f"{of}{_of(len(columns), n[1], 'the rest silent' if len(columns) == len(known) else '')}",
        y=f"latent{_of(len(rows), n[0])}",
    )
    ax.tick_params(length=0, labelsize=7)
    ax.tick_params(axis="x", rotation=90)
    return ax


def _of(shown: int, n: int, why: str = "") -> str:
    return "" if shown == n else f" ({shown} of {n:,}{', ' + why if why else ''})"


def _weights(table: xr.Dataset, binned: xr.Dataset, latent: int) -> tuple[np.ndarray, np.ndarray]:
    """(unit,) the latent's weights, and which units say something."""
    if table.sizes[names.UNIT] != binned.sizes[names.UNIT]:
        raise BadInput(
            f"the table has {table.sizes[names.UNIT]} units, the recording "
            f"{binned.sizes[names.UNIT]}; pass the Binned dataset that the table was made from"
        )
    weight = table["weight"].values[latent].astype(np.float64)
    use = np.ones(len(weight), dtype=bool)
    return weight, table["assessable"].values.astype(bool) if "assessable" in table else use


def _regions(binned: xr.Dataset) -> np.ndarray:
    """(unit,) the region of each unit, named as :func:`by_region` does; '' without regions."""
    n = binned.sizes[names.UNIT]
    if REGION not in binned.coords:
        return np.full(n, "", dtype=object)
    # as if each unit were a latent that writes to it alone
    alone = xr.Dataset({"weight": ((names.LATENT, names.UNIT), np.eye(n))})
    summary = by_region(alone, binned)
    return summary[REGION].values[summary["region_share"].values.argmax(axis=1)]


def _name_strongest(
    ax: Axes, binned: xr.Dataset, weight: np.ndarray, height: np.ndarray, shown: np.ndarray
) -> None:
    strongest = np.argsort(np.where(shown, -np.abs(weight), 1.0), kind="stable")[:NAMED]
    for unit in strongest[shown[strongest] & (weight[strongest] != 0)]:
        # above the dot and inwards, where no axis is
        ax.annotate(
            plain(binned[names.UNIT_ID].values[unit], most=16),
            (weight[unit], height[unit]),
            (0, 2.5),
            textcoords="offset points",
            ha="right" if weight[unit] > 0 else "left",
            va="bottom",
            fontsize=8,
            color=INK,
        )
