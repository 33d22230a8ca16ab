"""What the units of every source are held to: their ids, their columns, when they were observed."""

from __future__ import annotations

from typing import Final

import numpy as np

from nwbsparse import names
from nwbsparse.io.rules.account import counted, listed

RESERVED: Final = (names.UNIT, names.UNIT_ID, names.UNIT_ROW, names.N_SPIKES)
"""Names of columns that have a meaning here."""


def column_name(name: str) -> tuple[str, list[str]]:
    """The name under which a column of a source is kept, and what to say where it is not its own."""
    if name not in RESERVED:
        return name, []
    return f"{name}_column", [f"called '{name}_column': '{name}' has a meaning here"]


def repeated_ids(ids: np.ndarray) -> list[str]:
    """What to say of ids that several units share; nothing where each unit has its own."""
    distinct, count = np.unique(ids, return_counts=True)
    if len(distinct) == len(ids):
        return []
    return [f"ids are not unique ({listed(distinct[count > 1])}): units keyed by row"]


def silent_units(ids: np.ndarray, *, without: str) -> list[str]:
    """What to say of units, by their ids, that are kept though they never fire or change."""
    if not len(ids):
        return []
    return [f"{counted(len(ids), 'unit')} without {without} kept: {listed(ids)}"]


def sound_stretches(pairs: np.ndarray, reach: tuple[float, float]) -> np.ndarray:
    """The (n, 2) stretches (s) that last, by their starts; the others are left out.

    Open ones (from −inf, up to inf) begin and end with ``reach``, the time (s) of all activity.
    """
    pairs = np.where(np.isneginf(pairs), reach[0], np.where(np.isposinf(pairs), reach[1], pairs))
    good = pairs[pairs[:, 1] > pairs[:, 0]]  # also False where either end is NaN
    return good[np.argsort(good[:, 0], kind="stable")]
