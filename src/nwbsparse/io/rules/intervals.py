"""Tables of start and stop times, with their repairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.io.rules.account import Account, counted, listed
from nwbsparse.io.rules.clock import Reach
from nwbsparse.io.rules.columns import Column, column_kind

START, STOP = "start_time", "stop_time"


def read_table(
    name: str,
    start: np.ndarray,
    stop: np.ndarray,
    columns: Mapping[str, Column],
    account: Account,
    *,
    reach: Reach,
) -> xr.Dataset:
    """One table of intervals: when each row starts and stops, and what its columns say about it.

    Args:
        name: what the report calls it.
        start, stop: (row,) s.
        columns: the others, by name.
        account: gets a line for the table and one for each column.
        reach: when the activity was recorded; its end closes a last row whose stop is NaN or inf.

    Returns:
        ``start_time``, ``stop_time`` (s) and a variable per column on dim ``interval``, in the
        order of the rows; the attribute ``kind`` of a column says what it is. Rows without a
        start, without any stop, or that stop before they start are left out and counted.
    """
    n_rows = len(start)
    bounds, repairs = _bounds(start, stop, reach)
    start, stop, keep = bounds.start, bounds.stop, bounds.keep
    notes = _notes(start[keep], stop[keep], np.flatnonzero(keep), reach)
    account.add("intervals", name, n_rows, int(keep.sum()), notes=notes, repairs=repairs)

    variables: dict[str, tuple[str, np.ndarray, dict[str, Any]]] = {
        START: (names.INTERVAL, start[keep], {}),
        STOP: (names.INTERVAL, stop[keep], {"inferred": int((bounds.inferred & keep).sum())}),
    }
    for called, column in columns.items():
        if called in (START, STOP):
            continue
        as_name = f"{called}_column" if called == names.INTERVAL else called
        said, n_kept = column.reason, 0
        if column.values is not None:
            values, n_kept = column.values[keep], int(keep.sum())
            said = column.kind or column_kind(called, values, start[keep], stop[keep])
            variables[as_name] = (names.INTERVAL, values, {names.KIND: said})
        account.add("column", f"{name}/{called}", n_rows, n_kept, notes=[said, *column.notes])
    return xr.Dataset(variables)


@dataclass(frozen=True, eq=False)
class _Bounds:
    start: np.ndarray
    stop: np.ndarray
    keep: np.ndarray
    """Rows that start, stop, and do it in this order."""
    inferred: np.ndarray
    """Rows whose stop was not stated."""


def _bounds(start: np.ndarray, stop: np.ndarray, reach: Reach) -> tuple[_Bounds, list[str]]:
    """Starts and stops made sound, and what was mended. A row may be open at either end (inf)."""
    repairs = []
    begun, going_on = np.isneginf(start), np.isposinf(stop)
    start = np.where(begun, reach.start, start)
    inferred = (np.isnan(stop) | going_on) & np.isfinite(start)
    stop = np.where(inferred, _next_start(start, reach.stop), stop)
    keep = np.isfinite(start) & np.isfinite(stop) & ~(stop < start)
    for rows, said in (
        (inferred & ~going_on & keep, "with NaN stop: took the next start"),
        (going_on & keep, f"that stop at inf: took the next start, or the end of {reach.of}"),
        (begun & keep, f"that start at -inf: took the start of {reach.of}"),
        (~np.isfinite(start), "without a start dropped"),
        (np.isfinite(start) & ~np.isfinite(stop), "without a stop or a later start dropped"),
        (stop < start, "that stop before they start dropped"),
    ):
        if rows.any():
            repairs.append(f"{_rows(rows)} {said}")
    return _Bounds(start, stop, keep, inferred), repairs


def _next_start(start: np.ndarray, end: float) -> np.ndarray:
    """The first start after each row's own; ``end`` for the last, NaN when that is earlier."""
    ordered = np.unique(start[np.isfinite(start)])
    at = np.searchsorted(ordered, start, side="right")
    following = np.append(ordered, end if not len(ordered) or end > ordered[-1] else np.nan)
    return following[np.minimum(at, len(ordered))]


def _notes(start: np.ndarray, stop: np.ndarray, rows: np.ndarray, reach: Reach) -> list[str]:
    notes = []
    if empty := int((stop == start).sum()):
        lasting = "1 row lasts" if empty == 1 else f"{empty:,} rows last"
        notes.append(f"{lasting} 0 s: no bin can lie in {'it' if empty == 1 else 'them'}")
    outside = (stop <= reach.start) | (start >= reach.stop)
    if outside.any():
        notes.append(
            f"{counted(int(outside.sum()), 'row')} outside {reach.of} ({reach}) kept: "
            f"{listed(rows[outside])}"
        )
    order = np.lexsort((stop, start))
    latest = np.maximum.accumulate(stop[order])
    # 1 µs: contiguous rows written by arithmetic may touch a hair late
    over = np.flatnonzero(start[order][1:] < latest[:-1] - 1e-6) + 1
    if len(over):
        overlapping = np.sort(rows[order][over])
        notes.append(
            f"{counted(len(over), 'row')} overlapping an earlier one kept: {listed(overlapping)}"
        )
    return notes


def _rows(mask: np.ndarray) -> str:
    rows = np.flatnonzero(mask)
    return f"{counted(len(rows), 'row')} ({listed(rows)})"
