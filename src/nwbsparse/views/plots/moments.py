"""Figure of the moments at which a latent is strongest, with what its units did there."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nwbsparse import names
from nwbsparse.analysis.apply.activity import activation_of
from nwbsparse.views.drawing import BLUE, INK, NEVER, axes, plain, says_nothing, tidy
from nwbsparse.views.plots.units import carrying_units

MOMENTS = 3
UNITS = 8
"""Units that are drawn: those that carry the latent most."""


def strongest_moments(
    latents: xr.Dataset, binned: xr.Dataset, latent: int, *, apart: float = 5.0
) -> np.ndarray:
    """(moment,) bins in which a latent is strongest, 5 s or more apart, strongest first; three at most."""
    x = activation_of(latents, latent)
    far = max(1, round(apart / float(binned.attrs[names.BIN_WIDTH])))
    picked: list[int] = []
    for at in np.argsort(-x, kind="stable").tolist():
        if x[at] <= 0 or len(picked) == MOMENTS:
            break
        if all(abs(at - other) >= far for other in picked):
            picked.append(at)
    return np.array(picked, dtype=np.int64)


def around(segment: np.ndarray, centre: int, bins: int) -> slice:
    """So many bins before and after one, as far as the recording goes on without a pause."""
    low, high = max(0, centre - bins), min(len(segment), centre + bins + 1)
    same = np.flatnonzero(segment[low:high] == segment[centre]) + low
    return slice(int(same[0]), int(same[-1]) + 1)


def moments(
    latents: xr.Dataset,
    binned: xr.Dataset,
    attribution: xr.Dataset,
    latent: int,
    *,
    bins: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """The moments at which a latent is strongest, and what its units did there.

    Above its activation, beneath the eight units that carry it most, each to its maximum over the
    recording; twenty bins before and after, as far as the recording goes on: what lies in a pause of it
    is grey. The panels are children of the returned axes.

    Args:
        latents: what ``encode`` gave.
        binned: the bins they are of.
        attribution: what ``explain`` gave.
        latent: its number.
        bins: how many before and after.
        ax: where to draw.
    """
    ax = axes(ax, (8.4, 2.7))
    ax.set_axis_off()
    at = strongest_moments(latents, binned, latent)
    if not len(at):
        return says_nothing(ax, "it is never active")
    units = carrying_units(attribution, latent, UNITS)
    counts = binned[names.COUNTS].values
    x = activation_of(latents, latent)
    segment = binned[names.SEGMENT].values
    width = float(binned.attrs[names.BIN_WIDTH])
    tops = np.maximum(np.nanmax(counts[:, units], axis=0).astype(np.float64), 1e-12)
    wide = 0.9 / len(at)
    for place, centre in enumerate(at.tolist()):
        some = around(segment, centre, bins)
        seconds = (np.arange(some.start, some.stop) - centre) * width
        left = 0.1 + wide * place
        above = ax.inset_axes((left, 0.68, wide * 0.88, 0.2))
        below = ax.inset_axes((left, 0.16, wide * 0.88, 0.48), sharex=above)
        above.fill_between(seconds, x[some], step="mid", color=BLUE, linewidth=0)
        for panel in (above, below):
            panel.set_facecolor(NEVER)
        above.axvspan(seconds[0] - width / 2, seconds[-1] + width / 2, color="white", zorder=-1)
        above.set_xlim(-(bins + 0.5) * width, (bins + 0.5) * width)
        above.set_ylim(0, float(x[at].max()) * 1.05)
        above.set_yticks([])
        below.imshow(
            (counts[some][:, units] / tops).T, aspect="auto", cmap="Greys", vmin=0, vmax=1,
            interpolation="none",
            extent=(seconds[0] - width / 2, seconds[-1] + width / 2, len(units) - 0.5, -0.5),
        )  # fmt: skip
        when = float(binned[names.TIME].values[centre])
        tidy(above, title=f"at {when:,.1f} s")
        tidy(below, x="s from its peak")
        below.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        above.tick_params(labelbottom=False, length=0)
        ids = [plain(one, most=8) for one in attribution[names.UNIT_ID].values[units]]
        below.set_yticks(range(len(units)), ids if not place else [""] * len(units))
        below.tick_params(axis="y", length=0, labelsize=7.5)
        if not place:
            below.set_ylabel("unit", fontsize=9, color=INK)
    return ax
