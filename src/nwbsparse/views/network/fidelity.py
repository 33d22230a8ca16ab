"""What a network keeps with a coder in the place of a layer, beside what could stand there instead."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nwbsparse import names
from nwbsparse.views.drawing import CYCLE, GREY, axes, plain, tidy

INTACT = "intact"


def retained_by_representation(report: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Score of every variable, a row per representation; dotted is the intact network, a bar chance.

    Args:
        report: what :func:`nwbsparse.analysis.network.splice_report.splice_report` gave.
        ax: axes to draw on.
    """
    called = [str(one) for one in report[names.REPRESENTATION].values if str(one) != INTACT]
    heads = [str(one) for one in report[names.HEAD].values]
    drawn = axes(ax, (6.2, 0.34 * len(called) + 1.2))
    rows = np.arange(len(called))[::-1]
    step = 0.7 / max(len(heads), 1)
    for number, head in enumerate(heads):
        colour = CYCLE[number % len(CYCLE)]
        own = report["score"].sel({names.HEAD: head})
        values = own.sel({names.REPRESENTATION: called}).values
        places = rows + 0.35 - step * (number + 0.5)
        drawn.plot(values, places, "o", color=colour, ms=5, label=plain(head, most=24))
        drawn.axvline(float(own.sel({names.REPRESENTATION: INTACT})), color=colour, lw=0.8, ls=":")
        chance = float(report["chance"].sel({names.HEAD: head}))
        drawn.plot(np.full(len(rows), chance), places, "|", color=GREY, ms=6)
    drawn.set_yticks(rows, [plain(one, most=24) for one in called])
    low = float(np.nanmin(report["score"].values))
    drawn.set_xlim(min(0.0, max(low, -0.2)) - 0.02, 1.04)
    tidy(drawn, x="score on test trials (accuracy; R² of numbers)")
    drawn.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncol=4)
    return drawn
