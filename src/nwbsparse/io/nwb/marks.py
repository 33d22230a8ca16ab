"""Marks in recordings that nwbsparse wrote from something that was no NWB file, and what they mean.

Such a file is plain NWB. The marks stand in words that people read as well, and keep what NWB has no
place for: ids that are text, bins of ready-made counts, where everything came from.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
from hdmf.common import DynamicTable

from nwbsparse.io.rules.values import load, text
from nwbsparse.io.rules.vectors import NUMBERS_OR_TEXT, OddForm, vector

ORIGIN: Final = "recording_origin"
"""The table in /scratch that says where each part of the recording came from."""
RECORDING, BEHAVIOUR = "recording", "behaviour"
"""Its column ``part``: the units and what was read with them; what was joined from another file."""
OWN_NAMES: Final = "what the unit is called in the source: its id, where that is text"
"""The description of a column of such ids."""
_OF_UNITS = re.compile(r"activity of the units in '(?P<table>[^']+)', one column each")
_BIN_WIDTH = re.compile(r"counts in bins of (?P<width>\S+) s")


def words_of_activity(table: str, bin_width: float | None) -> str:
    """The comments of a series that holds the activity of units: which ones, and in which bins (s)."""
    said = f"activity of the units in '{table}', one column each"
    return (
        said
        if bin_width is None
        else f"{said}; counts in bins of {bin_width!r} s, at their centres"
    )


def units_of_activity(series: Any) -> Any:
    """The table beside a series that was written as the activity of its units; None where it is no such."""
    found = _OF_UNITS.match(text(getattr(series, "comments", "")))
    held = getattr(series.parent, "data_interfaces", {}) if found else {}
    table = held.get(found["table"]) if found else None
    return table if isinstance(table, DynamicTable) else None


def bin_width_of(series: Any) -> float | None:
    """Width (s) of the bins of counts; None for traces."""
    found = _BIN_WIDTH.search(text(series.comments))
    try:
        return float(found["width"]) if found else None
    except ValueError:
        return None


def own_names(table: Any) -> tuple[str, np.ndarray] | None:
    """The column of ids that are text, and these; None where the ids of the table are the units' own."""
    for name in table.colnames:
        if text(getattr(table[name], "description", "")) == OWN_NAMES:
            try:
                held = vector(table[name].data, what=f"{table.name}/{name}", kinds=NUMBERS_OR_TEXT)
            except OddForm:  # somebody else's words
                continue
            return str(name), held.astype(str)
    return None


def was_made(nwbfile: Any) -> bool:
    """Whether nwbsparse wrote this recording from what was no NWB file: nothing of it is left open then.

    Times are seconds, rates are right, and there is one activity: no option of reading applies.
    """
    return RECORDING in origins(nwbfile)


def origins(nwbfile: Any) -> dict[str, str]:
    """Part of the recording → where it came from, in words; empty for a file that says nothing of it."""
    table: Any = (nwbfile.scratch or {}).get(ORIGIN)
    if not isinstance(table, DynamicTable) or not {"part", "said"} <= set(table.colnames):
        return {}
    parts, said = (load(table[name].data, what=ORIGIN) for name in ("part", "said"))
    return {str(part): str(one) for part, one in zip(parts, said, strict=True)}
