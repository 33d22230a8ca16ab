"""The Units table: who the units are, where they sit, and their spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import VectorIndex

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.columns import hidden_columns, plain_column
from nwbsparse.io.nwb.marks import OWN_NAMES
from nwbsparse.io.nwb.rows import names_of, row_ids
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.ragged import slices_of
from nwbsparse.io.rules.spikes import Spikes, read_spikes
from nwbsparse.io.rules.units import column_name, repeated_ids, silent_units
from nwbsparse.io.rules.values import text
from nwbsparse.io.rules.vectors import OddForm, pointers

FIRST_ELECTRODE = "first_electrode"
"""Column of units: the id of the first electrode that each points to, which need not be that of its
peak where it points to several."""
_HANDLED = ("spike_times", "obs_intervals", "electrodes", "electrode_group")


def read_units(
    table: Any, account: Account, *, time_scale: float, starts: float | None, builder: Any
) -> tuple[xr.Dataset, Spikes]:
    """Units as a dataset with one variable per column, and their spikes.

    Rows, not ids, are the key: ids may repeat or be text and are kept as they are. Columns that
    hold more than one value per unit are left out and reported. ``region``, ``depth`` and
    ``electrode_group`` come from the unit's first electrode where the unit has none of its own;
    ``first_electrode`` is its id.
    Units without spikes stay, with ``n_spikes`` 0. Units of which it is not certain which spikes
    are theirs are left out and named in the report; ``unit_row`` then says which row of the table
    each of the others is.

    Raises:
        BadInput: see ``read_spikes``.
    """
    ids, odd_ids = row_ids(table)
    column: Any = table["spike_times"]
    if not isinstance(column, VectorIndex):
        raise BadInput(
            f"spike_times in {account.path} has no index: which spikes belong to which unit is "
            "unknown. Re-export the file."
        )
    spikes = read_spikes(
        column.target.data, column.data, ids, account, time_scale=time_scale, starts=starts
    )
    own = _own_columns(table, spikes.rows, len(ids), account, hidden_columns(table, builder))
    own |= _from_electrodes(table, ids, own, spikes.rows, account)
    variables = {names.UNIT_ID: ids[spikes.rows], names.N_SPIKES: np.diff(spikes.index)}
    variables |= {name: values[spikes.rows] for name, values in own.items()}
    if len(spikes.rows) < len(ids):
        variables[names.UNIT_ROW] = spikes.rows
    _report_units(ids, spikes, account, [odd_ids] if odd_ids else [])
    dataset = xr.Dataset({name: (names.UNIT, values) for name, values in variables.items()})
    return dataset.assign_attrs(spike_time_spacing=spikes.spacing), spikes


def _report_units(ids: np.ndarray, spikes: Spikes, account: Account, odd: list[str]) -> None:
    doubt = [*odd, *([f"{spikes.doubt}: left out"] if spikes.doubt else [])]
    repairs = [*doubt, *repeated_ids(ids)]
    silent = ids[spikes.rows[np.diff(spikes.index) == 0]]
    notes = silent_units(silent, without="spikes")
    account.add("units", "units", len(ids), len(spikes.rows), notes=notes, repairs=repairs)


def _own_columns(
    table: Any, rows: np.ndarray, n_units: int, account: Account, hidden: dict[str, Any]
) -> dict[str, np.ndarray]:
    kept = {}
    for name, column in ({name: table[name] for name in table.colnames} | hidden).items():
        if name in _HANDLED or text(getattr(column, "description", "")) == OWN_NAMES:
            continue
        values, reason = plain_column(column, n_units, what=f"/units/{name}")
        as_name, notes = column_name(name)
        if values is not None:
            kept[as_name] = values
        else:
            notes = [reason]
        n_kept = 0 if values is None else len(rows)
        if name in hidden:
            notes.append("not listed in colnames: other readers skip it")
        account.add("column", f"units/{name}", n_units, n_kept, notes=notes)
    return kept


def _from_electrodes(
    table: Any, ids: np.ndarray, own: dict[str, np.ndarray], rows: np.ndarray, account: Account
) -> dict[str, np.ndarray]:
    """Region, depth and electrode group that the units do not state themselves."""
    found: dict[str, tuple[np.ndarray, str]] = {}
    if "electrode_group" in table.colnames:
        groups = names_of(table["electrode_group"], len(ids))
        if groups is not None:
            found["electrode_group"] = groups, "its name"
        else:
            reason = ["left out: it holds no references, or some lead nowhere"]
            account.add("column", "units/electrode_group", len(ids), 0, repairs=reason)
    try:
        electrodes, at = _first_electrodes(table, ids, account)
    except OddForm as error:
        electrodes, at = None, np.empty(0, dtype=np.int64)
        said = [f"left out: it {error.why}"]
        account.add("column", "units/electrodes", len(ids), 0, repairs=said)
    if electrodes is not None:
        for name, column in (
            ("region", "location"),
            ("depth", "depth"),
            ("electrode_group", "group_name"),
        ):
            values = _at_electrodes(electrodes, at, column)
            if values is not None and name not in found:
                found[name] = values, f"'{column}' of the first electrode"
        numbers = _ids_of_electrodes(electrodes, at)
        if numbers is not None:
            found[FIRST_ELECTRODE] = numbers, "the id of the first electrode"
    if "region" not in found and "location" in own and own["location"].dtype.kind == "U":
        found["region"] = own["location"], "column 'location'"
    kept = {}
    for name, (values, origin) in found.items():
        if name not in own and len(values) == len(ids) and not (values == "").all():
            kept[name] = values
            account.add("column", f"units/{name}", len(ids), len(rows), notes=[f"from {origin}"])
    return kept


def _first_electrodes(table: Any, ids: np.ndarray, account: Account) -> tuple[Any, np.ndarray]:
    """The electrodes table, and the row in it of each unit's first electrode; −1 without one.

    Raises:
        OddForm: the column points past the table, or its index past it; or it is no such column.
    """
    if "electrodes" not in table.colnames:
        return None, np.empty(0, dtype=np.int64)
    region: Any = table["electrodes"]
    first, has = np.arange(len(ids)), np.ones(len(ids), dtype=bool)
    if isinstance(region, VectorIndex):
        what = "/units/electrodes_index"
        slices = slices_of(region.data, len(region.target.data), what=what)
        if fault := slices.faults(ids, index="its index", noun="electrode"):
            if slices.outside.any():
                raise OddForm(what, f"cannot be trusted: {fault}")
            said = f"{fault}; {slices.in_doubt(ids)}: their electrodes are not read"
            n_sound = int(slices.sound.sum())
            account.add("column", "units/electrodes", len(ids), n_sound, repairs=[said])
        first = slices.edges[:-1]
        has = slices.sound & (np.diff(slices.edges) > 0)
        region = region.target
    electrodes = getattr(region, "table", None)
    if electrodes is None:
        raise OddForm("/units/electrodes", "points to no table")
    of = f"the table '{text(electrodes.name)}'"
    rows_of = pointers(region.data, len(electrodes.id), what="/units/electrodes", of=of)
    if len(has) != len(ids):
        raise OddForm("/units/electrodes", f"holds {len(has):,} rows for {len(ids):,} units")
    has &= first < len(rows_of)
    rows = np.full(len(ids), -1)
    rows[has] = rows_of[first[has]]
    return electrodes, rows


def _ids_of_electrodes(electrodes: Any, rows: np.ndarray) -> np.ndarray | None:
    """The ids of electrodes at the given rows, NaN where there is no such row; None without any."""
    ids, odd = row_ids(electrodes)
    has = rows >= 0
    if odd or ids.dtype.kind not in "iu" or not has.any():
        return None
    taken = ids[np.where(has, rows, 0)]
    return taken if has.all() else np.where(has, taken.astype(np.float64), np.nan)


def _at_electrodes(electrodes: Any, rows: np.ndarray, column: str) -> np.ndarray | None:
    """A column of the electrodes table at the given rows; '' or NaN where a unit has no electrode."""
    if column not in electrodes.colnames:
        return None
    values, _ = plain_column(
        electrodes[column], len(electrodes.id), what=f"/general/extracellular_ephys/{column}"
    )
    if values is None or not len(values):
        return None
    has = rows >= 0
    taken = values[np.where(has, rows, 0)]
    if values.dtype.kind == "U":
        return np.where(has, taken, "")
    return np.where(has, taken.astype(np.float64), np.nan)
