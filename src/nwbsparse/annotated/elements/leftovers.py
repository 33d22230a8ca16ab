"""What no type of the extension has a place for: kept in plain tables, one per dimension.

The extension's types hold what every reader looks for. Datasets may hold more, and a result must
come back whole: their layout (order, dims, types, attributes) is kept as words, and variables
without a place of their own become columns of tables beside the model.
"""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable, VectorData

from nwbsparse.annotated.elements.storage import Pack
from nwbsparse.errors import BadInput

Named = Mapping[str, Any]
"""name → values, as they stand in the extension's types."""
Layout = dict[str, Any]

_KINDS = "biufOUM"


def layout_of(dataset: xr.Dataset, placed: Set[str], part: str) -> Layout:
    """The words that are needed to put a dataset together again.

    ``placed`` are the variables that stand in the extension's types; each of the others gets the
    name of a table and column, or, a single number, stands in the words.

    Raises:
        BadInput: a variable is of a type that no file can hold.
    """
    words: Layout = {"attrs": plain_json(dataset.attrs), "variables": {}}
    tables: dict[str, str] = {}
    columns: dict[str, set[str]] = {}
    for key, variable in dataset.variables.items():
        if variable.dtype.kind not in _KINDS:
            raise BadInput(
                f"'{key}' of the {part} is of type {variable.dtype}, which NWB cannot hold"
            )
        said: dict[str, Any] = {
            "dims": list(variable.dims),
            "shape": list(variable.shape),
            "dtype": "str" if variable.dtype.kind == "U" else str(variable.dtype),
            "coordinate": key in dataset.coords,
            "attrs": plain_json(variable.attrs),
        }
        if key not in placed:
            if variable.ndim == 0:
                said["value"] = plain_json(variable.values.astype(object).item())
            elif variable.size:
                table = _table_of(str(variable.dims[0]), part, tables)
                taken = columns.setdefault(table, set())
                said |= {"table": table, "column": _new_name(str(key), taken)}
        words["variables"][str(key)] = said
    return words


def rest_tables(model: str, datasets: Mapping[str, xr.Dataset], layouts: Named, pack: Pack) -> Any:
    """Tables beside the model, with the variables for which the layouts name a column."""
    held: dict[str, list[VectorData]] = {}
    for part, dataset in datasets.items():
        for key, said in layouts[part]["variables"].items():
            if "column" not in said:
                continue
            about = json.dumps({"variable": key, "dims": said["dims"]})
            values = _stored(dataset[key].values, key)
            data: Any = values.tolist() if values.dtype.kind == "U" else pack(values)
            column = VectorData(name=said["column"], description=about, data=data)
            held.setdefault(said["table"], []).append(column)
    return [
        DynamicTable(
            name=f"{model}_{table}",
            id=pack(np.arange(len(columns[0].data))),  # a list hdmf would convert one by one
            description=f"more about the model {model}: one row per {table.partition('_')[2]}",
            columns=columns,
            colnames=[column.name for column in columns],
        )
        for table, columns in held.items()
    ]


def tables_of(layouts: Mapping[str, Layout]) -> set[str]:
    """The names (after that of the model) of the tables that some layouts speak of."""
    said = (one for layout in layouts.values() for one in layout["variables"].values())
    return {one["table"] for one in said if "table" in one}


def restore(layout: Layout, named: Named, tables: Named) -> xr.Dataset:
    """A dataset as it was: from the values that stand in types, and from the tables beside them.

    Raises:
        KeyError, ValueError: the layout speaks of what is not there.
    """
    variables, coords = {}, {}
    for key, said in layout["variables"].items():
        shape = tuple(said["shape"])
        if "column" in said:
            values = np.asarray(tables[said["table"]][said["column"]].data[:])
        elif "value" in said:
            values = np.asarray(said["value"])
        elif 0 in shape:
            values = np.zeros(shape)
        else:
            values = np.asarray(named[key])
        variable = (said["dims"], _typed(values.reshape(shape), said["dtype"]), said["attrs"])
        (coords if said["coordinate"] else variables)[key] = variable
    return xr.Dataset(variables, coords=coords, attrs=layout["attrs"])


def plain_json(value: Any) -> Any:
    """Words and numbers as JSON knows them.

    Raises:
        BadInput: something else stands in an attribute.
    """
    if isinstance(value, Mapping):
        return {str(key): plain_json(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain_json(value.tolist())
    if isinstance(value, list | tuple):
        return [plain_json(one) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise BadInput(f"an attribute holds {value!r}, which is neither a number nor text")


def _stored(values: np.ndarray, key: str) -> np.ndarray:
    kind = values.dtype.kind
    if kind in "OU":
        values = np.array([str(one) for one in values.flat], dtype=str).reshape(values.shape)
        if any("\0" in one for one in values.flat):
            raise BadInput(f"'{key}' holds text with a NUL character, which no file can hold")
    elif kind == "M":
        values = values.astype("datetime64[ns]").astype(np.int64)
    elif values.dtype == np.float16:
        values = values.astype(np.float32)
    return values.reshape(len(values), -1) if values.ndim > 2 else values


def _typed(values: np.ndarray, dtype: str) -> np.ndarray:
    if dtype in ("object", "str"):
        text = [one.decode() if isinstance(one, bytes) else str(one) for one in values.flat]
        return np.array(text, dtype=object if dtype == "object" else str).reshape(values.shape)
    return values.astype(dtype)


def _legal(name: str) -> str:
    return name.replace("/", "_").replace(":", "_").replace("\0", "_") or "_"


def _table_of(dim: str, part: str, tables: dict[str, str]) -> str:
    """The table of a dim: one each, also for 'a/b' and 'a:b', which no file can tell apart."""
    if dim not in tables:
        name = f"{part}_{_legal(dim)}"
        while name in tables.values():
            name += "_"
        tables[dim] = name
    return tables[dim]


def _new_name(name: str, taken: set[str]) -> str:
    name = _legal(name)
    # what a table calls its own parts cannot be the name of a column
    while name in taken or name == "." or hasattr(DynamicTable, name):
        name += "_"
    taken.add(name)
    return name
