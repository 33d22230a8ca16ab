"""What columns of behaviour are: signals on one clock, intervals, or events; told by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import xarray as xr

from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.coerce import take_events
from nwbsparse.io.arrays.intervals import take_intervals
from nwbsparse.io.arrays.series import take_series
from nwbsparse.io.nwb.behaviour import MAX_COLUMNS
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.clock import Reach
from nwbsparse.io.rules.names import identifier
from nwbsparse.naming.number_words import number_words
from nwbsparse.session import Events, Series

Columns = dict[str, np.ndarray]
"""Name → (row,) or (row, component): numbers, text or true/false, in the order of the file."""

TIMES: Final = (
    *("time", "times", "time_s", "timestamp", "timestamps", "timestamp_s", "timestamps_s", "t"),
    *("t_s", "time_sec", "time_seconds", "seconds", "sec", "s"),
)
STARTS: Final = ("start_time", "start", "start_s", "start_time_s", "onset")
STOPS: Final = ("stop_time", "stop", "end", "end_time", "stop_s", "end_s", "stop_time_s", "offset")
LASTS: Final = ("duration", "duration_s")
LABELS: Final = ("label", "labels", "event", "events", "event_type", "type", "code", "name")
_OTHER_UNITS = re.compile(
    r"^(t|time|times|timestamps?|start|stop|end)_?(ms|msec|us|samples?|frames?)$"
)
_AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Found:
    """The behaviour of a file, on its own clock."""

    series: Mapping[str, Series] = field(default_factory=dict)
    intervals: Mapping[str, xr.Dataset] = field(default_factory=dict)
    events: Mapping[str, Events] = field(default_factory=dict)


def found_in(columns: Columns, account: Account, reach: Reach, *, name: str) -> Found:
    """Signals, intervals or events, as the names of the columns say.

    ``name``: what intervals and events are called. ``reach``: when the units were recorded, on the
    clock of the file.

    Raises:
        BadInput: there is no column of times, or it holds no numbers.
    """
    start, stop = _named(columns, STARTS), _named(columns, STOPS)
    lasts = _named(columns, LASTS)
    if start and lasts and not stop:  # as BIDS writes events that last
        ends = _seconds(columns, start) + _seconds(columns, lasts)
        columns, stop = {**columns, "stop_time": ends}, "stop_time"
    if start and stop:
        rest = {key: one for key, one in columns.items() if key not in (start, stop)}
        account.add("column", f"{start}, {stop}", 1, 1, notes=["taken as start and stop, s"])
        bounds = {"start_time": _seconds(columns, start), "stop_time": _seconds(columns, stop)}
        return Found(intervals=take_intervals({name: bounds | rest}, account, reach=reach))
    time = _named(columns, TIMES)
    if time is None:
        raise BadInput(_no_times(columns))
    account.add("column", time, 1, 1, notes=["taken as the times, s"])
    times = _seconds(columns, time)
    rest = {key: one for key, one in columns.items() if key != time}
    if not rest:
        return Found(events=take_events({name: times}, account))
    if len(rest) == 1:
        [(key, values)] = rest.items()
        if values.ndim == 1 and (values.dtype.kind == "U" or _bare(key) in LABELS):
            labels = values if values.dtype.kind == "U" else _as_words(values)
            return Found(events=take_events({name: (times, labels)}, account))
    given = _signals(rest, times, account)
    series, runs = take_series(given, account, own=None, reach=reach)
    return Found(series, runs)


def _signals(rest: Columns, times: np.ndarray, account: Account) -> dict[str, Any]:
    given: dict[str, Any] = {}
    placed, positions = set(), _positions(rest)
    for name, parts in positions.items():
        said = [f"from {', '.join(parts)}: a position"]
        account.add("column", name, len(parts), len(parts), notes=said)
        data = np.column_stack([rest[part].astype(np.float64) for part in parts])
        # "position" in its name makes it one
        given[name if "position" in name.split("_") else f"{name}_position"] = (times, data)
        placed |= set(parts)
    for key, values in rest.items():
        if key in placed:
            continue
        if len(values) != len(times) or values.ndim > 2 or (
            values.ndim == 2 and values.shape[1] > MAX_COLUMNS
        ):  # fmt: skip
            reason = (
                f"left out: {list(values.shape)} is not one value, or up to {MAX_COLUMNS}, per time"
            )
            account.add("other", key, len(values), 0, repairs=[reason])
        else:
            given[key] = (times, values)
    return given


def _positions(columns: Columns) -> dict[str, list[str]]:
    """Name of a position → its columns: x and y, or what is called alike before _x and _y."""
    by_stem: dict[str, dict[str, str]] = {}
    for key, values in columns.items():
        stem, _, axis = key.lower().rpartition("_")
        if axis in _AXES and values.ndim == 1 and values.dtype.kind in "iuf":
            by_stem.setdefault(stem, {})[axis] = key
    found = {}
    for stem, axes in by_stem.items():
        if {"x", "y"} <= axes.keys():
            name = identifier(stem) if stem else "position"
            found[name] = [axes[axis] for axis in _AXES if axis in axes]
    return found


def _seconds(columns: Columns, name: str) -> np.ndarray:
    values = columns[name]
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        example = next((str(one) for one in values.ravel() if str(one)), "")
        raise BadInput(
            f"column '{name}' must hold seconds, one per row; it holds {example!r}. Dates and clock "
            "times are given as seconds since the session began"
        )
    return values.astype(np.float64)


def _named(columns: Columns, words: tuple[str, ...]) -> str | None:
    """The column with the first of these names that is there."""
    known: dict[str, str] = {}
    for key in columns:
        known.setdefault(_bare(key), key)
    return next((known[word] for word in words if word in known), None)


def _bare(name: str) -> str:
    """'Time (s)' → 'time_s'."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _no_times(columns: Columns) -> str:
    held = ", ".join(map(str, columns)) or "none"
    odd = next((key for key in columns if _OTHER_UNITS.match(_bare(key))), None)
    if odd is not None:
        return (
            f"column '{odd}' counts in another unit than seconds, and there is no column of seconds "
            f"(columns: {held}); turn it into seconds, and call it time"
        )
    return (
        f"no column holds the times (columns: {held}): call it time, in seconds, or give start and stop "
        "of intervals"
    )


def _as_words(values: np.ndarray) -> np.ndarray:
    """Codes as the words a person would write."""
    if values.dtype.kind == "f":
        return np.where(np.isnan(values), "", number_words(values))
    return values.astype(str)
