"""What all outputs of spike sorters have in common: labels, a clock in samples, their units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from nwbsparse import names
from nwbsparse.io.rules.account import Account, counted, listed

QUALITY: Final = "quality"
SAMPLES_PER_SECOND: Final = "samples_per_second"
"""Attribute of the units: spike times (s) times it are whole samples, so that bins can be exact."""
RESERVED: Final = (names.UNIT, names.UNIT_ID, names.UNIT_ROW, names.N_SPIKES)
_LABELS = ("group", QUALITY, "KSLabel")
"""Columns that say whether a unit is good, the hand's before the sorter's."""


def with_quality(columns: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], str]:
    """Columns with ``quality``, and the column that it was; '' where none holds labels.

    ``quality`` is the label given by hand (Phy calls it ``group``) where there is one, else a
    copy of the sorter's own ``KSLabel``. Columns of numbers are never labels.
    """
    labels = {name: columns[name] for name in _LABELS if name in columns}
    origin = next((name for name, values in labels.items() if values.dtype.kind == "U"), "")
    if not origin:
        return dict(columns), ""
    rest = dict(columns)
    if origin == "group":
        del rest["group"]
        if QUALITY in rest:
            rest[f"{QUALITY}_column"] = rest.pop(QUALITY)
    return rest | {QUALITY: columns[origin]}, origin


def report_units(
    variables: Mapping[str, np.ndarray],
    account: Account,
    *,
    found: int | None = None,
    notes: Iterable[str] = (),
) -> None:
    """The line of the report about units: how many, which have no label, which no spikes."""
    ids, notes = variables[names.UNIT_ID], list(notes)
    if QUALITY in variables:
        bare = ids[variables[QUALITY] == ""]
        if len(bare):
            notes.append(f"{counted(len(bare), 'unit')} without a label kept: {listed(bare)}")
    else:
        notes.append("no labels: which units are good is not known")
    silent = ids[variables[names.N_SPIKES] == 0]
    if len(silent):
        notes.append(f"{counted(len(silent), 'unit')} without spikes kept: {listed(silent)}")
    account.add("units", "units", len(ids) if found is None else found, len(ids), notes=notes)
