"""pynapple objects → Session, without importing pynapple: they are known by what they have."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.numpy import read_matrix, read_times
from nwbsparse.io.nwb.behaviour import MAX_COLUMNS
from nwbsparse.session import ReadLine, ReadReport, Session

_GROUP, _SIGNAL, _MOMENTS, _INTERVALS = "TsGroup", "Tsd or TsdFrame", "Ts", "IntervalSet"


def read_pynapple(
    obj: Any,
    *,
    series: Mapping[str, Any] | None = None,
    intervals: Mapping[str, Any] | None = None,
    events: Mapping[str, Any] | None = None,
    strict: bool = False,
) -> Session:
    """Spikes, behaviour and epochs held in pynapple objects, as a Session.

    A TsGroup gives the spikes, its metadata the unit columns, its time support the
    ``obs_intervals``. A TsdFrame gives counts (whole numbers, bin width from its stamps) or
    traces, its columns the unit ids. pynapple keeps seconds everywhere, and so do we.

    Args:
        obj: a TsGroup, a TsdFrame, or what ``nap.load_file`` returns: names with one TsGroup (or,
            without it, one TsdFrame of more than 3 columns) as the activity; Tsd and TsdFrame as
            series, IntervalSet as intervals, Ts as events. All else is reported as left out.
        series: more signals: {name: Tsd, TsdFrame or (times in s, data)}.
        intervals: more intervals: {name: IntervalSet, (n, 2) array or data frame}.
        events: more events: {name: Ts or times in s}.
        strict: refuse what would be repaired.

    Raises:
        BadInput: there is no activity among the objects, or more than one; else as ``read_times``
            and ``read_matrix``.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lines: list[ReadLine] = []
        parts: dict[str, dict[str, Any]] = {_SIGNAL: {}, _INTERVALS: {}, _MOMENTS: {}}
        activity = obj
        if _kind(obj) is None and hasattr(obj, "keys"):
            activity = _sorted_out(obj, parts, lines)
        given = {
            "series": _converted(parts[_SIGNAL] | dict(series or {})),
            "intervals": _converted(parts[_INTERVALS] | dict(intervals or {})),
            "events": _converted(parts[_MOMENTS] | dict(events or {})),
            "strict": strict,
        }
        session = _of_activity(activity, given)
    said = dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught)
    report = session.report
    return replace(session, report=ReadReport((*report.lines, *lines), (*report.warnings, *said)))


def _kind(obj: Any) -> str | None:
    """Which pynapple object this is; None when it is none."""
    if hasattr(obj, "t") and hasattr(obj, "time_support"):
        return _SIGNAL if hasattr(obj, "d") else _MOMENTS
    if hasattr(obj, "time_support") and hasattr(obj, "keys"):
        return _GROUP
    if hasattr(obj, "start") and hasattr(obj, "end") and hasattr(obj, "tot_length"):
        return _INTERVALS
    return None


def _sorted_out(obj: Any, parts: dict[str, dict[str, Any]], lines: list[ReadLine]) -> Any:
    """The activity; everything else goes into ``parts`` by its kind, or into ``lines``."""
    held = {str(key): obj[key] for key in obj.keys()}  # noqa: SIM118  pynapple loads on access
    kinds = {name: _kind(value) for name, value in held.items()}
    groups = [name for name, kind in kinds.items() if kind == _GROUP]
    wide = [
        name for name, value in held.items() if kinds[name] == _SIGNAL and _n_columns(value) > 3
    ]
    frames = [name for name in wide if held[name].d.ndim == 2]
    candidates = groups or frames
    if len(candidates) != 1:
        said = ", ".join(f"{name} ({type(value).__name__})" for name, value in held.items())
        wanted = "one TsGroup, or one TsdFrame with a column per unit"
        raise BadInput(f"{wanted} is needed as the activity; found: {said or 'nothing'}.")
    for name, value in held.items():
        kind = kinds[name]
        if name == candidates[0]:
            continue
        if name in wide:
            reason = f"left out: behaviour has 1 to {MAX_COLUMNS} columns, this is {value.d.shape}"
            lines.append(ReadLine("other", name, len(value.t), 0, (reason,)))
        elif kind is None or kind == _GROUP:
            reason = f"left out: {type(value).__name__} is not read"
            lines.append(ReadLine("other", name, 1, 0, (reason,)))
        else:
            parts[kind][name] = value
    return held[candidates[0]]


def _n_columns(signal: Any) -> int:
    return int(np.prod(signal.d.shape[1:]))


def _converted(given: Mapping[str, Any]) -> dict[str, Any]:
    """Pynapple objects as plain arrays and columns; all else as it is."""
    return {name: _plain(value) for name, value in given.items()}


def _plain(value: Any) -> Any:
    kind = _kind(value)
    if kind == _SIGNAL:
        return np.asarray(value.t), np.asarray(value.d)
    if kind == _MOMENTS:
        return np.asarray(value.t)
    if kind == _INTERVALS:
        ends = {"start_time": np.asarray(value.start), "stop_time": np.asarray(value.end)}
        return ends | _metadata(value)
    return value


def _metadata(obj: Any) -> dict[str, np.ndarray]:
    columns = getattr(obj, "metadata_columns", ())
    return {str(name): np.asarray(obj.get_info(name)) for name in columns}


def _stretches(obj: Any) -> np.ndarray:
    support = obj.time_support
    return np.column_stack([np.asarray(support.start), np.asarray(support.end)])


def _of_activity(obj: Any, given: dict[str, Any]) -> Session:
    kind = _kind(obj)
    if kind == _GROUP:
        ids = list(obj.keys())
        trains = {unit_id: np.asarray(obj[unit_id].t) for unit_id in ids}
        return read_times(trains, columns=_metadata(obj), obs_intervals=_stretches(obj), **given)
    if kind == _SIGNAL and obj.d.ndim == 2:
        support = _stretches(obj)
        values = np.asarray(obj.d)
        # the support of counts may end within a bin; their stamps tell the gaps exactly
        in_parts = values.dtype.kind == "f" and len(support) > 1
        return read_matrix(
            values,
            times=np.asarray(obj.t),
            unit_ids=[_as_id(column) for column in obj.columns],
            columns=_metadata(obj),
            obs_intervals=support if in_parts else None,
            **given,
        )
    raise BadInput(
        f"a {type(obj).__name__} holds no population: give a TsGroup, a TsdFrame with a column per "
        "unit, or a dict with one of them."
    )


def _as_id(column: Any) -> Any:
    return column.item() if isinstance(column, np.generic) else column
