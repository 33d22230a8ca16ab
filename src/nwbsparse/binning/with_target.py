"""Another population beside the first, in the same bins: what a coder may reconstruct from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.grid import Grid
from nwbsparse.binning.observed import observed
from nwbsparse.binning.select_units import Units, select_units
from nwbsparse.binning.sessions.merge import stacked
from nwbsparse.binning.to_bins import activity_on
from nwbsparse.binning.variables import coordinates
from nwbsparse.errors import BadInput
from nwbsparse.schema import check, with_step
from nwbsparse.session import Session

POPULATION = "population"
"""Coordinate of units: 'read', or 'target' for those that were put beside them."""
READ, TARGET = "read", "target"


def with_target(
    binned: xr.Dataset,
    target: Session,
    *,
    units: Units | None = None,
    regions: str | Iterable[str] | None = None,
) -> xr.Dataset:
    """Put another population beside the units of a Binned dataset, to be reconstructed from them.

    For populations of two tables: Units and an imaging plane, two planes, two sortings. Fit with
    ``Config(target_units="population == 'target'")``; ``encode``, ``evaluate`` and ``explain`` take
    the same dataset, ``write`` the second session as ``Results(…, target=…)``.

    Args:
        binned: Binned dataset of what is read; its bins, splits and behaviour stay as they are.
        target: the session of the others, on the same clock (s).
        units: which of them, as in :func:`nwbsparse.to_bins`.
        regions: keep only those of these brain regions.

    Returns:
        The dataset with all units: first those of ``binned``, then the others;
        ``population(unit)`` is 'read' or 'target'. Where an id is in both, the others' ids are
        ``<series>:<id>``. ``valid`` is False for them in bins in which they were not recorded.

    Raises:
        BadInput: the dataset has a target already, nothing of the other recording lies in its
            bins, or units are both read and to be reconstructed.
    """
    check(binned, names.BINNED)
    if POPULATION in binned.coords:
        raise BadInput("these bins hold a target already; start from those without it")
    grid = _grid_of(binned)
    rows = select_units(target, units, regions=regions)
    there = activity_on(target, grid, rows, lazy=False)
    seen = _recorded(target, grid)
    if not seen.any():
        raise BadInput(
            "the target was not recorded in any of these bins: are its times in seconds, on the "
            "clock of the others?"
        )
    if not seen.all():
        valid = np.broadcast_to(seen[:, None], there[names.COUNTS].shape)
        known = there[names.VALID].values if names.VALID in there else True
        there[names.VALID] = xr.DataArray(valid & known, dims=(names.TIME, names.UNIT))
    other = xr.Dataset(there, coords=coordinates(target, grid, rows, there))
    _check_others(binned, other)
    called = target.traces.name if target.traces is not None else "units"
    ids = [str(one) for one in other[names.UNIT_ID].values]
    if set(ids) & {str(one) for one in binned[names.UNIT_ID].values}:
        other = other.assign_coords({names.UNIT_ID: (names.UNIT, [f"{called}:{i}" for i in ids])})
    made = _side_by_side(binned, other)
    said = {"target": called, "units": other.sizes[names.UNIT]}
    return check(with_step(made, "with_target", said), names.BINNED)


def _check_others(binned: xr.Dataset, other: xr.Dataset) -> None:
    """Refuse units that are read already: to reconstruct a unit from itself says nothing."""
    column = {str(unit): at for at, unit in enumerate(binned[names.UNIT_ID].values)}
    read, there = binned[names.COUNTS].values, other[names.COUNTS].values
    again = [
        str(unit)
        for at, unit in enumerate(other[names.UNIT_ID].values)
        if str(unit) in column
        and there[:, at].any()
        and np.array_equal(read[:, column[str(unit)]], there[:, at])
    ]
    if again:
        raise BadInput(
            f"{len(again)} of the {other.sizes[names.UNIT]} target units are read too (same id, same "
            f"counts in every bin; {again[0]} is the first): read only the others, or take others as "
            "the target with units= or regions="
        )


def _grid_of(binned: xr.Dataset) -> Grid:
    """The grid that bins stand on; a segment is a run of equal bins."""
    width = float(binned.attrs[names.BIN_WIDTH])
    _, first, n = np.unique(binned[names.SEGMENT].values, return_index=True, return_counts=True)
    return Grid(binned[names.TIME].values[first] - width / 2, n.astype(np.int64), width)


def _recorded(session: Session, grid: Grid) -> np.ndarray:
    """(time,) bool: the bins in whose centre a recording ran."""
    stretches, _ = observed(session)
    if not len(stretches):
        return np.zeros(grid.size, dtype=bool)
    at = np.searchsorted(stretches[:, 0], grid.centres, side="right") - 1
    return (at >= 0) & (grid.centres < stretches[at.clip(0), 1])


def _side_by_side(binned: xr.Dataset, other: xr.Dataset) -> xr.Dataset:
    sizes = [one.sizes[names.UNIT] for one in (binned, other)]
    made: dict[str, Any] = {}
    counts = [one[names.COUNTS].values for one in (binned, other)]
    made[names.COUNTS] = ((names.TIME, names.UNIT), np.concatenate(counts, axis=1))
    if names.VALID in binned or names.VALID in other:
        seen = [
            one[names.VALID].values if names.VALID in one else np.ones(table.shape, dtype=bool)
            for one, table in zip((binned, other), counts, strict=True)
        ]
        made[names.VALID] = ((names.TIME, names.UNIT), np.concatenate(seen, axis=1))
    columns = dict.fromkeys(
        str(name)
        for one in (binned, other)
        for name, variable in one.variables.items()
        if variable.dims == (names.UNIT,) and name != names.UNIT
    )
    for name in columns:
        values = [
            one.variables[name].values if name in one.variables else None for one in (binned, other)
        ]
        made[name] = (names.UNIT, stacked(values, sizes))
    made[names.UNIT] = np.arange(sum(sizes))
    made[POPULATION] = (names.UNIT, np.repeat([READ, TARGET], sizes))
    coords = {*binned.coords, *other.coords, POPULATION} & {*made}
    return binned.drop_dims(names.UNIT).assign(made).set_coords([str(one) for one in coords])
