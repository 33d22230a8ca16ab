"""Latents that mostly consist of units that share spikes: what a sorter split is one cell, perhaps."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.pools import are_pools
from nwbsparse.results.results import Results
from nwbsparse.views.report.embedded import is_of_units
from nwbsparse.views.words import listing, several

MOSTLY_ONE = 0.8
"""Share of the squared weights from which on a latent consists of one group of units."""
NAMED = 3
"""Latents whose units are named at the top of the page."""


def one_group(attribution: xr.Dataset, binned: xr.Dataset, latent: int) -> str:
    """Whether a latent mostly consists of units that share spikes, and of which; '' where it does not."""
    mine = units_of_one_group(attribution, binned, latent)
    if not mine:
        return ""
    if are_pools(binned):
        return f"mostly {listing(mine)}, which share spikes"
    return f"mostly units {listing(mine)}, which share spikes: one cell, perhaps"


def units_of_one_group(attribution: xr.Dataset, binned: xr.Dataset, latent: int) -> list[str]:
    """The units that share spikes of which a latent mostly consists, by their ids; none else."""
    if names.GROUP not in binned or not is_of_units(attribution):
        return []
    if attribution.sizes[names.UNIT] != binned.sizes[names.UNIT]:
        return []
    power = (
        attribution["weight"].values[latent].reshape(binned.sizes[names.UNIT], -1).sum(axis=1) ** 2
    )
    group = binned[names.GROUP].values
    share = np.bincount(group, weights=power) / max(power.sum(), 1e-300)
    most = int(share.argmax())
    mine = np.flatnonzero((group == most) & (power > 0.01 * power.sum()))
    if share[most] < MOSTLY_ONE or len(mine) < 2:
        return []
    return [str(one) for one in binned[names.UNIT_ID].values[mine]]


def perhaps_one_cell(results: Results, binned: xr.Dataset) -> list[int]:
    """The latents active on held-out bins, none a unit under another name, that are one such group."""
    active = ~results.metrics["dead"].values.astype(bool)
    single = results.attribution["single_unit"].values.astype(bool)
    return [
        int(latent)
        for latent in np.flatnonzero(active & ~single)
        if units_of_one_group(results.attribution, binned, int(latent))
    ]


def one_cell_said(results: Results, binned: xr.Dataset) -> str:
    """'1 of 2 latents mostly consists of units that share spikes: …'; '' where none does."""
    latents = perhaps_one_cell(results, binned)
    if not latents:
        return ""
    n_all = results.coder.n_latents
    which = "The one latent" if n_all == 1 else f"{len(latents)} of {n_all:,} latents"
    consist = "consists" if len(latents) == 1 else "consist"
    named = [
        f"latent {one} of {listing(units_of_one_group(results.attribution, binned, one))}"
        for one in latents[:NAMED]
    ]
    if len(latents) > NAMED:
        named.append(several(len(latents) - NAMED, "more latent"))
    cell = ""
    if not are_pools(binned):
        it = "It is one cell, perhaps" if len(latents) == 1 else "Each is one cell, perhaps"
        cell = f" {it}: see the data check on shared spikes."
    return f"{which} mostly {consist} of units that share spikes: {'; '.join(named)}.{cell}"
