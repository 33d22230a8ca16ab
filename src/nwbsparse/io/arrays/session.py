"""The parts of a recording that was never a file → a Session, and its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.activity import Activity
from nwbsparse.io.arrays.coerce import report_units, take_columns, take_events, take_stretches
from nwbsparse.io.arrays.intervals import take_intervals
from nwbsparse.io.arrays.series import take_series
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.clock import Reach
from nwbsparse.session import Session, Source

IN_MEMORY = Path("the recording in memory")
"""What messages call it: an Account wants the path of a file."""


def matrix_session(
    activity: Activity,
    account: Account,
    *,
    ids: np.ndarray | None = None,
    columns: Mapping[str, Any] | None = None,
    series: Mapping[str, Any] | None = None,
    intervals: Mapping[str, Any] | None = None,
    events: Mapping[str, Any] | None = None,
    obs_intervals: Any = None,
    n_found: int | None = None,
    notes: Sequence[str] = (),
    source: Source | None = None,
) -> Session:
    """A Session of counts or traces with all that belongs to them, and its full report.

    ``ids`` are 0, 1, 2 … where none are given; the rest is as the caller of a reader handed it
    over. ``n_found`` is how many units there were before some were left out on purpose, as
    ``notes`` say.

    Raises:
        BadInput: a part is not what it should be, or (strict) anything needed repair.
    """
    ids = np.arange(activity.traces.data.shape[1]) if ids is None else ids
    observed = take_stretches(obs_intervals, len(ids), account, reach=activity.extent)
    held = take_columns(columns, ids, account)
    report_units(ids, activity.silent, account, found=n_found, notes=notes)
    units = {names.UNIT_ID: ids, names.N_SPIKES: activity.n_spikes} | held
    session = Session(
        units=xr.Dataset({name: (names.UNIT, values) for name, values in units.items()}),
        spike_times=np.empty(0),
        spike_index=np.zeros(len(ids) + 1, dtype=np.int64),
        traces=activity.traces,
        obs_intervals=observed,
        extent=activity.extent,
        **surroundings(
            account,
            reach=Reach(*activity.extent, of="the activity"),
            own=activity.clock,
            series=series,
            intervals=intervals,
            events=events,
        ),
    )
    return finished(session, account, source=source)


def surroundings(
    account: Account,
    *,
    reach: Reach,
    own: Any,
    series: Any,
    intervals: Any,
    events: Any,
) -> dict[str, Any]:
    """The series, intervals and events of a session, as its arguments."""
    behaviour, runs = take_series(series, account, own=own, reach=reach)
    tables = take_intervals(intervals, account, reach=reach)
    if twice := sorted(runs.keys() & tables.keys()):
        raise BadInput(
            f"intervals '{twice[0]}' are given, and made from the labels of a series too: rename one."
        )
    return {
        "series": behaviour,
        "intervals": runs | tables,
        "events": take_events(events, account),
    }


def finished(session: Session, account: Account, *, source: Source | None = None) -> Session:
    """The session with its report and its source: a digest of its arrays when it is no file.

    Raises:
        BadInput: reading strictly, and something was repaired.
    """
    account.raise_problems()
    if source is None:
        source = Source(None, digest(session))
    return replace(session, source=source, report=account.report())


def digest(session: Session) -> str:
    """The SHA-256 over the bytes of every array of a session, with its name, type and shape."""
    sha = hashlib.sha256()
    for name, array in _arrays(session):
        array = np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array
        sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        sha.update(np.ascontiguousarray(array).data if array.size else b"")
    return sha.hexdigest()


def _arrays(session: Session) -> Iterator[tuple[str, np.ndarray]]:
    yield "spike_times", session.spike_times
    yield "spike_index", session.spike_index
    if session.traces is not None:
        yield "traces", session.traces.data
        yield "traces/times", session.traces.times
    tables = {"units": session.units} | {f"intervals/{k}": t for k, t in session.intervals.items()}
    for name, table in sorted(tables.items()):
        for column in sorted(map(str, table.data_vars)):
            yield f"{name}/{column}", table[column].values
    for name, series in sorted(session.series.items()):
        yield f"series/{name}", series.data
        yield f"series/{name}/times", series.times
    for name, events in sorted(session.events.items()):
        yield f"events/{name}", events.times
        if events.labels is not None:
            yield f"events/{name}/labels", events.labels
    for row, observed in enumerate(session.obs_intervals or ()):
        yield f"obs_intervals/{row}", observed
