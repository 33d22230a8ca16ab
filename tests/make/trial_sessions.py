"""Imaged sessions in memory with a table of trials: what a test says, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from make.sessions import make_table
from nwbsparse.session import Series, Session, Source, Traces


def imaged(
    data: np.ndarray,
    times: np.ndarray,
    tables: Mapping[str, xr.Dataset],
    *,
    name: str = "mouse",
    columns: Mapping[str, Sequence[Any]] | None = None,
    series: Sequence[Series] = (),
    subject: Mapping[str, str] | None = None,
) -> Session:
    """A session of traces (sample, unit)."""
    n_units = data.shape[1]
    units = {
        "unit_id": ("unit", np.arange(n_units)),
        "n_spikes": ("unit", np.zeros(n_units, dtype=np.int64)),
    }
    units |= {key: ("unit", np.asarray(values)) for key, values in (columns or {}).items()}
    return Session(
        xr.Dataset(units),
        np.empty(0),
        np.zeros(n_units + 1, dtype=np.int64),
        traces=Traces("dff", data.astype(np.float32), np.asarray(times, np.float64)),
        intervals=dict(tables),
        series={one.name: one for one in series},
        subject=dict(subject or {}),
        source=Source(None, "0" * 64, identifier=name),
    )


def clock_session(*, n_trials: int = 6, name: str = "mouse", **given: Any) -> Session:
    """Two units sampled at 10 Hz for 40 s: the first shows the time, the second its opposite.

    Trials of 2 s start every 5 s from 5 s on, with directions 0, 90 and 270 in turn.
    """
    times = np.arange(400) / 10
    start = 5.0 + 5 * np.arange(n_trials)
    direction = np.resize([0.0, 90.0, 270.0], n_trials)
    table = make_table(start, start + 2, direction=("category", direction))
    tables = given.pop("tables", {"trials": table})
    return imaged(np.column_stack([times, -times]), times, tables, name=name, **given)


def with_column(session: Session, table: str = "trials", **columns: tuple[str, Any]) -> Session:
    """The session with more columns in a table, each (kind, values)."""
    made = session.intervals[table].assign(
        {key: ("interval", np.asarray(v), {"kind": kind}) for key, (kind, v) in columns.items()}
    )
    return replace(session, intervals={**session.intervals, table: made})
