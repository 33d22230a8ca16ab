"""Tables that state moments: one event per row, or one kind of event per row."""

from __future__ import annotations

from typing import Any

import numpy as np
from hdmf.common import VectorIndex

from nwbsparse.io.nwb.columns import plain_column
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.columns import CATEGORY, column_kind
from nwbsparse.io.rules.names import type_name
from nwbsparse.io.rules.ragged import slices_of
from nwbsparse.io.rules.values import shape_of
from nwbsparse.io.rules.vectors import OddForm, is_vector, kind_of, seconds
from nwbsparse.naming.number_words import number_words

STAMP = "timestamp"
TIMES = "event_times"
_LABELS = ("event_type", "event", "label", "type", "name")
"""Columns that name an event, the likeliest first."""
_REMARKS = (
    "annotation",
    "comment",
    "comments",
    "note",
    "notes",
    "remark",
    "remarks",
    "description",
)
"""Columns for what a person remarks on some events: they name events where nothing else does."""


def holds_events(table: Any) -> bool:
    """Whether a table has a timestamp in each row, or a list of times (AnnotatedEventsTable)."""
    if STAMP in table.colnames:
        column: Any = table[STAMP]
        one_each = not isinstance(column, VectorIndex) and is_vector(shape_of(column.data))
        return one_each and kind_of(column.data) in "iuf"
    return type_name(table) == "AnnotatedEventsTable" and TIMES in table.colnames


def read_event_table(
    table: Any, account: Account
) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
    """The stamps (s) of a table, and what each event was by the column that names it best.

    That is a column called event_type, event, label, type or name, else the first of categories,
    else remarks (annotation); but one that leaves most events without a name gives way to one that
    names all. Events have one label each: the other columns are reported and left out.
    """
    n_rows = len(table.id)
    time_column = STAMP if STAMP in table.colnames else TIMES
    stamps = table[time_column]
    flat = stamps.target.data if isinstance(stamps, VectorIndex) else stamps.data
    what = f"{table.name}/{time_column}"
    repairs: list[str] = []
    per_row = None
    try:
        times = seconds(flat, what=what)
        if isinstance(stamps, VectorIndex):
            slices = slices_of(stamps.data, len(times), what=f"{what}_index")
            if not slices.sound.all():
                raise OddForm(what, "has an index that does not fit its times")
            per_row = np.diff(slices.edges)
            times = times[: per_row.sum()]
        if len(times if per_row is None else per_row) != n_rows:
            raise OddForm(what, f"does not fit the {n_rows:,} rows of the table")
    except OddForm as error:
        return np.empty(0), None, [f"left out: {error}"]
    usable: dict[str, np.ndarray] = {}
    for name in table.colnames:
        if name == time_column:
            continue
        values, reason = plain_column(table[name], n_rows, what=f"{table.name}/{name}")
        if values is None:
            account.add("column", f"{table.name}/{name}", n_rows, 0, notes=[reason])
        else:
            usable[name] = values
    chosen = _label_column(usable, np.arange(n_rows, dtype=np.float64))
    for name in usable:
        reason = "the labels of the events" if name == chosen else "events have one label"
        kept = n_rows if name == chosen else 0
        account.add("column", f"{table.name}/{name}", n_rows, kept, notes=[reason])
    if chosen is None:
        return times, None, repairs
    words = usable[chosen]
    if words.dtype.kind == "f":
        words = number_words(words)
    words = words.astype(str)
    return times, words if per_row is None else np.repeat(words, per_row), repairs


def _label_column(columns: dict[str, np.ndarray], at: np.ndarray) -> str | None:
    """The likeliest column that names most of the events; else the one that names the most."""
    by_name = {name.lower(): name for name in columns}
    likely = [
        by_name[name]
        for name in _LABELS
        if name in by_name and columns[by_name[name]].dtype.kind in "Uiub"
    ]
    likely += [
        name
        for name, values in columns.items()
        if name not in likely and name.lower() not in (*_REMARKS, "duration")
        if column_kind(name, values, at, at) == CATEGORY
    ]
    likely += [
        by_name[name]
        for name in _REMARKS
        if name in by_name and columns[by_name[name]].dtype.kind == "U"
    ]
    named = {name: _n_named(columns[name]) for name in likely}
    most = (name for name in likely if named[name] > len(at) / 2)
    return next(most, max(likely, key=named.__getitem__, default=None))


def _n_named(values: np.ndarray) -> int:
    """How many events a column says something of; of equals ``max`` takes the first."""
    return int((np.char.strip(values) != "").sum()) if values.dtype.kind == "U" else len(values)
