"""Columns of one value per row → tables of NWB."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import ElementIdentifiers, VectorData, VectorIndex
from pynwb.epoch import TimeIntervals

from nwbsparse import names
from nwbsparse.io.nwb.columns import KIND_SAID
from nwbsparse.io.nwb.marks import OWN_NAMES
from nwbsparse.io.rules.columns import column_kind
from nwbsparse.io.rules.intervals import START, STOP
from nwbsparse.naming.listed_names import names_in

_OWN_COLUMN = ("unit_name", "source_unit_id")


def plain_name(name: str) -> str:
    """A name that NWB takes."""
    return name.replace("/", "_").replace(":", "_")


def free(name: str, taken: Any) -> str:
    """The name, or the name with a number where it is taken."""
    found, n = name, 2
    while found in taken:
        found, n = f"{name}_{n}", n + 1
    return found


def ids_of(values: np.ndarray, taken: Any) -> tuple[ElementIdentifiers, list[VectorData]]:
    """Ids of rows; of those that are text their numbers, and a column of the texts."""
    if values.dtype.kind in "iu":
        return ElementIdentifiers(name="id", data=values.astype(np.int64)), []
    name = next((one for one in _OWN_COLUMN if one not in taken), "unit_name_of_source")
    own = VectorData(name=name, description=OWN_NAMES, data=values.astype(str).tolist())
    return ElementIdentifiers(name="id", data=np.arange(len(values))), [own]


def column(name: str, values: np.ndarray, description: str) -> VectorData:
    """One value per row."""
    data = values.astype(str).tolist() if values.dtype.kind in "UO" else np.asarray(values)
    return VectorData(name=plain_name(name), description=description, data=data)


def ragged(
    name: str, rows: Sequence[np.ndarray], description: str, *, empty: np.ndarray | None = None
) -> list[VectorData]:
    """Several values per row: the values, and their index. ``empty``: what no values look like."""
    parts = [np.zeros(0) if empty is None else empty, *rows]
    held = VectorData(name=name, description=description, data=np.concatenate(parts))
    edges = np.cumsum([len(row) for row in rows], dtype=np.int64)
    return [held, VectorIndex(name=f"{name}_index", data=edges, target=held)]


def stretches(rows: Sequence[np.ndarray]) -> list[VectorData]:
    """When each unit was observed (s), from (n, 2) arrays."""
    shaped = [np.asarray(row, np.float64).reshape(-1, 2) for row in rows]
    said = "when the unit was observed: start and stop, s"
    return ragged("obs_intervals", shaped, said, empty=np.zeros((0, 2)))


def intervals(name: str, table: xr.Dataset) -> TimeIntervals:
    """A table of intervals, with columns that say what kind of thing they hold where that is not told."""
    start, stop = table[START].values, table[STOP].values
    held: list[VectorData] = [
        VectorData(name=START, description="start of the interval, s", data=start),
        VectorData(name=STOP, description="end of the interval, s", data=stop),
    ]
    ids: dict[str, Any] = {}
    for key, variable in table.data_vars.items():
        name_of, values = str(key), variable.values
        if name_of in (START, STOP):
            continue
        if name_of == "id" and values.dtype.kind in "iu":
            ids = {"id": ElementIdentifiers(name="id", data=values)}
        elif name_of == "tags":
            held += _tags(values)
        else:
            held.append(column(name_of, values, _description(name_of, variable, start, stop)))
    said = str(table.attrs.get("description", "")) or f"{name}, as read"
    return TimeIntervals(name=plain_name(name), description=said, columns=held, **ids)


def _description(name: str, variable: xr.DataArray, start: np.ndarray, stop: np.ndarray) -> str:
    kind = str(variable.attrs.get(names.KIND, ""))
    if kind and kind != column_kind(name, variable.values, start, stop):
        return f"{KIND_SAID}{kind}"
    return f"{name.replace('_', ' ')} of the interval"


def _tags(values: np.ndarray) -> list[VectorData]:
    """NWB holds the tags of an interval one by one."""
    rows = [[word for word in names_in(str(said)) if word] for said in values]
    held = VectorData(name="tags", description="tags", data=[word for row in rows for word in row])
    return [held, VectorIndex(name="tags_index", data=np.cumsum(list(map(len, rows))), target=held)]


def columns_of_units(
    units: xr.Dataset, *, without: Mapping[str, str] | Sequence[str] = ()
) -> list[VectorData]:
    """Every column of units that NWB has no word of its own for."""
    skipped = {names.UNIT, names.UNIT_ID, names.UNIT_ROW, names.N_SPIKES, *without}
    return [
        column(str(name), values.values, f"{str(name).replace('_', ' ')} of the unit, as read")
        for name, values in units.variables.items()
        if str(name) not in skipped
    ]
