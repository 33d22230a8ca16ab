"""Behaviour given as arrays: numbers become series, labels become intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.coerce import numbers, plain, unused
from nwbsparse.io.arrays.frames import own_clock
from nwbsparse.io.arrays.intervals import label_runs, take_intervals
from nwbsparse.io.nwb.behaviour import MAX_COLUMNS
from nwbsparse.io.rules.account import Account, counted
from nwbsparse.io.rules.clock import Reach, clock_of_stamps
from nwbsparse.io.rules.columns import MAX_CATEGORIES
from nwbsparse.io.rules.components import measured_components
from nwbsparse.io.rules.intervals import START
from nwbsparse.io.rules.names import identifier
from nwbsparse.session import Series

_FULL_TURN = 2 * np.pi + 0.01


@dataclass(frozen=True)
class OwnClock:
    """The clock of the activity itself, for signals that were sampled with it."""

    times: np.ndarray
    """(sample,) s, as they were given."""
    bin_width: float | None
    """Of counts (s): their times are the centres of bins."""


def take_series(
    given: Mapping[str, Any] | None,
    account: Account,
    *,
    own: OwnClock | None,
    reach: Reach,
) -> tuple[dict[str, Series], dict[str, xr.Dataset]]:
    """Behaviour signals by name, and an interval table for each that is text or true/false.

    A value is (times in s, data), a Series, a series or frame of pandas whose index is seconds, or
    only data when it was sampled with the activity.
    Numbers become a Series: a position when the name says position, an angle (radians) when it
    says direction, heading or angle and all values lie within 2π. NaN data stay. Labels become
    the table ``<name>_runs``, one row per run of equal ones, none where the label is '' or
    missing. Stamps that are NaN, repeat or run backwards are dropped and counted.

    Raises:
        BadInput: a signal has no clock, another length than its clock, more than 3 columns, or
            values that are neither numbers nor labels.
    """
    series: dict[str, Series] = {}
    tables: dict[str, xr.Dataset] = {}
    for key, value in (given or {}).items():
        name = unused(identifier(str(key)), series)
        stamps, data, width = _with_clock(str(key), value, own)
        clock = clock_of_stamps(stamps, len(data))
        times, data, repairs = clock.times, data[clock.rows], list(clock.repairs)
        if not len(times):
            repairs.append("no usable samples")
            account.add("series", name, len(stamps), 0, repairs=repairs)
            continue
        notes: list[str] = []
        if data.dtype.kind in "bU":
            runs = label_runs(name, data, times, bin_width=width)
            table = f"{name}_runs"
            tables |= take_intervals({table: runs}, account, reach=reach, labels=name)
            notes.append(f"labels became {counted(len(runs[START]), 'row')} of intervals '{table}'")
        else:
            series[name], notes = _series_of(name, times, data, value)
        if times[-1] < reach.start or times[0] > reach.stop:
            notes.append(
                f"its times, {times[0]:.6g} to {times[-1]:.6g} s, do not overlap {reach.of}, "
                f"{reach}: another clock? It was not shifted"
            )
        account.add("series", name, len(stamps), len(times), notes=notes, repairs=repairs)
    return series, tables


def _with_clock(
    key: str, value: Any, own: OwnClock | None
) -> tuple[np.ndarray, np.ndarray, float | None]:
    """The stamps, the data as numbers or labels, and the bin width where stamps are bin centres."""
    width = None
    if isinstance(value, Series):
        stamps, held = value.times, value.data
    elif isinstance(value, tuple) and len(value) == 2:
        stamps, held = value
    elif (own_stamps := own_clock(value)) is not None:
        stamps, held = own_stamps, np.asarray(value)
    elif own is None:
        raise BadInput(f"series '{key}' has no clock: give (times, data).")
    else:
        stamps, held, width = own.times, value, own.bin_width
    stamps = numbers(stamps, what=f"times of series '{key}'").astype(np.float64).ravel()
    data = plain(held)
    if data is None:
        data = numbers(held, what=f"series '{key}'")
    shape = data.shape
    if data.ndim == 2 and shape[1] == 1:
        data = data[:, 0]
    if data.ndim not in (1, 2) or (data.ndim == 2 and data.dtype.kind in "bU"):
        raise BadInput(f"series '{key}' must be (sample,) or (sample, space), not {shape}.")
    if len(data) != len(stamps):
        if data.ndim == 2 and shape[1] == len(stamps):
            raise BadInput(f"series '{key}' is {shape}, time last; give its transpose.")
        clock = "the activity" if held is value else "its clock"
        raise BadInput(
            f"series '{key}' has {len(data):,} samples and {clock} {len(stamps):,}; a signal on a "
            "clock of its own is given as (times, data), one time per sample."
        )
    if data.ndim == 2 and shape[1] > MAX_COLUMNS:
        raise BadInput(
            f"series '{key}' has {shape[1]} columns; behaviour has 1 to {MAX_COLUMNS}. "
            "Give each as a series of its own."
        )
    return stamps, data, width


def _series_of(
    name: str, times: np.ndarray, data: np.ndarray, value: Any
) -> tuple[Series, list[str]]:
    data, notes = measured_components(data.astype(np.float64))
    missing = int((~np.isfinite(data)).reshape(len(data), -1).any(axis=1).sum())
    if missing:
        data = np.where(np.isfinite(data), data, np.nan)
        notes.append(f"{counted(missing, 'sample')} NaN or infinite: not measured")
    if isinstance(value, Series):
        made = Series(name, times, data, value.unit, value.kind, description=value.description)
        return made, notes
    kind, unit = names.CONTINUOUS, ""
    words = name.lower().split("_")
    if "position" in words:
        kind = names.POSITION
        notes.append("a position, by its name")
    elif {"direction", "heading", "angle"} & set(words) and data.ndim == 1:
        known = data[np.isfinite(data)]
        coded = len(np.unique(known)) <= MAX_CATEGORIES
        if not coded and np.abs(known).max(initial=0.0) <= _FULL_TURN:
            kind, unit = names.CIRCULAR, "radians"
            notes.append("an angle, by its name, within 2π: taken as radians")
        elif not coded:
            notes.append("values beyond 2π: not taken as an angle; give radians")
    return Series(name, times, data, unit, kind), notes
