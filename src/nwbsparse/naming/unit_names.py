"""What units are called, so that no two are called alike: by their ids, and by their rows where ids repeat.

Ids repeat in real files: a column filled with 1, two probes that are each counted from 0, two planes side
by side. Rows are then what is known of a unit; its name says both.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np

_WITH_ROW = re.compile(r" \(row \d+\)$")


def names_of_units(ids: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Names of all units of a recording: their ids, and '1 (row 3)' for each of several with the id 1.

    The ids must be those of the whole recording, so that a unit is called the same whichever others are
    used. Ids that do not repeat come back as they are.

    Args:
        ids: (unit,) as they stand in the file.
        rows: (unit,) of the table in the file; those of several tables that repeat too, and None, mean
            the order of the units, from 0.
    """
    words = [str(one) for one in ids]
    count = Counter(words)
    if len(count) == len(words):
        return ids
    at = (
        range(len(words))
        if rows is None or len(set(np.asarray(rows).tolist())) < len(words)
        else rows
    )
    named = [
        _with_row(one, row) if count[one] > 1 else one for row, one in zip(at, words, strict=True)
    ]
    if len(set(named)) < len(named):  # a unit is called '1 (row 3)' in the file itself
        named = [_with_row(one, row) for row, one in zip(at, words, strict=True)]
    return np.array(named)


def own_id(name: object) -> str:
    """The id that a unit has in its file, from its name."""
    return _WITH_ROW.sub("", str(name))


def _with_row(unit_id: str, row: Any) -> str:
    return f"{unit_id} (row {row})"
