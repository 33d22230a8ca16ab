"""Trials, epochs and every other table of intervals, with what each column says about a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable, VectorIndex
from pynwb.epoch import TimeIntervals

from nwbsparse.io.nwb.columns import columns_in, hidden_columns, times_in
from nwbsparse.io.nwb.contents import recorded
from nwbsparse.io.rules.account import Account, counted
from nwbsparse.io.rules.clock import Reach
from nwbsparse.io.rules.intervals import START, STOP, read_table
from nwbsparse.io.rules.values import shape_of, text
from nwbsparse.io.rules.vectors import OddForm, is_vector, kind_of


def read_intervals(
    nwbfile: Any,
    account: Account,
    *,
    reach: Reach,
    path_of: Callable[[Any], str],
    builder_of: Callable[[Any], Any],
) -> dict[str, xr.Dataset]:
    """Every table of intervals but ``invalid_times``, by name, in the order of its rows.

    A NaN stop becomes the next start (the last spike for the last row). Rows without a start,
    without any stop, or that stop before they start are dropped. All of it is counted, as are
    rows that overlap and rows outside the activity: those are kept. A plain table that has starts
    and stops (stimuli are often kept so) counts as a table of intervals.
    """
    tables: dict[str, xr.Dataset] = {}
    found = [thing for thing in recorded(nwbfile) if holds_intervals(thing)]
    for table in sorted(found, key=path_of):
        if table is nwbfile.invalid_times:
            continue
        name = table.name
        if name in tables:
            name = f"{name}_{text(getattr(table.parent, 'name', ''))}"
        hidden = hidden_columns(table, builder_of(table))
        try:
            bounds = times_in(table, START), times_in(table, STOP)
            columns = columns_in(table, hidden, name=name)
            dataset = read_table(name, *bounds, columns, account, reach=reach)
        except OddForm as error:
            account.add("intervals", name, len(table.id), 0, repairs=[f"left out: {error}"])
            continue
        tables[name] = dataset.assign_attrs(
            path=path_of(table), object_id=table.object_id, description=text(table.description)
        )
    return tables


def holds_intervals(thing: Any) -> bool:
    """Whether an object of a file is a table with a start and a stop in each row."""
    if isinstance(thing, TimeIntervals):
        return True
    if not isinstance(thing, DynamicTable) or not {START, STOP} <= set(thing.colnames):
        return False
    return all(
        not isinstance(thing[name], VectorIndex)
        and is_vector(shape_of(thing[name].data))
        and kind_of(thing[name].data) in "iuf"
        for name in (START, STOP)
    )


def read_invalid_times(nwbfile: Any, account: Account) -> np.ndarray | None:
    """The (n, 2) stretches (s) that the file marks as invalid; None when it marks none."""
    table = nwbfile.invalid_times
    if table is None or not len(table.id):
        return None
    try:
        pairs = np.column_stack([times_in(table, START), times_in(table, STOP)])
    except OddForm as error:
        account.add("intervals", "invalid_times", len(table.id), 0, repairs=[f"left out: {error}"])
        return None
    good = pairs[:, 1] > pairs[:, 0]  # also false where either end is NaN
    lost = int((~good).sum())
    repairs = [f"{counted(lost, 'empty or NaN row')} dropped"] if lost else []
    account.add("intervals", "invalid_times", len(pairs), int(good.sum()), repairs=repairs)
    return pairs[good]
