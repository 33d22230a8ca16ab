"""The columns of a table: into plain arrays, and what kind of thing each of them says."""

from __future__ import annotations

from typing import Any

import numpy as np
from hdmf.common import DynamicTableRegion, EnumData, VectorIndex

from nwbsparse.io.rules.values import shape_of
from nwbsparse.io.rules.vectors import NUMBERS_OR_TEXT, OddForm, is_vector, pointers, vector
from nwbsparse.naming.listed_names import joined_names

CATEGORY = "category"
CONTINUOUS = "continuous"
EVENT_TIME = "event time"
IDENTIFIER = "identifier"
CONSTANT = "constant"

MAX_CATEGORIES = 12
KIND_SAID = "kind of values: "
"""How the description of a column begins that says itself what kind of thing it says."""
_KINDS = (CATEGORY, CONTINUOUS, EVENT_TIME, IDENTIFIER, CONSTANT)


def plain_column(column: Any, n_rows: int, *, what: str) -> tuple[np.ndarray | None, str]:
    """A table column as one number or text per row, or None and the reason why it is not.

    Ragged text (the ``tags`` of epochs) is joined by commas, row by row; what holds commas is quoted.
    """
    if isinstance(column, VectorIndex):
        return _joined_text(column, n_rows, what)
    if isinstance(column, DynamicTableRegion):
        return None, "points to rows of another table"
    try:
        values = vector(column.data, what=what, kinds=NUMBERS_OR_TEXT)
    except OddForm as error:
        return None, error.why
    if len(values) != n_rows:
        shape = shape_of(column.data)
        if shape[0] == n_rows:
            return None, f"holds more than one value per row (shape {shape})"
        return None, f"holds {len(values)} values for {n_rows} rows"
    if isinstance(column, EnumData):
        try:
            meanings = vector(column.elements.data, what=what, kinds=NUMBERS_OR_TEXT)
            values = meanings[pointers(values, len(meanings), what=what, of="its list of names")]
        except OddForm:
            return None, "holds codes that its list of names does not have"
    return values, ""


def hidden_columns(table: Any, builder: Any) -> dict[str, Any]:
    """Columns that lie in a table's group but not in its ``colnames``: other readers skip them.

    The human recording of the test data hides its response times so. Ragged ones stay hidden.
    """
    known = {"id", *table.colnames, *(column.name for column in table.columns)}
    return {
        name: dataset
        for name, dataset in builder.datasets.items()
        if name not in known and f"{name}_index" not in builder.datasets
        if dataset.attributes.get("neurodata_type") == "VectorData"
    }


def _joined_text(column: Any, n_rows: int, what: str) -> tuple[np.ndarray | None, str]:
    target = column.target
    several = "is ragged: several values per row"
    if isinstance(target, (VectorIndex, DynamicTableRegion)):
        return None, several
    try:
        values = vector(target.data, what=what, kinds=NUMBERS_OR_TEXT)
        edges = np.concatenate([[0], vector(column.data, what=what).astype(np.int64)])
    except OddForm as error:
        return None, several if is_vector(shape_of(target.data)) else error.why
    if values.dtype.kind != "U" and values.size:
        return None, several
    if len(edges) != n_rows + 1 or (np.diff(edges) < 0).any() or edges[-1] > len(values):
        return None, "has an index that does not fit its values"
    rows = [joined_names(values[edges[i] : edges[i + 1]]) for i in range(n_rows)]
    return np.array(rows, dtype=str), ""


def column_kind(name: str, values: np.ndarray, start: np.ndarray, stop: np.ndarray) -> str:
    """What a column of an interval table says about its rows: a condition, a number, a moment?

    NaN and empty text count as missing and are left out of every rule. The first rule that
    holds decides:

    1. the column ``id`` is an *identifier*;
    2. at most one distinct value: *constant*;
    3. text: *identifier* when more than half of its values are unique, else *category*;
       true/false: *category*;
    4. fractional numbers are an *event time* when more than 80 % lie between 10 s before the
       start and 10 s after the stop (s) of their own row and either 'time' is in the name or the
       values are > 90 % unique and rise from row to row; or when the name ends in ``_time`` and
       > 90 % are unique, for times that count from the trial (but a *reaction* time is a duration);
    5. whole numbers that count up by one from row to row (> 90 %): *identifier*;
    6. at most 12 distinct values with at least 2 rows each on average: *category*;
    7. all other numbers: *continuous*.
    """
    present = values != "" if values.dtype.kind == "U" else np.isfinite(values.astype(float))
    known = values[present]
    n_distinct = len(np.unique(known))
    if name == "id":
        return IDENTIFIER
    if n_distinct <= 1:
        return CONSTANT
    if values.dtype.kind == "b":
        return CATEGORY
    if values.dtype.kind == "U":
        return IDENTIFIER if n_distinct > len(known) / 2 else CATEGORY
    if values.dtype.kind == "f" and _is_event_time(name, known, start[present], stop[present]):
        return EVENT_TIME
    if _counts_up(known):
        return IDENTIFIER
    if n_distinct <= MAX_CATEGORIES and len(known) >= 2 * n_distinct:
        return CATEGORY
    return CONTINUOUS


def said_kind(column: Any) -> str:
    """The kind that a column states in its description; '' where it states none, as nearly all."""
    said = str(getattr(column, "description", "") or "")
    kind = said.removeprefix(KIND_SAID)
    return kind if said.startswith(KIND_SAID) and kind in _KINDS else ""


def _is_event_time(name: str, known: np.ndarray, start: np.ndarray, stop: np.ndarray) -> bool:
    lower = name.lower()
    unique = len(np.unique(known)) > 0.9 * len(known)
    within = np.mean((known >= start - 10) & (known <= stop + 10)) > 0.8
    rising = unique and np.mean(np.diff(known) >= 0) > 0.9
    if within and ("time" in lower or rising):
        return True
    return lower.endswith("_time") and unique and "reaction" not in lower


def _counts_up(known: np.ndarray) -> bool:
    return bool(np.mean(np.diff(known.astype(np.float64)) == 1) > 0.9)
