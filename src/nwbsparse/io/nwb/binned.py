"""Spike counts that somebody binned already (ndx-binned-spikes), whole or around events."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.choose import Candidate
from nwbsparse.io.nwb.traces import Part, is_turned, missing
from nwbsparse.io.nwb.unit_rows import MODALITY, columns_of, n_rows_of, numbered
from nwbsparse.io.rules.account import Account, counted, listed
from nwbsparse.io.rules.columns import CATEGORY, CONSTANT, EVENT_TIME
from nwbsparse.io.rules.names import identifier, type_name
from nwbsparse.io.rules.values import shape_of, text
from nwbsparse.io.rules.vectors import (
    NUMBERS_OR_TEXT,
    OddForm,
    pointers,
    seconds,
    values_of,
    vector,
)
from nwbsparse.session import EDGE_TOLERANCE


def read_binned(one: Candidate, account: Account) -> Part:
    """A BinnedSpikes or BinnedAlignedSpikes object as (sample, unit) counts at the bin centres.

    The file's milliseconds become seconds. Windows around events follow each other in time, each
    a stretch of its own; of windows that overlap the first stays, so that no spike counts twice.
    The conditions of the events become a table of intervals, one row per window.

    Raises:
        BadInput: the shape, the bin width or the counts make no sense.
    """
    thing, path = one.thing, one.path
    aligned = type_name(thing) == "BinnedAlignedSpikes"
    data = values_of(thing.data, what=f"{path}/data")
    width = float(thing.bin_width_in_ms) / 1000
    if data.ndim != (3 if aligned else 2) or not data.size:
        raise BadInput(f"{path} has shape {data.shape}: counts of units in bins were expected.")
    if not (np.isfinite(width) and width > 0):
        raise BadInput(f"{path} has bins of {thing.bin_width_in_ms} ms: they must be wider than 0.")
    region = getattr(thing, "units_region", None)
    n_units = n_rows_of(region)
    repairs: list[str] = []
    intervals: dict[str, xr.Dataset] = {}
    if aligned:
        data, windows, intervals, repairs = _windows(thing, data, width, path)
    else:
        if is_turned(data.shape[::-1], n_units=n_units, n_stamps=None):
            repairs.append(f"stored as {data.shape}, bins first: transposed")
            data = data.T
        start = float(getattr(thing, "start_time_in_ms", None) or 0.0) / 1000
        windows = np.array([[start, start + data.shape[1] * width]])
        data = data[:, None, :]
    n_found = data.shape[0]
    counts, notes = _counts(data.reshape(n_found, -1).T, path)
    n_bins = data.shape[2]
    times = (windows[:, :1] + (np.arange(n_bins) + 0.5) * width).ravel()
    columns = numbered(n_found)
    if n_units == n_found:
        columns = columns_of(region, account)
    elif n_units is not None:
        repairs.append(f"{n_found:,} units for {n_units:,} rows of the table: units are numbered")
    columns[MODALITY] = np.full(n_found, "ecephys")
    n_stored = thing.data.shape[1] * n_bins if aligned else n_bins
    account.add("traces", path, n_stored, len(times), notes=notes, repairs=repairs)
    for name, table in intervals.items():
        rows = table.sizes[names.INTERVAL]
        account.add("intervals", name, rows, rows, notes=["the windows of the counts"])
    return Part(
        times,
        counts,
        columns,
        windows,
        path,
        unit="counts",
        object_id=thing.object_id,
        description=text(getattr(thing, "description", "")),
        bin_width=width,
        table=getattr(region, "table", None),
        intervals=intervals,
    )


def _windows(
    thing: Any, data: np.ndarray, width: float, path: str
) -> tuple[np.ndarray, np.ndarray, dict[str, xr.Dataset], list[str]]:
    """(unit, window, bin) counts, the (window, 2) stretches, their table, and what was mended."""
    events = seconds(thing.event_timestamps, what=f"{path}/event_timestamps")
    if len(events) != data.shape[1]:
        raise BadInput(f"{path} has {data.shape[1]:,} windows and {len(events):,} events.")
    starts = events + float(getattr(thing, "event_to_bin_offset_in_ms", None) or 0.0) / 1000
    length = data.shape[2] * width
    order = np.argsort(starts, kind="stable")
    rows, overlapping, free = [], [], -np.inf
    for row in order[np.isfinite(starts[order])]:
        if starts[row] < free - EDGE_TOLERANCE:
            overlapping.append(int(row))
            continue
        rows.append(int(row))
        free = starts[row] + length
    repairs = []
    if overlapping:
        repairs.append(
            f"{counted(len(overlapping), 'window')} overlapping an earlier one dropped, so that no "
            f"spike counts twice: {listed(overlapping)}"
        )
    if lost := len(events) - len(rows) - len(overlapping):
        repairs.append(f"{counted(lost, 'window')} of events without a time dropped")
    if not rows:
        raise BadInput(f"no event of {path} has a time.")
    windows = np.column_stack([starts[rows], starts[rows] + length])
    variables: dict[str, Any] = {
        "start_time": (names.INTERVAL, windows[:, 0], {}),
        "stop_time": (names.INTERVAL, windows[:, 1], {"inferred": 0}),
        "event_time": (names.INTERVAL, events[rows], {names.KIND: EVENT_TIME}),
    }
    conditions, odd = _conditions(thing, len(events))
    repairs += odd
    if conditions is not None:
        kind = CATEGORY if len(np.unique(conditions[rows])) > 1 else CONSTANT
        variables["condition"] = (names.INTERVAL, conditions[rows], {names.KIND: kind})
    attrs = {"path": path, "object_id": thing.object_id, "description": "windows around events"}
    name = identifier(text(thing.name))
    return data[:, rows], windows, {name: xr.Dataset(variables, attrs=attrs)}, repairs


def _conditions(thing: Any, n_events: int) -> tuple[np.ndarray | None, list[str]]:
    """(event,) the condition of each, and what was wrong where there are none."""
    stored = getattr(thing, "condition_indices", None)
    if stored is None:
        return None, []
    said = getattr(thing, "condition_labels", None)
    try:
        codes = vector(stored, what="condition_indices", kinds="iuf")
        if len(codes) != n_events:
            raise OddForm("condition_indices", f"has {len(codes):,} of {n_events:,} events")
        if said is None or 0 in shape_of(said):
            return codes.astype(np.int64).astype(str), []
        labels = vector(said, what="condition_labels", kinds=NUMBERS_OR_TEXT).astype(str)
        at = pointers(codes, len(labels), what="condition_indices", of="condition_labels")
    except OddForm as error:
        return None, [f"{error}: conditions left out"]
    return labels[at], []


def _counts(values: np.ndarray, path: str) -> tuple[np.ndarray, list[str]]:
    """Counts in the smallest unsigned integers that hold them; float32 where some are missing."""
    if values.dtype.kind not in "biuf":
        raise BadInput(f"{path} holds {values.dtype}, not counts.")
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if (known < 0).any():
        raise BadInput(f"{path} holds counts below 0: these are not spike counts.")
    if len(known) == values.size or known.shape == values.shape:
        if values.dtype.kind != "f" or (known == np.floor(known)).all():
            return np.ascontiguousarray(values.astype(np.min_scalar_type(int(known.max())))), []
        return values.astype(np.float32), ["its counts are not whole numbers: kept as they are"]
    return values.astype(np.float32), missing(values)
