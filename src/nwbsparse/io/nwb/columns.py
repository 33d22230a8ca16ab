"""The columns of a table in an NWB file, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from hdmf.common import DynamicTableRegion, EnumData, VectorIndex

from nwbsparse.io.rules.columns import KINDS, Column
from nwbsparse.io.rules.values import shape_of
from nwbsparse.io.rules.vectors import (
    NUMBERS_OR_TEXT,
    OddForm,
    is_vector,
    pointers,
    seconds,
    vector,
)
from nwbsparse.naming.listed_names import joined_names

KIND_SAID = "kind of values: "
"""How the description of a column begins that says itself what kind of thing it says."""


def columns_in(table: Any, hidden: Mapping[str, Any], *, name: str) -> dict[str, Column]:
    """Every column of a table, its ids first; ``hidden`` are those that it holds without listing them.

    Raises:
        BadInput: a column is a decompression bomb.
    """
    n_rows = len(table.id)
    listed = {column: table[column] for column in table.colnames}
    made = {}
    for column, held in ({"id": table.id} | listed | dict(hidden)).items():
        values, reason = plain_column(held, n_rows, what=f"{name}/{column}")
        unlisted = ("not listed in colnames: other readers skip it",) if column in hidden else ()
        made[column] = Column(values, reason, said_kind(held), unlisted)
    return made


def times_in(table: Any, column: str) -> np.ndarray:
    """(row,) the times (s) in a column.

    Raises:
        OddForm: there is no such column, or it has not one number per row.
    """
    what = f"{table.name}/{column}"
    if column not in table.colnames:
        raise OddForm(what, "is missing")
    data: Any = table[column]
    if hasattr(data, "target"):
        raise OddForm(what, "is ragged: several values per row")
    found = seconds(data.data, what=what)
    if len(found) != len(table.id):
        raise OddForm(what, f"holds {len(found):,} values for {len(table.id):,} rows")
    return found


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


def said_kind(column: Any) -> str:
    """The kind that a column states in its description; '' where it states none, as nearly all."""
    said = str(getattr(column, "description", "") or "")
    kind = said.removeprefix(KIND_SAID)
    return kind if said.startswith(KIND_SAID) and kind in KINDS else ""
