"""What was shown, where a file keeps it as a series over time: a table with a row per presentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from pynwb import TimeSeries

from nwbsparse.io.nwb.clock import clock_of
from nwbsparse.io.nwb.contents import recorded
from nwbsparse.io.rules.account import Account, counted
from nwbsparse.io.rules.clock import Reach
from nwbsparse.io.rules.columns import Column
from nwbsparse.io.rules.intervals import read_table
from nwbsparse.io.rules.names import identifier
from nwbsparse.io.rules.values import load, shape_of, text
from nwbsparse.io.rules.vectors import NUMBERS, kind_of

MAX_COLUMNS = 8
REPEATS = 2
"""Presentations of each stimulus, on average, from which on a series states stimuli: of noise none is
like another."""
PAUSE = 3.0
"""Median steps without a sample that end a presentation."""
SAMPLES_PER_RUN = 3
"""Samples between two changes, on average, from which on a series is sampled; below it, each sample is
a presentation of its own."""


def read_stimuli(
    nwbfile: Any,
    account: Account,
    *,
    reach: Reach,
    path_of: Callable[[Any], str],
    used: frozenset[int],
) -> tuple[dict[str, xr.Dataset], frozenset[int]]:
    """Stimuli that are stated over time, such as the orientation of a grating: tables of intervals.

    Taken: each plain TimeSeries of numbers in ``stimulus`` of at most 8 columns whose values come back.
    A sampled one has a row for each stretch in which nothing changes; one with a sample per presentation
    has a row for each, up to the next. The column is called as the series (``NAME_1`` … of several);
    NaN stays, as in pauses.

    Returns:
        The tables by the names of their series, and the ``id`` of each series that was read.
    """
    tables: dict[str, xr.Dataset] = {}
    taken = set()
    shown = [one for one in recorded(nwbfile) if id(one) not in used and _states_stimuli(one)]
    for series in sorted(shown, key=path_of):
        path = path_of(series)
        data = load(series.data, what=f"{path}/data")
        clock = clock_of(series, len(data), path=path)
        if clock.refusal or len(clock.times) < REPEATS:
            continue  # listed with what is no behaviour
        values = data[clock.rows].astype(np.float64).reshape(len(clock.rows), -1)
        first = _first_samples(values)
        # of rows with NaN numpy finds none like another
        n_kinds = len(np.unique(np.nan_to_num(values[first], nan=np.inf), axis=0))
        if n_kinds * REPEATS > len(first):
            continue
        name = identifier(text(series.name))
        start, stop = _bounds(clock.times, first)
        columns = {
            name if values.shape[1] == 1 else f"{name}_{n + 1}": Column(column)
            for n, column in enumerate(values[first].T)
        }
        table = read_table(name, start, stop, columns, account, reach=reach)
        said = f"read as a table: {counted(len(first), 'presentation')}, {n_kinds} different ones"
        account.add("other", path, len(data), len(clock.times), notes=[said, *clock.notes],
                    repairs=clock.repairs)  # fmt: skip
        tables[name] = table.assign_attrs(
            path=path, object_id=series.object_id, description=text(series.description)
        )
        taken.add(id(series))
    return tables, used | taken


def _states_stimuli(thing: Any) -> bool:
    if type(thing) is not TimeSeries or kind_of(thing.data) not in NUMBERS:
        return False
    of_file = getattr(thing.parent, "stimulus", None)
    in_stimulus = of_file is not None and thing.name in of_file
    shape = shape_of(thing.data) or ()
    return in_stimulus and (len(shape) == 1 or (len(shape) == 2 and 0 < shape[1] <= MAX_COLUMNS))


def _first_samples(values: np.ndarray) -> np.ndarray:
    """The samples with which presentations begin."""
    after, before = values[1:], values[:-1]
    same = np.all((after == before) | (np.isnan(after) & np.isnan(before)), axis=1)
    first = np.flatnonzero(np.append(True, ~same))
    if len(values) >= SAMPLES_PER_RUN * len(first):
        return first
    return np.arange(len(values))


def _bounds(times: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each lasts up to the next, the last one sample longer; of a sampled series none outlasts a pause."""
    step = float(np.median(np.diff(times)))
    last = np.append(first[1:], len(times)) - 1  # the last sample of each
    until = np.append(times[1:], times[-1] + step)[last]
    if len(first) < len(times):
        until = np.minimum(until, times[last] + PAUSE * step)
    return times[first], until
