"""Who the units of a trace are: the rows of the ROI, electrode or Units table it points to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.io.nwb.columns import plain_column
from nwbsparse.io.nwb.marks import own_names
from nwbsparse.io.nwb.rows import row_ids
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.values import shape_of, text
from nwbsparse.io.rules.vectors import OddForm, is_vector, pointers

MODALITY = "modality"
_SHAPES = ("image_mask", "pixel_mask", "voxel_mask")
_SKIPPED = ("spike_times", "obs_intervals", "electrodes", "group")
_RESERVED = (names.UNIT, names.UNIT_ID, names.UNIT_ROW, names.N_SPIKES, MODALITY)

Columns = dict[str, np.ndarray]


def n_rows_of(region: Any) -> int | None:
    """How many units a series says it has; None where it points to no table."""
    if region is None or getattr(region, "table", None) is None:
        return None
    shape = shape_of(region.data)
    return int(np.prod(shape)) if is_vector(shape) else (shape or (0,))[0]


def columns_of(region: Any, account: Account) -> Columns:
    """One value per unit for each column of the table that a region points into.

    ``unit_id`` are the ids of the table and ``unit_row`` its rows. ROIs get their imaging plane and
    its location as ``plane`` and ``region``; electrodes get ``region`` and ``electrode_group`` from
    their location and group. Columns that hold more than one value per row are left out and
    reported. A region that points past its table gives numbered units, and the fault is reported.
    """
    table = region.table
    n_units, name = n_rows_of(region) or 0, text(table.name)
    try:
        rows = pointers(region.data, len(table.id), what=f"{name} region", of=f"the table '{name}'")
    except OddForm as error:
        repair = f"what points to it {error.why}: units are numbered"
        account.add("column", f"{name}/id", len(table.id), 0, repairs=[repair])
        return numbered(n_units)
    named = own_names(table)
    ids, odd = row_ids(table)
    if odd:
        account.add("column", f"{name}/id", len(ids), 0, repairs=[odd])
    found: Columns = {names.UNIT_ID: ids[rows], names.UNIT_ROW: rows}
    for name in table.colnames:
        if name in _SKIPPED or (named is not None and name == named[0]):
            continue
        values, reason = None, "the shape of the unit, not one value"
        if name not in _SHAPES:
            values, reason = plain_column(table[name], len(ids), what=f"{table.name}/{name}")
        as_name = f"{name}_column" if name in _RESERVED else name
        if values is not None:
            found[as_name] = values[rows]
            reason = "" if as_name == name else f"called '{as_name}': '{name}' has a meaning here"
        kept = 0 if values is None else len(rows)
        account.add(
            "column", f"{table.name}/{name}", len(rows), kept, notes=[reason] if reason else []
        )
    return found | _place_of(table, found, len(rows))


def numbered(n_units: int) -> Columns:
    """Units of which nothing is known but their order."""
    return {names.UNIT_ID: np.arange(n_units)}


def joined(parts: Sequence[Columns]) -> Columns:
    """Columns of several groups of units, one after the other; NaN or '' where a group lacks one."""
    lengths = [len(part[names.UNIT_ID]) for part in parts]
    made: Columns = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        held = [part.get(name) for part in parts]
        known = [values for values in held if values is not None]
        as_text = any(values.dtype.kind == "U" for values in known)
        missing: Any = "" if as_text else np.nan
        filled = [
            np.full(length, missing) if values is None else values
            for values, length in zip(held, lengths, strict=True)
        ]
        if as_text:
            filled = [values.astype(str) for values in filled]
        made[name] = np.concatenate(filled)
    return made


def _place_of(table: Any, found: Columns, n_units: int) -> Columns:
    plane = getattr(table, "imaging_plane", None)
    if plane is not None:
        said = {"plane": text(plane.name), "region": text(plane.location)}
        if said["region"].lower() == "unknown":  # NWB asks for a word
            said["region"] = ""
        return {
            name: np.full(n_units, value)
            for name, value in said.items()
            if value and name not in found
        }
    taken = {"region": found.get("location"), "electrode_group": found.get("group_name")}
    return {
        name: values
        for name, values in taken.items()
        if name not in found and values is not None and values.dtype.kind == "U"
    }
