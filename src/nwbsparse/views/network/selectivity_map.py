"""Which latents of a site differ with which variable: η² of every latent that is active."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nwbsparse import names
from nwbsparse.views.drawing import INK, axes, plain, says_nothing, tidy


def selectivity_map(selectivity: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """A row per variable, a column per active latent, ordered by what it is selective for.

    Args:
        selectivity: what :func:`nwbsparse.analysis.network.site_selectivity.site_selectivity` gave.
        ax: axes to draw on.
    """
    heads = [str(one) for one in selectivity[names.HEAD].values]
    eta2 = selectivity["eta2"].transpose(names.HEAD, names.LATENT).values
    alive = np.flatnonzero(selectivity["density"].values > 0)
    drawn = axes(ax, (7.2, 0.36 * len(heads) + 1.1))
    if not len(alive):
        return says_nothing(drawn, "no latent is active in these trials")
    best = np.nan_to_num(eta2[:, alive]).argmax(axis=0)
    order = alive[np.lexsort((-np.nan_to_num(eta2[:, alive]).max(axis=0), best))]
    image = drawn.imshow(
        eta2[:, order], aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest"
    )
    drawn.set_yticks(range(len(heads)), [plain(one, most=24) for one in heads])
    drawn.set_xticks([])
    tidy(drawn, x=f"{len(order)} latents that are active in test trials")
    figure = drawn.get_figure()
    assert figure is not None
    bar = figure.colorbar(image, ax=drawn, shrink=0.9, pad=0.02)
    bar.set_label("η²", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=8)
    return drawn
