"""What the rows of a table are called, what they refer to, and when each was observed."""

from __future__ import annotations

from typing import Any

import numpy as np
from hdmf.common import VectorIndex

from nwbsparse.io.nwb.marks import own_names
from nwbsparse.io.rules.ragged import slices_of
from nwbsparse.io.rules.values import text
from nwbsparse.io.rules.vectors import NUMBERS_OR_TEXT, OddForm, values_of, vector


def row_ids(table: Any) -> tuple[np.ndarray, str]:
    """(row,) ids, numbers or text, and what is wrong with those of the file: rows count instead then."""
    named = own_names(table)
    if named is not None:
        return named[1], ""
    n_rows = len(table.id)
    try:
        ids = vector(table.id.data, what=f"{text(table.name)}/id", kinds=NUMBERS_OR_TEXT)
    except OddForm as error:
        return np.arange(n_rows), f"its id {error.why}: numbered by row"
    if len(ids) != n_rows:
        return np.arange(n_rows), f"it has {len(ids):,} ids for {n_rows:,} rows: numbered by row"
    return ids, ""


def names_of(column: Any, n_rows: int) -> np.ndarray | None:
    """(row,) the names of the objects that a column refers to, '' where one has none; None without any.

    A column of text, as some writers leave in place of references, holds the names themselves.
    """
    try:
        held = list(column.data[:])
    except (KeyError, OSError, RuntimeError, TypeError, ValueError):  # some lead nowhere
        return None
    found = [
        text(one if isinstance(one, str | bytes) else getattr(one, "name", "")) for one in held
    ]
    return np.array(found, dtype=str) if len(found) == n_rows and any(found) else None


def stretches_in(
    column: Any, ids: np.ndarray, *, time_scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """(stretch, 2) s in which the units were observed, of all of them, and the edges between units.

    Without an index row ``i`` is the one stretch of unit ``i``.

    Raises:
        OddForm: it cannot be told which unit was observed when.
    """
    what = "/units/obs_intervals"
    ragged = isinstance(column, VectorIndex)
    target: Any = column.target if ragged else column
    if isinstance(target, VectorIndex):
        raise OddForm(what, "it has more than one index, so whose each of them is cannot be told")
    flat = values_of(target.data, what=what)
    if flat.ndim != 2 or flat.shape[1] != 2:
        raise OddForm(what, f"its values have shape {flat.shape}, not a start and a stop each")
    if not ragged:
        if len(flat) != len(ids):
            raise OddForm(
                what, f"it has no index, and {len(flat):,} stretches for {len(ids):,} units"
            )
        return flat.astype(np.float64) * time_scale, np.arange(len(flat) + 1)
    slices = slices_of(column.data, len(flat), what=f"{what}_index")
    if fault := slices.faults(ids, index="its index", noun="interval"):
        raise OddForm(what, fault)
    return flat.astype(np.float64) * time_scale, slices.edges
