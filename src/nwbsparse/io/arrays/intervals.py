"""Trials and other intervals given as arrays or data frames, and runs of labels made into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.coerce import numbers, plain
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.clock import Reach
from nwbsparse.io.rules.columns import CATEGORY, MAX_CATEGORIES, Column
from nwbsparse.io.rules.intervals import START, STOP, read_table

_STARTS, _STOPS = (START, "start"), (STOP, "stop", "end")
_GAP = 3.0  # median steps, as in the alignment of covariates


def take_intervals(
    given: Mapping[str, Any] | None,
    account: Account,
    *,
    reach: Reach,
    labels: str | None = None,
) -> dict[str, xr.Dataset]:
    """Interval tables by name, from (n, 2) arrays (s), data frames or mappings of columns.

    A frame needs ``start_time`` or ``start``, and ``stop_time``, ``stop`` or ``end``. A NaN stop
    becomes the next start (``reach.stop`` for the last row); rows without a start or that stop
    before they start are dropped; all of it counted. ``labels`` names a column that is a
    condition however few rows it has.

    Raises:
        BadInput: a table is not (n, 2), has no start or stop, or columns of different lengths.
    """
    tables = {}
    for key, value in (given or {}).items():
        name = str(key)
        held = _columns_of(name, value, account)
        columns = {"id": Column(np.arange(len(held[START])))}
        columns |= {column: Column(values) for column, values in held.items()}
        dataset = read_table(name, held[START], held[STOP], columns, account, reach=reach)
        if labels in dataset and 2 <= len(np.unique(dataset[labels])) <= MAX_CATEGORIES:
            dataset[labels].attrs[names.KIND] = CATEGORY
        tables[name] = dataset
    return tables


def label_runs(
    name: str, labels: np.ndarray, times: np.ndarray, *, bin_width: float | None = None
) -> dict[str, np.ndarray]:
    """Runs of equal labels as columns of intervals: start, stop (s) and the label.

    Each sample holds until the next one; with ``bin_width`` (s) it is the centre of a bin. A step
    of more than three median steps (of more than one bin) ends a run. '' is no label.
    """
    words = labels.astype(str)
    if bin_width is None:
        step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
        begins, farthest = times, _GAP * step
        ends = np.minimum(np.append(times[1:], times[-1] + step), times + farthest)
    else:
        begins, farthest = times - bin_width / 2, bin_width * 1.001
        ends = begins + bin_width
    breaks = np.flatnonzero((words[1:] != words[:-1]) | (np.diff(times) > farthest)) + 1
    first, last = np.append(0, breaks), np.append(breaks - 1, len(times) - 1)
    labelled = words[first] != ""
    first, last = first[labelled], last[labelled]
    return {START: begins[first], STOP: ends[last], name: words[first]}


def _columns_of(name: str, value: Any, account: Account) -> dict[str, np.ndarray]:
    if not hasattr(value, "keys"):
        value = _pairs(name, value)
    held = {str(column): value[column] for column in value.keys()}  # noqa: SIM118
    columns = _bounds(name, held)
    n_rows = len(columns[START])
    for column, values in held.items():
        as_array = plain(values)
        if as_array is None or as_array.ndim != 1:
            reason = "left out: it holds more than one number or text per row"
            account.add("column", f"{name}/{column}", n_rows, 0, notes=[reason])
        else:
            columns[column] = as_array
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{column} {n}" for column, n in lengths.items())
        raise BadInput(f"columns of intervals '{name}' have different lengths: {said}.")
    return columns


def _pairs(name: str, value: Any) -> dict[str, np.ndarray]:
    pairs = numbers(value, what=f"intervals '{name}'")
    if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
        hint = "; give its transpose" if pairs.ndim == 2 and pairs.shape[0] == 2 else ""
        raise BadInput(
            f"intervals '{name}' must be (n, 2), start and stop (s), not {pairs.shape}{hint}."
        )
    pairs = pairs.reshape(-1, 2)
    return {START: pairs[:, 0], STOP: pairs[:, 1]}


def _bounds(name: str, held: dict[str, Any]) -> dict[str, np.ndarray]:
    """Starts and stops (s) under their own names, taken out of ``held``."""
    bounds, known = {}, ", ".join(held) or "none"
    for standard, words in ((START, _STARTS), (STOP, _STOPS)):
        spelled = next((word for word in words if word in held), None)
        if spelled is None:
            raise BadInput(
                f"intervals '{name}' have no column {' or '.join(words)}; they have {known}."
            )
        values = plain(held.pop(spelled))  # missing ones become NaN
        if values is None or values.dtype.kind not in "iuf":
            raise BadInput(
                f"{spelled} of intervals '{name}' holds no numbers; give seconds since the "
                "session start."
            )
        bounds[standard] = values.astype(np.float64).ravel()
    return bounds
