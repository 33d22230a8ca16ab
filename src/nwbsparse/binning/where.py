"""Bins in which a condition on behaviour, trials and events holds."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.grid import MIN_BINS
from nwbsparse.binning.variables import (
    AXES,
    category_names,
    conditions_of,
    covariates_of,
    events_of,
)
from nwbsparse.errors import BadInput
from nwbsparse.naming.number_words import number_of
from nwbsparse.query import select


def restricted(binned: xr.Dataset, where: str) -> xr.Dataset:
    """The bins in which a condition holds; those around a gap are no longer neighbours (``segment``).

    Raises:
        BadInput: it is no condition on what there is, or leaves too few bins.
    """
    columns: dict[str, np.ndarray] = {}
    for name in (*covariates_of(binned), *conditions_of(binned), *events_of(binned)):
        values = binned[name].values
        if values.ndim == 2:
            columns |= {
                f"{name}_{axis}": values[:, i] for i, axis in enumerate(AXES[: values.shape[1]])
            }
        elif names.CATEGORIES in binned[name].attrs:
            columns[name] = _category_values(binned[name])
        else:
            columns[name] = values
    keep = select(where, columns, what="where")
    if keep.sum() < MIN_BINS:
        raise BadInput(
            f"where = {where!r} leaves {keep.sum()} of {len(keep)} bins; at least {MIN_BINS} are needed"
        )
    index = np.flatnonzero(keep)
    old = binned[names.SEGMENT].values[index]
    new = np.concatenate([[0], np.cumsum((np.diff(index) > 1) | (np.diff(old) != 0))])
    kept = binned.isel({names.TIME: index})
    lost = binned[names.COUNTS].sum(names.TIME) - kept[names.COUNTS].sum(names.TIME)
    kept["dropped"] = binned["dropped"] + lost.astype(np.int64)
    for name in events_of(binned):
        gone = int(binned[name].sum()) - int(kept[name].sum())
        kept[name] = kept[name].assign_attrs(dropped=binned[name].attrs["dropped"] + gone)
    return kept.assign_coords({names.SEGMENT: (names.TIME, new.astype(np.int32))})


def _category_values(condition: xr.DataArray) -> np.ndarray:
    """What a condition compares: the names of the categories, or the numbers that these stand for."""
    called = category_names(condition)
    if condition.attrs.get(names.OF_NUMBERS):
        numbers = [number_of(word) for word in called]
        called = np.array([np.nan if one is None else one for one in numbers])
    return called[condition.values]
