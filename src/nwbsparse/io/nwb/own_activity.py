"""Counts and traces that nwbsparse wrote, with a table of their units beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.choose import Candidate
from nwbsparse.io.nwb.marks import bin_width_of, units_of_activity
from nwbsparse.io.nwb.rows import stretches_in
from nwbsparse.io.nwb.traces import Part, part_of, say_read, sound_clock
from nwbsparse.io.nwb.unit_rows import MODALITY, columns_of
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.units import sound_stretches
from nwbsparse.io.rules.values import load


@dataclass(frozen=True)
class _Rows:
    """All rows of a table, as what points to them."""

    table: Any
    data: np.ndarray


def read_own_activity(one: Candidate, account: Account) -> Part:
    """A (sample, unit) series and the table of its units, as they were when they were written.

    Raises:
        BadInput: there are other units than columns, or no clock.
    """
    series, path, table = one.thing, one.path, units_of_activity(one.thing)
    data = load(series.data, what=f"{path}/data")
    if data.ndim != 2 or data.shape[1] != len(table.id):
        raise BadInput(
            f"{path} has shape {data.shape}, and {table.name} beside it {len(table.id)} units: the file "
            "was changed since it was written"
        )
    clock = sound_clock(series, len(data), path=path, rate=None)
    columns = columns_of(_Rows(table, np.arange(len(table.id))), account)
    stored = columns.pop(f"{MODALITY}_column", None)
    columns.pop(names.UNIT_ROW, None)  # a unit a row, in order
    columns |= {} if stored is None else {MODALITY: stored}
    part = part_of(series, path, clock, data[clock.rows], columns, table=table)
    say_read(part, clock, len(data), account)
    return replace(part, bin_width=bin_width_of(series), observed=_observed(table, clock.times))


def _observed(table: Any, times: np.ndarray) -> tuple[np.ndarray, ...] | None:
    """When each unit was observed (s), where the table says it."""
    if "obs_intervals" not in table.colnames:
        return None
    flat, edges = stretches_in(table["obs_intervals"], np.arange(len(table.id)))
    reach = float(times[0]), float(times[-1])
    return tuple(sound_stretches(flat[a:b], reach) for a, b in pairwise(edges))
