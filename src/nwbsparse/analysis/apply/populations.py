"""The units that a coder reads and those that it reconstructs, apart: they may be others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.models.coder import SparseCoder

INPUT = "input_"
"""What the names of variables about the units that are read begin with, where they are others."""


def encoded(coder: SparseCoder, data: xr.Dataset) -> xr.Dataset:
    """The units that a coder reads, in its order; of an autoencoder the dataset as it is."""
    if coder.record.target_ids is None:
        return data
    inputs, _ = coder.record.columns(data[names.UNIT_ID].values)
    return data.isel({names.UNIT: inputs})


def reconstructed(coder: SparseCoder, data: xr.Dataset) -> xr.Dataset:
    """The units that a coder reconstructs, in its order; of an autoencoder the dataset as it is."""
    if coder.record.target_ids is None:
        return data
    _, targets = coder.record.columns(data[names.UNIT_ID].values)
    return data.isel({names.UNIT: targets})


def input_names(coder: SparseCoder, data: xr.Dataset) -> dict[str, object]:
    """The coordinates that say which units are read, where they are not those reconstructed."""
    if coder.record.target_ids is None:
        return {}
    return as_input(unit_names(encoded(coder, data)))


def as_input(variables: dict[str, Any]) -> dict[str, Any]:
    """Variables and coordinates of units that are read, under names of their own."""
    return {f"{INPUT}{name}": _of_inputs(one) for name, one in variables.items()}


def read_ids(attribution: xr.Dataset) -> np.ndarray:
    """Ids of the units that latents are made from: what ``like_unit`` and ``best_unit`` count in."""
    apart = names.INPUT_UNIT_ID in attribution.coords
    return attribution[names.INPUT_UNIT_ID if apart else names.UNIT_ID].values


def units_of(table: xr.Dataset, data: xr.Dataset) -> xr.Dataset:
    """The units of a recording that ``unit`` of a table stands for: those that are reconstructed.

    Where the coder reads others; else the recording as it is.
    """
    if names.INPUT_UNIT not in table.dims:
        return data
    at = {str(one): column for column, one in enumerate(data[names.UNIT_ID].values)}
    ids = [str(one) for one in table[names.UNIT_ID].values]
    return data.isel({names.UNIT: [at[one] for one in ids if one in at]})


def _of_inputs(variable: Any) -> Any:
    if not isinstance(variable, tuple):
        return variable
    dims, *rest = variable
    if isinstance(dims, str):
        return (names.INPUT_UNIT if dims == names.UNIT else dims, *rest)
    return (tuple(names.INPUT_UNIT if dim == names.UNIT else dim for dim in dims), *rest)


def unit_names(data: xr.Dataset) -> dict[str, object]:
    """The coordinates that say which unit is which; without rows of a table, their order."""
    rows = np.arange(data.sizes[names.UNIT])
    table_rows = data[names.UNIT_ROW].values if names.UNIT_ROW in data.coords else rows
    known: dict[str, object] = {
        names.UNIT: rows,
        names.UNIT_ID: (names.UNIT, data[names.UNIT_ID].values),
        names.UNIT_ROW: (names.UNIT, table_rows),
    }
    if names.MERGED_UNITS in data.coords:
        known[names.MERGED_UNITS] = (names.UNIT, data[names.MERGED_UNITS].values)
    return known


def over_dims(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Variables of a coder of an embedding, whose columns are dims and no units."""
    made: dict[str, Any] = {}
    for name, one in variables.items():
        if isinstance(one, tuple):
            dims = (one[0],) if isinstance(one[0], str) else one[0]
            one = (tuple(names.DIM if dim == names.UNIT else dim for dim in dims), *one[1:])
        made[name] = one
    return made


def target_names(coder: SparseCoder, data: xr.Dataset) -> dict[str, object]:
    """The coordinates of the units that are reconstructed, or of the dims of an embedding."""
    if coder.config.reads == names.EMBEDDING:
        return {names.DIM: np.arange(coder.n_targets)}
    _, targets = coder.record.columns(data[names.UNIT_ID].values)
    return unit_names(data.isel({names.UNIT: targets}))
