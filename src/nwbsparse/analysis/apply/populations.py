"""Which units results are about: those that latents are compared with, and those of a table."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.models.coder import SparseCoder


def explained_units(coder: SparseCoder, binned: xr.Dataset) -> xr.Dataset:
    """The units that latents are compared with: those that are read, in the coder's order.

    Of a coder of an embedding all that were recorded, since the embedding was made from them.
    """
    return coder.reads(binned).data if coder.record.of_units else binned


def read_ids(attribution: xr.Dataset) -> np.ndarray:
    """Ids of the units that latents are made from: what ``like_unit`` and ``best_unit`` count in."""
    apart = names.INPUT_UNIT_ID in attribution.coords
    return attribution[names.INPUT_UNIT_ID if apart else names.UNIT_ID].values


def units_of(table: xr.Dataset, binned: xr.Dataset) -> xr.Dataset:
    """The units of a recording that ``unit`` of a table stands for: those that are reconstructed.

    Where the coder reads others; else the recording as it is.
    """
    if names.INPUT_UNIT not in table.dims:
        return binned
    at = {str(one): column for column, one in enumerate(binned[names.UNIT_ID].values)}
    ids = [str(one) for one in table[names.UNIT_ID].values]
    return binned.isel({names.UNIT: [at[one] for one in ids if one in at]})
