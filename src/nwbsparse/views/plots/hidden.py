"""How well hidden units are told, by the coder and by simpler models."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nwbsparse.analysis.quality.hidden_said import CALLED
from nwbsparse.views.drawing import BLUE, GREY, INK, PALE, axes, says_nothing, tidy

LOWEST = -0.5
"""R² of a unit below which a point stands at the edge."""


def hidden_units(metrics: xr.Dataset, ax: Axes | None = None) -> Axes:
    """What units tell of those that are hidden: the coder beside simpler models, and unit by unit.

    Left: R² of hidden units over all of them, with one standard error; models fitted in the same
    bins with as many components as there are latents, and a regression on all visible units. Right:
    each unit told by the latents and by as many principal components; above the line the latents
    tell more. Units below −0.5 stand at the edge.

    Args:
        metrics: what ``evaluate(…, detail="all")`` gave.
        ax: where to draw; the unit by unit part takes its right half.
    """
    ax = axes(ax, (5.1, 2.6))
    if "hidden_unit_r2" not in metrics or not np.isfinite(float(metrics["hidden_unit_r2"])):
        return says_nothing(ax, "no hidden units were told")
    names = ["latents", *(CALLED.get(str(one), str(one)) for one in metrics["baseline"].values)]
    values, errors = (
        np.concatenate(
            [[float(metrics[f"hidden_unit_r2{end}"])], metrics[f"hidden_baseline_r2{end}"]]
        )
        for end in ("", "_se")
    )
    known = np.isfinite(values)
    shown = [name for name, there in zip(names, known, strict=True) if there]
    values, errors = values[known], np.nan_to_num(errors[known])
    ax.set_axis_off()
    bars, points = ax.inset_axes((0.0, 0.0, 0.42, 1.0)), ax.inset_axes((0.62, 0.0, 0.38, 1.0))
    at = np.arange(len(values))
    low = min(float((values - errors).min()), 0.0)
    bars.barh(at, values, height=0.62, color=[BLUE, *[GREY] * (len(values) - 1)])
    bars.errorbar(values, at, xerr=errors, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
    bars.axvline(0, color=GREY, linewidth=0.8)
    bars.set_yticks(at, shown)
    bars.invert_yaxis()
    most = max(float((values + errors).max()), 0.01)
    bars.set_xlim(low * 1.1, most * 1.1)
    bars.locator_params(axis="x", nbins=4)
    tidy(bars, x="R² of hidden units")
    bars.tick_params(axis="y", length=0)
    _each_unit(points, metrics)
    return ax


def _each_unit(ax: Axes, metrics: xr.Dataset) -> None:
    latents = metrics["unit_hidden_r2"].values
    components = metrics["unit_hidden_baseline_r2"].sel(baseline="pca").values
    both = np.isfinite(latents) & np.isfinite(components)
    x, y = (np.maximum(one[both], LOWEST) for one in (components, latents))
    ends = np.array([min(x.min(), y.min(), 0.0), max(x.max(), y.max(), 0.02)])
    ends += np.array([-0.06, 0.06]) * np.ptp(ends)
    ax.plot(ends, ends, color=PALE, linewidth=1)
    ax.plot(x, y, ".", color=BLUE, markersize=4, alpha=0.7, markeredgewidth=0)
    ax.set_xlim(*ends)
    ax.set_ylim(*ends)
    ax.locator_params(nbins=4)
    tidy(ax, x="R² of a unit, PCA", y="latents")
