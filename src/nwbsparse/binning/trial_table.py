"""Which rows of which table are the trials of a session, when they start, and which are blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput, unknown
from nwbsparse.naming.listed_names import listed_names
from nwbsparse.query import select
from nwbsparse.session import Session

BLANKS = ("blank", "blank_sweep", "is_blank")
"""Columns that say which presentations showed nothing."""
DURATION = "duration"
_TRUE = ("true", "1", "1.0", "yes", "blank")
_NONE = ("", "nan", "none", "null")


@dataclass(frozen=True)
class TrialTable:
    """The rows of a table that are taken as trials."""

    name: str
    """Of the table."""
    rows: xr.Dataset
    """Its columns, over ``interval``."""
    row: np.ndarray
    """(trial,) the row of the table that each trial is."""

    @property
    def start(self) -> np.ndarray:
        """(trial,) s."""
        return self.rows["start_time"].values.astype(np.float64)

    @property
    def duration(self) -> np.ndarray:
        """(trial,) s."""
        return self.rows["stop_time"].values.astype(np.float64) - self.start

    def columns(self) -> list[str]:
        """The columns that can be labels: all but bounds and what marks blanks."""
        bounds = ("start_time", "stop_time", *BLANKS)
        return [str(name) for name in self.rows.data_vars if name not in bounds]

    def take(self, trials: np.ndarray) -> TrialTable:
        """Some of the trials, in this order."""
        return TrialTable(self.name, self.rows.isel({names.INTERVAL: trials}), self.row[trials])


def trial_table(
    session: Session, *, table: str | None, labels: Sequence[str], where: str | None
) -> TrialTable:
    """The table of trials of a session.

    Args:
        session: the recording.
        table: its name; None: the one with the most of ``labels`` among its columns; of several such
            the one called ``trials``.
        labels: what is asked of the trials.
        where: condition on columns of the table (and ``duration``, s); rows that fail it are no trials.

    Raises:
        BadInput: there is no such table, several could be meant, or no row satisfies the condition.
    """
    tables = session.intervals
    if not tables:
        raise BadInput("has no table of trials: no intervals, no epochs, no table of stimuli")
    if table is not None and table not in tables:
        raise unknown(table, tables, what="table")
    name = _chosen(session, labels) if table is None else table
    rows = tables[name]
    if where is not None:
        columns = {str(key): one.values for key, one in rows.data_vars.items()}
        lasting = rows["stop_time"].values - rows["start_time"].values
        keep = np.flatnonzero(select(where, {DURATION: lasting, **columns}, what="where"))
    else:
        keep = np.arange(rows.sizes[names.INTERVAL])
    if not len(keep):
        asked = f" that satisfies {where!r}" if where is not None else ""
        raise BadInput(f"table '{name}' has no row{asked}")
    return TrialTable(name, rows.isel({names.INTERVAL: keep}), keep)


def _chosen(session: Session, labels: Sequence[str]) -> str:
    """The table with the most of the labels; of several such, ``trials``."""
    tables = list(session.intervals)
    held = [len(set(labels) & {str(key) for key in session.intervals[name]}) for name in tables]
    best = [name for name, n in zip(tables, held, strict=True) if n == max(held)]
    if len(best) == 1:
        return best[0]
    if "trials" in best:
        return "trials"
    raise BadInput(
        f"several tables could hold the trials; say table=, one of: {listed_names(best)}"
    )


def marked_blank(table: TrialTable) -> np.ndarray:
    """(trial,) bool: a column of the table says that nothing was shown."""
    blank = np.zeros(len(table.row), dtype=bool)
    for name in BLANKS:
        if name in table.rows:
            blank |= _true(table.rows[name].values)
    return blank


def missing(values: np.ndarray) -> np.ndarray:
    """(trial,) bool: NaN, or no text."""
    if values.dtype.kind == "f":
        return ~np.isfinite(values)
    if values.dtype.kind in "biu":
        return np.zeros(len(values), dtype=bool)
    return np.array([str(one).strip().lower() in _NONE for one in values], dtype=bool)


def _true(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "biuf":
        return np.nan_to_num(values.astype(np.float64)) != 0
    return np.array([str(one).strip().lower() in _TRUE for one in values], dtype=bool)
