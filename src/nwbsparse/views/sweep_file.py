"""The figure of a sweep, as one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from nwbsparse.files.whole import whole_file
from nwbsparse.studies.choice import HIDDEN
from nwbsparse.views.plots.sweep import sweep_pareto, sweep_sizes


def draw_sweep(table: xr.Dataset, path: Path) -> Path:
    """What sparsity costs and, where hidden units were told, what size gives, side by side as PNG.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    sized = HIDDEN in table and bool(np.isfinite(table[HIDDEN].values).any())
    drawn = (sweep_pareto, sweep_sizes) if sized else (sweep_pareto,)
    figure = Figure(figsize=(4.2 * len(drawn), 3.2), layout="constrained")
    for draw, ax in zip(drawn, np.atleast_1d(figure.subplots(1, len(drawn))), strict=True):
        draw(table, ax)
    with whole_file(path) as fresh:
        figure.savefig(fresh, format="png", dpi=150, metadata={"Software": None})
    return path
