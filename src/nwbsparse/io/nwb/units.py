"""The Units table: who the units are, where they sit, when they were observed."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import VectorIndex
from hdmf.container import Container
from pynwb.device import Device

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.account import Account, counted, listed
from nwbsparse.io.columns import hidden_columns, plain_column
from nwbsparse.io.datasets import load, text
from nwbsparse.io.nwb.spikes import Spikes, read_spikes

_HANDLED = ("spike_times", "obs_intervals", "electrodes", "electrode_group")
_RESERVED = (names.UNIT, names.UNIT_ID, names.UNIT_ROW, names.N_SPIKES, "region")


def has_spikes(nwbfile: Any) -> bool:
    """Whether a file has a Units table with rows and spike times."""
    table = nwbfile.units
    return table is not None and len(table.id) > 0 and "spike_times" in table.colnames


def units_table(nwbfile: Any, account: Account) -> Any:
    """The Units table of a file, sure to have rows and spike times.

    Raises:
        BadInput: it is missing, has no rows or no ``spike_times``; what the file does hold is
            listed.
    """
    table = nwbfile.units
    if has_spikes(nwbfile):
        return table
    if table is None:
        lack = "there is no table"
    else:
        lack = "the table has no spike_times" if len(table.id) else "the table has no rows"
    held = [
        f"{obj.name} ({type(obj).__name__})"
        for obj in nwbfile.objects.values()
        if obj.parent is not None and (obj.parent is nwbfile or obj.parent.parent is nwbfile)
        if isinstance(obj, Container) and not isinstance(obj, Device)
    ]
    found = listed(held, most=12) or "nothing"
    raise BadInput(f"no Units in {account.path}: {lack}; found: {found}.")


def read_units(
    table: Any, account: Account, *, time_scale: float, starts: float | None, builder: Any
) -> tuple[xr.Dataset, Spikes]:
    """Units as a dataset with one variable per column, and their spikes.

    Rows, not ids, are the key: ids may repeat or be text and are kept as they are. Columns that
    hold more than one value per unit are left out and reported. ``region``, ``depth`` and
    ``electrode_group`` come from the unit's first electrode where the unit has none of its own.
    Units without spikes stay, with ``n_spikes`` 0.

    Raises:
        BadInput: see ``read_spikes``.
    """
    ids = load(table.id.data, what="/units/id")
    spikes = read_spikes(table["spike_times"], ids, account, time_scale=time_scale, starts=starts)
    n_spikes = np.diff(spikes.index)
    variables: dict[str, np.ndarray] = {names.UNIT_ID: ids, names.N_SPIKES: n_spikes}
    variables |= _own_columns(table, len(ids), account, hidden_columns(table, builder))
    variables |= _from_electrodes(table, ids, variables, account)
    _report_units(ids, n_spikes, account)
    dataset = xr.Dataset({name: (names.UNIT, values) for name, values in variables.items()})
    return dataset.assign_attrs(spike_time_spacing=spikes.spacing), spikes


def read_obs_intervals(
    table: Any, spikes: Spikes, account: Account, *, time_scale: float
) -> tuple[np.ndarray, ...] | None:
    """When each unit was observed (s), one (n, 2) array per unit; None where the file is silent.

    A unit that has spikes but no intervals counts as observed from the first to the last spike
    of the population.
    """
    if "obs_intervals" not in table.colnames:
        return None
    column: Any = table["obs_intervals"]
    flat = load(column.target.data, what="/units/obs_intervals").astype(np.float64) * time_scale
    edges = np.concatenate([[0], load(column.data, what="/units/obs_intervals_index")])
    edges = edges.astype(np.int64)
    n_units = len(spikes.index) - 1
    sound = (np.diff(edges) >= 0).all() and edges[-1] <= len(flat)
    if not sound or flat.ndim != 2 or flat.shape[1] != 2:
        repair = "left out: its index does not fit its values"
        account.add("column", "units/obs_intervals", len(flat), 0, repairs=[repair])
        return None
    if not edges[-1]:
        return None
    per_unit, kept, unstated = [], 0, []
    for row in range(n_units):
        own = flat[edges[row] : edges[row + 1]]
        own = own[own[:, 1] > own[:, 0]]  # also false where either end is NaN
        kept += len(own)
        if not len(own) and spikes.index[row + 1] > spikes.index[row]:
            unstated.append(row)
            own = np.array([spikes.extent])
        per_unit.append(own[np.argsort(own[:, 0], kind="stable")])
    repairs = [f"{len(flat) - kept} empty or NaN intervals dropped"] if kept < len(flat) else []
    notes = [f"none for rows {listed(unstated)}: taken as observed throughout"] if unstated else []
    account.add("column", "units/obs_intervals", len(flat), kept, notes=notes, repairs=repairs)
    return tuple(per_unit)


def _report_units(ids: np.ndarray, n_spikes: np.ndarray, account: Account) -> None:
    notes, repairs = [], []
    distinct, count = np.unique(ids, return_counts=True)
    if len(distinct) < len(ids):
        repairs.append(f"ids are not unique ({listed(distinct[count > 1])}): units keyed by row")
    silent = np.flatnonzero(n_spikes == 0)
    if len(silent):
        notes.append(f"{counted(len(silent), 'unit')} without spikes kept: {listed(ids[silent])}")
    account.add("units", "units", len(ids), len(ids), notes=notes, repairs=repairs)


def _own_columns(
    table: Any, n_units: int, account: Account, hidden: dict[str, Any]
) -> dict[str, np.ndarray]:
    kept = {}
    for name, column in ({name: table[name] for name in table.colnames} | hidden).items():
        if name in _HANDLED:
            continue
        values, reason = plain_column(column, n_units, what=f"/units/{name}")
        as_name = f"{name}_column" if name in _RESERVED and name != "region" else name
        if values is not None:
            kept[as_name] = values
            reason = "" if as_name == name else f"called '{as_name}': '{name}' has a meaning here"
        n_kept = 0 if values is None else n_units
        notes = [reason] if reason else []
        if name in hidden:
            notes.append("not listed in colnames: other readers skip it")
        account.add("column", f"units/{name}", n_units, n_kept, notes=notes)
    return kept


def _from_electrodes(
    table: Any, ids: np.ndarray, own: dict[str, np.ndarray], account: Account
) -> dict[str, np.ndarray]:
    """Region, depth and electrode group that the units do not state themselves."""
    found: dict[str, tuple[np.ndarray, str]] = {}
    if "electrode_group" in table.colnames:
        groups = [text(getattr(group, "name", "")) for group in table["electrode_group"].data]
        found["electrode_group"] = np.array(groups, dtype=str), "its name"
    if "electrodes" in table.colnames:
        for name, column in (
            ("region", "location"),
            ("depth", "depth"),
            ("electrode_group", "group_name"),
        ):
            values = _of_first_electrode(table["electrodes"], len(ids), column)
            if values is not None and name not in found:
                found[name] = values, f"'{column}' of the first electrode"
    if "region" not in found and "location" in own and own["location"].dtype.kind == "U":
        found["region"] = own["location"], "column 'location'"
    kept = {}
    for name, (values, origin) in found.items():
        if name not in own and len(values) == len(ids) and not (values == "").all():
            kept[name] = values
            account.add("column", f"units/{name}", len(ids), len(ids), notes=[f"from {origin}"])
    return kept


def _of_first_electrode(region: Any, n_units: int, column: str) -> np.ndarray | None:
    """A column of the electrodes table at each unit's first electrode; '' or NaN without one."""
    first, has = np.arange(n_units), np.ones(n_units, dtype=bool)
    rows = region
    if isinstance(region, VectorIndex):
        edges = np.concatenate([[0], load(region.data, what="/units/electrodes_index")])
        edges = edges.astype(np.int64)
        first, has, rows = edges[:-1], np.diff(edges) > 0, region.target
    electrodes = rows.table
    pointers = load(rows.data, what="/units/electrodes").astype(np.int64)
    if electrodes is None or column not in electrodes.colnames:
        return None
    values, _ = plain_column(
        electrodes[column], len(electrodes.id), what=f"/general/extracellular_ephys/{column}"
    )
    if values is None or not len(values):
        return None
    has &= first < len(pointers)
    row = pointers[np.where(has, first, 0)] if len(pointers) else np.zeros(n_units, dtype=int)
    has &= (row >= 0) & (row < len(values))
    if values.dtype.kind == "U":
        return np.where(has, values[np.where(has, row, 0)], "")
    return np.where(has, values[np.where(has, row, 0)].astype(np.float64), np.nan)
