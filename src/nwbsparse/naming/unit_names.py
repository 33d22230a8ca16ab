"""What units are called, so that no two are called alike: by their ids, and by their rows where ids repeat.

Ids repeat in real files: a column filled with 1, two probes that are each counted from 0, two planes side
by side. Rows are then what is known of a unit; its name says both.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

_WITH_ROW = re.compile(r" \(row \d+\)$")


def names_of_units(ids: np.ndarray) -> np.ndarray:
    """Names of all units of a recording: their ids, and '1 (row 3)' for each of several with the id 1.

    Rows are counted from 0 in the order of ``ids``, so that these must be those of the whole recording: a
    unit is called the same whichever others are used. Ids that do not repeat come back as they are.
    """
    words = [str(one) for one in ids]
    count = Counter(words)
    if len(count) == len(words):
        return ids
    named = [_with_row(one, row) if count[one] > 1 else one for row, one in enumerate(words)]
    if len(set(named)) < len(named):  # a unit is called '1 (row 3)' in the file itself
        named = [_with_row(one, row) for row, one in enumerate(words)]
    return np.array(named)


def own_id(name: object) -> str:
    """The id that a unit has in its file, from its name."""
    return _WITH_ROW.sub("", str(name))


def _with_row(unit_id: str, row: int) -> str:
    return f"{unit_id} (row {row})"
