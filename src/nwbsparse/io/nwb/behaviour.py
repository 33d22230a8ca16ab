"""Behaviour signals of a recording, found by what they are and not by where they lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pynwb import ProcessingModule, TimeSeries
from pynwb.behavior import SpatialSeries

from nwbsparse import names
from nwbsparse.io.nwb.choose import how_to_ask
from nwbsparse.io.nwb.clock import clock_of
from nwbsparse.io.nwb.contents import recorded
from nwbsparse.io.nwb.pose import is_pose, pose_name, read_confidence
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.clock import Reach
from nwbsparse.io.rules.components import measured_components
from nwbsparse.io.rules.names import identifier, with_unique_names
from nwbsparse.io.rules.scale import scale_of
from nwbsparse.io.rules.values import load, shape_of, text
from nwbsparse.io.rules.vectors import NUMBERS, kind_of
from nwbsparse.session import Series

MAX_COLUMNS = 3
_FULL_TURN = 2 * np.pi + 0.01
_ANGLE = {"radian": 1.0, "radians": 1.0, "rad": 1.0}
_ANGLE |= dict.fromkeys(("degree", "degrees", "deg", "°"), np.pi / 180)
_LENGTH = {
    *("m", "meter", "meters", "metre", "metres", "cm", "centimeter", "centimeters"),
    *("centimetre", "centimetres", "mm", "millimeter", "millimeters", "millimetre"),
    *("millimetres", "um", "µm", "micron", "microns", "micrometer", "micrometers"),
    *("px", "pixel", "pixels", "inch", "inches"),
}
_BEHAVIOUR_CONTAINERS = (
    *("BehavioralTimeSeries", "PupilTracking", "EyeTracking"),
    "BehavioralEvents",  # with a rate, that is: with timestamps they were read as events
)


def read_behaviour(
    nwbfile: Any,
    account: Account,
    *,
    reach: Reach,
    path_of: Callable[[Any], str],
    used: frozenset[int] = frozenset(),
    rate: float | None = None,
) -> dict[str, Series]:
    """Every behaviour signal of a file by its name, on its own clock.

    Taken: each SpatialSeries, poses with their confidence; each TimeSeries in
    BehavioralTimeSeries, PupilTracking or EyeTracking; sampled ones in BehavioralEvents; each
    plain TimeSeries directly in a processing module called behav…; all with at most three columns
    of numbers. Conversion and offset are applied, degrees become radians. Every other TimeSeries
    is reported with the reason why it is not behaviour, but for those in
    ``used`` (by ``id``), which were read as something else. Values may be NaN, times are not. Two
    signals of one name are told apart by their containers. ``rate`` (Hz) takes the place of a
    stored rate that is no clock.
    """
    found: list[tuple[Series, str]] = []
    all_series = [
        thing
        for thing in recorded(nwbfile)
        if isinstance(thing, TimeSeries) and id(thing) not in used
    ]
    for series in sorted(all_series, key=path_of):
        path = path_of(series)
        n_found = (shape_of(series.data) or (0,))[0]
        if reason := why_not_behaviour(series, path=path):
            account.add("other", path, n_found, 0, notes=[reason])
            continue
        container = identifier(text(getattr(series.parent, "name", "")))
        read = _read_series(series, account, reach=reach, path=path, rate=rate)
        found += [(one, container) for one in read]
    return with_unique_names(found)


def why_not_behaviour(series: Any, *, path: str) -> str:
    """Why a TimeSeries is not read as a behaviour signal; '' when it is."""
    parent, kind = series.parent, type(series).__name__
    parent_kind = type(parent).__name__
    if parent_kind == "BehavioralEpochs":
        return "behavioural epochs are not read as covariates yet"
    in_behaviour = isinstance(parent, ProcessingModule) and "behav" in text(parent.name).lower()
    wanted = (
        isinstance(series, SpatialSeries)
        or parent_kind in _BEHAVIOUR_CONTAINERS
        or (in_behaviour and kind == "TimeSeries")
    )
    if not wanted:
        way = how_to_ask(series, path=path)
        return f"not behaviour: {kind} in {path.rpartition('/')[0]}{way and f'; {way}'}"
    shape = shape_of(series.data)
    if not shape or 0 in shape:
        return "left out: it has no samples"
    if len(shape) > 2 or (len(shape) == 2 and min(shape) > MAX_COLUMNS):
        return f"left out: behaviour has 1 to {MAX_COLUMNS} columns, this has shape {shape}"
    if kind_of(series.data) not in NUMBERS:
        return f"left out: it holds {getattr(series.data, 'dtype', 'values')}, not numbers"
    return ""


def _read_series(
    series: Any, account: Account, *, reach: Reach, path: str, rate: float | None
) -> list[Series]:
    repairs: list[str] = []
    data = load(series.data, what=f"{path}/data")
    n_stamps = (shape_of(series.timestamps) or (None,))[0]
    if data.ndim == 2 and _is_time_last(data.shape, n_stamps):
        data = data.T
        repairs.append(f"stored as {data.shape[::-1]}, time last: transposed")
    n_found = data.shape[0]
    if data.ndim == 2 and data.shape[1] > MAX_COLUMNS:
        account.add("other", path, n_found, 0, notes=[f"left out: {data.shape[1]} columns"])
        return []
    clock = clock_of(series, n_found, path=path, rate=rate)
    repairs += [*clock.repairs, *([clock.refusal] if clock.refusal else [])]
    if clock.refusal or not len(clock.times):
        account.add("series", path, n_found, 0, notes=["no usable samples"], repairs=repairs)
        return []
    conversion, offset, mended = scale_of(series)
    repairs += mended
    data = data[clock.rows].astype(np.float64) * conversion + offset
    if data.ndim == 2 and data.shape[1] == 1:
        data = data[:, 0]
    data, notes = measured_components(data)
    kind, factor, more = _kind_of(series, data)
    notes += [*more, *clock.notes]
    start, stop = clock.times[0], clock.times[-1]
    if stop < reach.start or start > reach.stop:
        notes.append(
            f"its times, {start:.6g} to {stop:.6g} s, do not overlap {reach.of}, {reach}: another "
            "clock? It was not shifted"
        )
    missing = int(np.isnan(data).reshape(len(data), -1).any(axis=1).sum())
    if missing:
        notes.append(f"{missing:,} samples are NaN")
    account.add("series", path, n_found, len(data), notes=notes, repairs=repairs)
    confidence = None
    if is_pose(series):
        confidence = read_confidence(series, clock, account, n_samples=n_found, path=path)
    one = Series(
        name=pose_name(series) if is_pose(series) else identifier(series.name),
        times=clock.times,
        data=data * factor,
        unit="radians" if kind == names.CIRCULAR else _unit(series),
        kind=kind,
        path=path,
        object_id=series.object_id,
        description=text(series.description),
    )
    return [one] if confidence is None else [one, confidence]


def _is_time_last(shape: tuple[int, ...], n_stamps: int | None) -> bool:
    """Whether (sample, column) data were stored the other way round."""
    if n_stamps in shape:
        return shape[0] != n_stamps
    return shape[1] > MAX_COLUMNS >= shape[0]  # so many columns behaviour has not


def _unit(series: Any) -> str:
    """The unit of measure; '' where a writer put "not available", since NWB asks for a word."""
    said = text(series.unit)
    return "" if said == "n.a." else said


def _kind_of_number(unit: str, data: np.ndarray) -> tuple[str, float, list[str]]:
    """Likewise of a series that is not said to be of space: an angle where it is seen to run round."""
    if unit not in _ANGLE:
        return names.CONTINUOUS, 1.0, []
    factor = _ANGLE[unit]
    known = data * factor
    if (
        data.ndim > 1 and data.shape[1] > 1
    ):  # yaw, pitch and roll: three things, of which one may run round
        return names.CONTINUOUS, 1.0, []
    with np.errstate(invalid="ignore"):
        within = np.nanmax(known, initial=-np.inf) - np.nanmin(known, initial=np.inf) <= _FULL_TURN
        wraps = np.count_nonzero(np.abs(np.diff(known, axis=0)) > np.pi) > 1  # one is an artefact
    if within and wraps:
        said = "" if factor == 1.0 else "; degrees were converted to radians"
        return (
            names.CIRCULAR,
            factor,
            [f"an angle that runs round, by its unit and its steps{said}"],
        )
    why = "it never runs round" if within else "its values go beyond one turn"
    return names.CONTINUOUS, 1.0, [f"in '{unit}', but not taken as an angle: {why}"]


def _kind_of(series: Any, data: np.ndarray) -> tuple[str, float, list[str]]:
    """What kind of covariate a series is, and what brings an angle to radians."""
    unit = text(series.unit).strip().lower()
    container = type(series.parent).__name__
    # gaze in degrees of visual angle does not wrap around
    if container == "EyeTracking":
        return names.CONTINUOUS, 1.0, []
    if not isinstance(series, SpatialSeries):
        return _kind_of_number(unit, data)
    if unit in _ANGLE and not is_pose(series):
        notes = ["degrees were converted to radians"] if _ANGLE[unit] != 1.0 else []
        return names.CIRCULAR, _ANGLE[unit], notes
    if container == "CompassDirection":
        # SpatialSeries says 'meters' when its writer said nothing
        if np.nanmax(np.abs(data), initial=0.0) <= 2 * np.pi + 0.01:
            return names.CIRCULAR, 1.0, [f"a direction in '{unit}' within 2π: taken as radians"]
        return names.CONTINUOUS, 1.0, [f"a direction in '{unit}' beyond 2π: not taken as an angle"]
    if container == "Position" or unit in _LENGTH or is_pose(series):
        return names.POSITION, 1.0, []
    return names.CONTINUOUS, 1.0, []
