"""The ablation matrix as a picture: what each variable loses when the latents of another one go."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nwbsparse import names
from nwbsparse.views.drawing import INK, plain, says_nothing, tidy

SHOWN = ("latents", "raw dims", "pca", "random latents", "shuffled labels", "untrained network")
COLOURS = "Blues"
DARK = 0.6


def ablation_panels(matrix: xr.Dataset, *, ablation: str = "resample") -> Axes:
    """One square per representation: rows are what was removed, columns what was asked.

    Args:
        matrix: what :func:`nwbsparse.analysis.network.ablation_matrix.ablation_matrix` gave.
        ablation: what was put in the place of what was removed.
    """
    held = matrix[names.REPRESENTATION].values.tolist()
    shown = [name for name in SHOWN if name in held]
    heads = [str(one) for one in matrix[names.HEAD].values]
    n_columns = min(3, len(shown))
    n_rows = -(-len(shown) // n_columns)
    size = 0.55 * len(heads) + 1.4
    figure = Figure(figsize=(n_columns * size + 0.6, n_rows * size + 0.3), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    for ax in grid.flat[len(shown) :]:
        ax.set_axis_off()
    for number, (ax, name) in enumerate(zip(grid.flat, shown, strict=False)):
        drop = matrix["normalised_drop"].sel({names.REPRESENTATION: name, names.ABLATION: ablation})
        values = drop.transpose(names.REMOVED, names.HEAD).values
        _panel(ax, values, heads, name, left=number % n_columns == 0)
    return grid.flat[0]


def _panel(ax: Axes, values: np.ndarray, heads: list[str], title: str, *, left: bool) -> None:
    if not np.isfinite(values).any():
        says_nothing(ax, "nothing is decoded above chance")
        ax.set_title(plain(title), fontsize=9, color=INK, loc="left")
        return
    ax.imshow(np.clip(values, 0, 1), cmap=COLOURS, vmin=0, vmax=1)
    for row, column in np.argwhere(np.isfinite(values)):
        value = values[row, column]
        colour = "white" if value > DARK else INK
        ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour)
    tidy(ax, title=title)
    short = [plain(one, most=14) for one in heads]
    ax.set_xticks(range(len(heads)), short, rotation=35, ha="right")
    ax.set_yticks(range(len(heads)), short if left else [""] * len(heads))
