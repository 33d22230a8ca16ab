"""The latents that the page shows, in time: a held-out stretch with the behaviour that they follow."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from nwbsparse.binning.variables import conditions_of, covariates_of, events_of
from nwbsparse.results.results import Results
from nwbsparse.views import plots
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.words import listing, several

IN_TIME = 12
"""Latents that are drawn in time."""
BENEATH = 3
"""Variables that are drawn beneath them."""


def in_time(results: Results, binned: xr.Dataset, latents: Sequence[int]) -> dict[str, str]:
    """``raster``, the picture ('' for none), and ``in_time_said``, what it shows.

    Args:
        results: of the page.
        binned: the bins they are of.
        latents: that the page shows one by one, in its order.
    """
    every = list(dict.fromkeys(latents))
    shown = every[:IN_TIME]
    if not shown:
        return {"raster": "", "in_time_said": ""}
    known = {*covariates_of(binned), *conditions_of(binned), *events_of(binned)}
    followed = [str(results.attribution["best_variable"].values[latent]) for latent in shown]
    beneath = [name for name in dict.fromkeys(followed) if name in known][:BENEATH]
    drawn = plots.latent_raster(results.latents, binned, shown, variable=beneath)
    if len(shown) < len(every):
        which = f"the first {several(len(shown), 'latent')} of those shown above"
    else:
        which = "the latent shown above" if len(shown) == 1 else "the latents shown above"
    own = (
        "scaled to its maximum there" if len(shown) == 1 else "each scaled to its own maximum there"
    )
    behaviour = f", with {listing(beneath)} beneath" if beneath else ""
    return {
        "raster": data_uri(drawn),
        "in_time_said": f"A held-out stretch: {which}, {own}{behaviour}.",
    }
