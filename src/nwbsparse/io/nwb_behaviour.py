"""Behaviour signals of a recording, found by what they are and not by where they lie."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from pynwb import ProcessingModule, TimeSeries
from pynwb.behavior import SpatialSeries

from nwbsparse import names
from nwbsparse.io.account import Account
from nwbsparse.io.datasets import load, shape_of, text
from nwbsparse.io.nwb_clock import clock_of
from nwbsparse.io.nwb_contents import recorded
from nwbsparse.session import Series

MAX_COLUMNS = 3
_ANGLE = {"radian": 1.0, "radians": 1.0, "rad": 1.0}
_ANGLE |= dict.fromkeys(("degree", "degrees", "deg", "°"), np.pi / 180)
_LENGTH = {
    *("m", "meter", "meters", "metre", "metres", "cm", "centimeter", "centimeters"),
    *("centimetre", "centimetres", "mm", "millimeter", "millimeters", "millimetre"),
    *("millimetres", "um", "µm", "micron", "microns", "micrometer", "micrometers"),
    *("px", "pixel", "pixels", "inch", "inches"),
}
_BEHAVIOUR_CONTAINERS = ("BehavioralTimeSeries", "PupilTracking", "EyeTracking")


def read_behaviour(
    nwbfile: Any,
    account: Account,
    *,
    spike_extent: tuple[float, float],
    path_of: Callable[[Any], str],
) -> dict[str, Series]:
    """Every behaviour signal of a file by its name, on its own clock.

    Taken: each SpatialSeries; each TimeSeries in BehavioralTimeSeries, PupilTracking or
    EyeTracking; each plain TimeSeries directly in a processing module called behav…; all with at
    most three columns of numbers. Conversion and offset are applied, degrees become radians.
    Every other TimeSeries is reported with the reason why it is not behaviour. Values may be
    NaN, times are not. Two signals of one name are told apart by their containers.
    """
    found = []
    all_series = [thing for thing in recorded(nwbfile) if isinstance(thing, TimeSeries)]
    for series in sorted(all_series, key=path_of):
        path = path_of(series)
        n_found = (shape_of(series.data) or (0,))[0]
        if reason := why_not_behaviour(series, path=path):
            account.add("other", path, n_found, 0, notes=[reason])
            continue
        one = _read_series(series, account, spike_extent=spike_extent, path=path)
        if one is not None:
            found.append((one, identifier(text(getattr(series.parent, "name", "")))))
    return _with_unique_names(found)


def why_not_behaviour(series: Any, *, path: str) -> str:
    """Why a TimeSeries is not read as a behaviour signal; '' when it is."""
    parent, kind = series.parent, type(series).__name__
    parent_kind = type(parent).__name__
    if "event" in kind.lower() or "event" in parent_kind.lower():
        return "events are not read as covariates yet"
    if parent_kind == "BehavioralEpochs":
        return "behavioural epochs are not read as covariates yet"
    in_behaviour = isinstance(parent, ProcessingModule) and "behav" in text(parent.name).lower()
    wanted = (
        isinstance(series, SpatialSeries)
        or parent_kind in _BEHAVIOUR_CONTAINERS
        or (in_behaviour and kind == "TimeSeries")
    )
    if not wanted:
        return f"not behaviour: {kind} in {path.rpartition('/')[0]}"
    shape = shape_of(series.data)
    if not shape or 0 in shape:
        return "left out: it has no samples"
    if len(shape) > 2 or (len(shape) == 2 and min(shape) > MAX_COLUMNS):
        return f"left out: behaviour has 1 to {MAX_COLUMNS} columns, this has shape {shape}"
    dtype = getattr(series.data, "dtype", None) or np.asarray(series.data).dtype
    if np.dtype(dtype).kind not in "biuf":
        return f"left out: it holds {dtype}, not numbers"
    return ""


def identifier(name: str) -> str:
    """A name that can be used in conditions and as a variable: letters, digits, underscores."""
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "series"
    return f"_{clean}" if clean[0].isdigit() or keyword.iskeyword(clean) else clean


def _read_series(
    series: Any, account: Account, *, spike_extent: tuple[float, float], path: str
) -> Series | None:
    repairs: list[str] = []
    data = load(series.data, what=f"{path}/data")
    n_stamps = (shape_of(series.timestamps) or (None,))[0]
    if data.ndim == 2 and data.shape[0] != n_stamps and data.shape[1] == n_stamps:
        data = data.T
        repairs.append(f"stored as {data.shape[::-1]}, time last: transposed")
    n_found = data.shape[0]
    if data.ndim == 2 and data.shape[1] > MAX_COLUMNS:
        account.add("other", path, n_found, 0, notes=[f"left out: {data.shape[1]} columns"])
        return None
    clock = clock_of(series, n_found, path=path)
    repairs += [*clock.repairs, *([clock.refusal] if clock.refusal else [])]
    if clock.refusal or not len(clock.times):
        account.add("series", path, n_found, 0, notes=["no usable samples"], repairs=repairs)
        return None
    data = data[clock.rows].astype(np.float64)
    data = data * float(series.conversion or 1.0) + float(series.offset or 0.0)
    if data.ndim == 2 and data.shape[1] == 1:
        data = data[:, 0]
    kind, factor, notes = _kind_of(series, data)
    start, stop = clock.times[0], clock.times[-1]
    if stop < spike_extent[0] or start > spike_extent[1]:
        notes.append(
            f"its times, {start:.6g} to {stop:.6g} s, do not overlap the spikes, "
            f"{spike_extent[0]:.6g} to {spike_extent[1]:.6g} s: another clock? It was not shifted"
        )
    missing = int(np.isnan(data).reshape(len(data), -1).any(axis=1).sum())
    if missing:
        notes.append(f"{missing:,} samples are NaN")
    account.add("series", path, n_found, len(data), notes=notes, repairs=repairs)
    return Series(
        name=identifier(series.name),
        times=clock.times,
        data=data * factor,
        unit="radians" if kind == names.CIRCULAR else text(series.unit),
        kind=kind,
        path=path,
        object_id=series.object_id,
        description=text(series.description),
    )


def _kind_of(series: Any, data: np.ndarray) -> tuple[str, float, list[str]]:
    """What kind of covariate a series is, and what brings an angle to radians."""
    unit = text(series.unit).strip().lower()
    container = type(series.parent).__name__
    # gaze in degrees of visual angle does not wrap around
    if not isinstance(series, SpatialSeries) or container == "EyeTracking":
        return names.CONTINUOUS, 1.0, []
    if unit in _ANGLE:
        notes = ["degrees were converted to radians"] if _ANGLE[unit] != 1.0 else []
        return names.CIRCULAR, _ANGLE[unit], notes
    if container == "CompassDirection":
        # SpatialSeries says 'meters' when its writer said nothing
        if np.nanmax(np.abs(data), initial=0.0) <= 2 * np.pi + 0.01:
            return names.CIRCULAR, 1.0, [f"a direction in '{unit}' within 2π: taken as radians"]
        return names.CONTINUOUS, 1.0, [f"a direction in '{unit}' beyond 2π: not taken as an angle"]
    if container == "Position" or unit in _LENGTH:
        return names.POSITION, 1.0, []
    return names.CONTINUOUS, 1.0, []


def _with_unique_names(found: list[tuple[Series, str]]) -> dict[str, Series]:
    count = Counter(series.name for series, _ in found)
    named: dict[str, Series] = {}
    for series, container in found:
        stem = series.name if count[series.name] == 1 else f"{series.name}_{container}"
        name, n = stem, 2
        while name in named:
            name, n = f"{stem}_{n}", n + 1
        named[name] = replace(series, name=name)
    return named
