"""When the units of a file were observed, and whether their spikes bear that out."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbsparse.io.nwb.rows import row_ids, stretches_in
from nwbsparse.io.rules.account import Account, counted, listed
from nwbsparse.io.rules.spikes import Spikes
from nwbsparse.io.rules.units import sound_stretches
from nwbsparse.io.rules.values import shape_of
from nwbsparse.io.rules.vectors import OddForm

FEW = 0.05
"""Share of the spikes below which intervals are on another clock, or in another unit of time."""


def read_obs_intervals(
    table: Any, spikes: Spikes, account: Account, *, time_scale: float
) -> tuple[np.ndarray, ...] | None:
    """When each unit was observed (s), one (n, 2) array per unit; None where the file is silent.

    Without an index row ``i`` is the one stretch of unit ``i``. An interval that is open (inf)
    begins with the first or ends with the last spike of the population. A unit that has spikes but no
    intervals counts as observed from the first to the last spike. Where the index is damaged anywhere, all
    intervals are left out: a unit whose intervals are in doubt would count as observed
    throughout, beside others that do not. So are intervals that hold hardly a spike.
    """
    if "obs_intervals" not in table.colnames:
        return None
    column: Any = table["obs_intervals"]
    try:
        flat, edges = stretches_in(column, row_ids(table)[0], time_scale=time_scale)
    except OddForm as error:
        return _left_out(error.why, (shape_of(column.data) or (0,))[0], account)
    if not edges[-1]:
        return None
    per_unit, kept, unstated = [], 0, []
    n_held = n_stated = 0
    for at, row in enumerate(spikes.rows):
        train = spikes.times[spikes.index[at] : spikes.index[at + 1]]
        own = sound_stretches(flat[edges[row] : edges[row + 1]], spikes.extent)
        kept += len(own)
        if len(own):
            n_held += _n_inside(train, own)
            n_stated += len(train)
        elif len(train):
            unstated.append(row)
            own = np.array([spikes.extent])
        per_unit.append(own)
    if n_held < FEW * n_stated:
        share = f"{n_held:,} of the {n_stated:,} spikes of their units lie in them"
        return _left_out(f"{share}: another clock or unit of time?", len(flat), account)
    elsewhere = int(np.diff(edges).sum() - np.diff(edges)[spikes.rows].sum())
    repairs = [f"{counted(elsewhere, 'interval')} of units left out dropped"] if elsewhere else []
    if empty := len(flat) - kept - elsewhere:
        repairs.append(f"{empty} empty or NaN intervals dropped")
    notes = [f"none for rows {listed(unstated)}: taken as observed throughout"] if unstated else []
    if n_open := int(np.isinf(flat).any(axis=1).sum()):
        notes.append(f"{counted(n_open, 'open interval')}: taken to begin or end with the spikes")
    account.add("column", "units/obs_intervals", len(flat), kept, notes=notes, repairs=repairs)
    return tuple(per_unit)


def _left_out(fault: str, n_found: int, account: Account) -> None:
    said = f"left out: {fault}; all units count as observed throughout"
    account.add("column", "units/obs_intervals", n_found, 0, repairs=[said])


def _n_inside(train: np.ndarray, stretches: np.ndarray) -> int:
    """How many spikes lie in stretches, those in two of them counted twice."""
    first = np.searchsorted(train, stretches[:, 0], side="left")
    return int((np.searchsorted(train, stretches[:, 1], side="right") - first).sum())
