"""Spikes → counts per bin and unit, and which of those bins a unit was observed in."""

from __future__ import annotations

import numpy as np

from nwbsparse.binning.grid import EDGE_TOLERANCE, Grid, union
from nwbsparse.errors import raise_together
from nwbsparse.query import select
from nwbsparse.session import Session


def count_spikes(session: Session, grid: Grid, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spikes of the given units in each bin.

    Returns ``counts`` (time, unit) in the smallest unsigned integer type that holds the largest
    count, and ``dropped`` (unit,): spikes in no bin, so that ``counts.sum() + dropped.sum()`` is
    the number of spikes.
    """
    counts = np.zeros((grid.size, len(rows)), dtype=np.uint8)
    dropped = np.zeros(len(rows), dtype=np.int64)
    for column, row in enumerate(rows):
        bins = grid.index(session.spikes_of(row))
        inside = bins >= 0
        dropped[column] = len(bins) - np.count_nonzero(inside)
        of_unit = np.bincount(bins[inside], minlength=grid.size)
        needed = np.min_scalar_type(int(of_unit.max(initial=0)))
        if needed.itemsize > counts.dtype.itemsize:
            counts = counts.astype(needed)
        counts[:, column] = of_unit
    return counts, dropped


def observed_bins(session: Session, grid: Grid, rows: np.ndarray) -> np.ndarray | None:
    """(time, unit) bool: whether the whole bin lies in the unit's obs_intervals.

    A zero outside them is not silence. None when every unit was observed in every bin.
    """
    if session.obs_intervals is None:
        return None
    lefts = grid.lefts
    valid = np.zeros((grid.size, len(rows)), dtype=bool)
    for column, row in enumerate(rows):
        for start, stop in union(session.obs_intervals[row]):
            inside = (lefts >= start - EDGE_TOLERANCE) & (
                lefts + grid.bin_width <= stop + EDGE_TOLERANCE
            )
            valid[inside, column] = True
        if not len(session.obs_intervals[row]):  # a unit without any: nothing is known against it
            valid[:, column] = True
    return None if valid.all() else valid


def select_units(session: Session, units: str | None) -> np.ndarray:
    """Rows of the units table that were asked for: all, ids, 'good', or a condition on columns.

    Raises:
        BadInput: an id or column does not exist, or no unit remains.
    """
    if units is None:
        return np.arange(session.n_units)
    ids = [str(value) for value in session.units["unit_id"].values]
    words = [word.strip() for word in units.split(",")]
    text = "quality == 'good'" if units.strip() == "good" else units
    if all(word.replace("_", "").replace("-", "").isalnum() for word in words) and text == units:
        unknown = [word for word in words if word not in ids]
        raise_together(
            [f"there is no unit '{word}' among the {len(ids)} units" for word in unknown],
            heading=f"units = {units!r}",
        )
        return np.array([row for row, unit_id in enumerate(ids) if unit_id in words])
    columns = {str(name): session.units[name].values for name in session.units.variables}
    rows = np.flatnonzero(select(text, columns, what="units"))
    raise_together(
        [f"none of the {len(ids)} units satisfies it"] if not len(rows) else [],
        heading=f"units = {units!r}",
    )
    return rows
