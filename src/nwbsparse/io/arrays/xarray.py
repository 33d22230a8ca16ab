"""An xarray object with dims time and unit → Session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.activity import take_activity
from nwbsparse.io.arrays.coerce import plain, take_ids
from nwbsparse.io.arrays.levels import times_of_levels
from nwbsparse.io.arrays.session import IN_MEMORY, matrix_session
from nwbsparse.io.nwb.behaviour import MAX_COLUMNS
from nwbsparse.io.rules.account import Account, listed
from nwbsparse.session import Series, Session

_SECONDS = ("", "s", "sec", "second", "seconds")
_SERIES_KINDS = (names.CONTINUOUS, names.CIRCULAR, names.POSITION)
_OURS = (names.TIME, names.SEGMENT, names.TRIAL, names.SPLIT, names.VALID)


def read_xarray(
    data: xr.DataArray | xr.Dataset,
    *,
    activity: str | None = None,
    bin_width: float | None = None,
    intervals: Mapping[str, Any] | None = None,
    events: Mapping[str, Any] | None = None,
    strict: bool = False,
) -> Session:
    """Activity with named dims ``time`` and ``unit``, and the behaviour on ``time``, as a Session.

    Whole numbers are counts, real numbers traces, as in ``read_matrix``. The coordinate ``time``
    (s) holds bin centres or moments. Coordinates and variables on ``unit`` become unit columns,
    ``unit_id`` (else ``unit``) the ids; those on ``time`` become series, or intervals where they
    are text, true/false or coded categories. ``valid`` (time, unit) becomes obs_intervals of
    counts, and NaN in traces. Everything else is reported as left out.

    Args:
        data: a DataArray, or a Dataset of which one variable is the activity.
        activity: the name of that variable; needed where several have dims time and unit.
        bin_width: seconds; default: the attribute ``bin_width``, else from the times.
        intervals: {name: (n, 2) array} or {name: data frame}, s.
        events: {name: times in s} or {name: (times, labels)}.
        strict: refuse what would be repaired.

    Raises:
        BadInput: no variable has these dims, or it cannot be told which is meant; else as
            ``read_matrix``.
    """
    account = Account(IN_MEMORY, strict)
    dataset = data.to_dataset(name=_free_name(data)) if isinstance(data, xr.DataArray) else data
    name = _activity_name(dataset, activity)
    chosen = dataset[name].transpose(names.TIME, names.UNIT)
    if bin_width is None:
        stated = chosen.attrs.get(names.BIN_WIDTH, dataset.attrs.get(names.BIN_WIDTH))
        bin_width = None if stated is None else float(stated)
    ids, notes = _ids(dataset)
    valid = _valid(dataset)
    values = chosen.values
    if valid is not None and values.dtype.kind == "f":
        values = np.where(valid, values, np.nan)
    found = take_activity(
        values,
        account,
        ids=ids,
        name=name,
        bin_width=bin_width,
        times=_times(dataset),
        unit=str(chosen.attrs.get(names.UNITS_OF_MEASURE, "")),
    )
    observed = None
    if valid is not None and values.dtype.kind != "f":
        observed = _observed(valid, found.clock)
    columns, series = _others(dataset, name, found.clock.times, account)
    return matrix_session(
        found,
        account,
        ids=ids,
        columns=columns,
        series=series,
        intervals=intervals,
        events=events,
        obs_intervals=observed,
        notes=notes,
    )


def _free_name(data: xr.DataArray) -> str:
    name = str(data.name or "activity")
    return f"{name}_activity" if name in data.coords or name in data.dims else name


def _activity_name(dataset: xr.Dataset, asked: str | None) -> str:
    dims = {names.TIME, names.UNIT}
    fitting = [str(name) for name, v in dataset.data_vars.items() if set(v.dims) == dims]
    if asked is not None:
        if asked in fitting:
            return asked
        raise BadInput(
            f"activity = '{asked}' is no variable with dims (time, unit); those with them: "
            f"{', '.join(fitting) or 'none'}."
        )
    measured = [name for name in fitting if dataset[name].dtype.kind != "b"] or fitting
    if names.COUNTS in measured:
        return names.COUNTS
    if len(measured) == 1:
        return measured[0]
    if measured:
        raise BadInput(f"which is the activity? Give activity=, one of {', '.join(measured)}.")
    held = [f"{name} {v.dims}" for name, v in dataset.variables.items()]
    raise BadInput(
        f"no variable has the dims (time, unit); found: {listed(held) or 'nothing'}. Rename the "
        "dims: .rename({'neuron': 'unit'})."
    )


def _times(dataset: xr.Dataset) -> Any:
    if names.TIME not in dataset.coords:
        return None
    time = dataset[names.TIME]
    said = str(time.attrs.get("units", "")).strip().lower()
    if said not in _SECONDS:
        raise BadInput(f"the coordinate time is in '{said}'; give seconds, with units = 's'.")
    levels = times_of_levels(dataset.indexes.get(names.TIME), what="time")
    return time.values if levels is None else levels


def _ids(dataset: xr.Dataset) -> tuple[np.ndarray, list[str]]:
    for word in (names.UNIT_ID, names.UNIT):
        if word in dataset.variables and dataset[word].dims == (names.UNIT,):
            return take_ids(dataset[word].values.tolist(), what=f"the values of '{word}'")
    return np.arange(dataset.sizes[names.UNIT]), []


def _valid(dataset: xr.Dataset) -> np.ndarray | None:
    if names.VALID not in dataset or dataset[names.VALID].dtype.kind != "b":
        return None
    if set(dataset[names.VALID].dims) != {names.TIME, names.UNIT}:
        return None
    return dataset[names.VALID].transpose(names.TIME, names.UNIT).values


def _observed(valid: np.ndarray, clock: Any) -> list[np.ndarray]:
    """Stretches (s) of the bins in which each unit was observed."""
    half, times = clock.bin_width / 2, clock.times
    joined = np.diff(times) <= clock.bin_width * 1.001
    stretches = []
    for good in valid.T:
        runs_on = good[1:] & good[:-1] & joined
        first = np.flatnonzero(good & ~np.append(False, runs_on))
        last = np.flatnonzero(good & ~np.append(runs_on, False))
        stretches.append(np.column_stack([times[first] - half, times[last] + half]))
    return stretches


def _others(
    dataset: xr.Dataset, activity: str, times: np.ndarray, account: Account
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Unit columns and behaviour; what is neither is reported."""
    columns, series = {}, {}
    for key, variable in dataset.variables.items():
        name, dims = str(key), variable.dims
        if name in (activity, names.UNIT_ID, *_OURS) or (name == names.UNIT and dims == (name,)):
            continue
        if dims == (names.UNIT,):
            columns[name] = variable.values
            continue
        reason = "left out: its dims are neither (time, …) nor (unit)"
        if dims and dims[0] == names.TIME and names.UNIT not in dims:
            made, reason = _behaviour(name, variable, times)
            if made is not None:
                series[name] = made
                continue
        account.add("other", name, variable.shape[0] if dims else 1, 0, notes=[reason])
    return columns, series


def _behaviour(name: str, variable: xr.Variable, times: np.ndarray) -> tuple[Any, str]:
    """A variable on time as a value for ``take_series``, or None and the reason why not."""
    if variable.attrs.get(names.ROLE) == names.ROLE_INTERVAL:
        return None, "left out: rows of an interval table; give the table as intervals"
    values = plain(variable.values)
    if values is None:
        return None, f"left out: it holds {variable.dtype}"
    if values.ndim > 2 or (values.ndim == 2 and values.shape[1] > MAX_COLUMNS):
        return None, f"left out: behaviour has 1 to {MAX_COLUMNS} columns, this is {values.shape}"
    if names.CATEGORIES in variable.attrs and values.dtype.kind in "iu":
        words = np.array([*json.loads(variable.attrs[names.CATEGORIES]), ""], dtype=str)
        inside = (values >= 0) & (values < len(words))
        return words[np.where(inside, values, -1)], ""
    kind = variable.attrs.get(names.KIND)
    if kind in _SERIES_KINDS and values.dtype.kind in "iuf":
        unit = str(variable.attrs.get(names.UNITS_OF_MEASURE, ""))
        return Series(name, times, values, unit, kind), ""
    return values, ""
