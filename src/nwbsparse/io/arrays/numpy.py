"""Spike times or a matrix of activity in memory → Session."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput, raise_together
from nwbsparse.io.arrays.activity import take_activity
from nwbsparse.io.arrays.coerce import numbers, report_units, take_columns, take_ids, take_stretches
from nwbsparse.io.arrays.frames import column_names, index_seconds
from nwbsparse.io.arrays.levels import times_of_levels
from nwbsparse.io.arrays.session import IN_MEMORY, finished, matrix_session, surroundings
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.clock import Reach
from nwbsparse.io.rules.seconds import check_seconds
from nwbsparse.io.rules.spikes import read_spikes
from nwbsparse.session import Session


def read_times(
    spikes: Mapping[Any, Any] | Sequence[Any] | np.ndarray,
    *,
    columns: Mapping[str, Any] | None = None,
    series: Mapping[str, Any] | None = None,
    intervals: Mapping[str, Any] | None = None,
    events: Mapping[str, Any] | None = None,
    obs_intervals: Any = None,
    extent: tuple[float, float] | None = None,
    time_scale: float | None = None,
    strict: bool = False,
) -> Session:
    """Spike times of units, with the behaviour and the trials around them, as a Session.

    Spikes are sorted within each unit; NaN and infinite times are dropped, duplicates and spikes
    before time 0 kept; all of it counted in ``session.report``. Units without spikes stay.

    Args:
        spikes: {unit id: spike times}, ids whole numbers or text; or one array per unit, whose
            ids are then 0, 1, 2 …
        columns: {name: one value per unit}, as ``region`` or ``depth``.
        series: {name: (times in s, data)} or {name: Series}. Text and true/false become the
            intervals ``<name>_runs``, so that they can be a condition.
        intervals: {name: (n, 2) array} or {name: data frame with start_time and stop_time}, s.
        events: {name: times in s} or {name: (times, labels)}.
        obs_intervals: when units were observed: one (n, 2) array (s), or one per unit.
        extent: start and stop of the recording (s), where they are known.
        time_scale: what turns the spike times into seconds: 0.001 for milliseconds, 1 where they
            are seconds though they do not look so. The rest is in seconds.
        strict: refuse what would be repaired.

    Raises:
        BadInput: no spikes at all, times that are not seconds of a session, values that are no
            numbers, or (strict) anything that needs repair.
    """
    account = Account(IN_MEMORY, strict)
    scale = 1.0 if time_scale is None else time_scale
    if not math.isfinite(scale) or scale <= 0:
        raise BadInput(f"time_scale must be a positive number of seconds, not {time_scale}")
    if extent is not None:
        extent = _checked_extent(extent)
    ids, notes, trains = _trains(spikes)
    held = take_columns(columns, ids, account)
    starts = extent[0] if extent else None
    sound = read_spikes(*_ragged(trains), ids, account, time_scale=scale, starts=starts)
    observed = take_stretches(obs_intervals, len(ids), account, reach=sound.extent)
    answered = time_scale is not None
    check_seconds(sound, IN_MEMORY, scalable=True, observed=observed, answered=answered)
    n_spikes = np.diff(sound.index)
    report_units(ids, n_spikes == 0, account, notes=notes)
    variables = {names.UNIT_ID: ids, names.N_SPIKES: n_spikes} | held
    units = xr.Dataset({name: (names.UNIT, values) for name, values in variables.items()})
    session = Session(
        units=units.assign_attrs(spike_time_spacing=sound.spacing),
        spike_times=sound.times,
        spike_index=sound.index,
        obs_intervals=observed,
        extent=extent,
        **surroundings(
            account,
            reach=Reach(*sound.extent),
            own=None,
            series=series,
            intervals=intervals,
            events=events,
        ),
    )
    return finished(session, account)


def read_matrix(
    activity: Any,
    *,
    bin_width: float | None = None,
    times: Any = None,
    unit_ids: Sequence[Any] | np.ndarray | None = None,
    columns: Mapping[str, Any] | None = None,
    series: Mapping[str, Any] | None = None,
    intervals: Mapping[str, Any] | None = None,
    events: Mapping[str, Any] | None = None,
    obs_intervals: Any = None,
    strict: bool = False,
) -> Session:
    """Counts that were binned already, or fluorescence and other traces, as a Session.

    Whole numbers are counts and are kept exactly; real numbers are traces (float32). Infinite
    values become NaN; samples whose time is NaN, repeats or runs backwards are dropped; all of it
    counted in ``session.report``. The k-th bin is ``[k · bin_width, (k + 1) · bin_width)`` where
    no ``times`` are given. Gaps in the clock are reported; no bin will span one.

    Args:
        activity: (time, unit). Of a data frame the columns are the units and an index of seconds
            (called time, or of real numbers) their clock; what is given here goes before both.
        bin_width: seconds; of counts without it the median step of ``times``.
        times: centres of the bins, or moments of the samples (s). Of a frame whose index has
            several levels, the one called time.
        unit_ids: whole numbers or text; default 0, 1, 2 …
        columns: {name: one value per unit}.
        series: {name: data} for signals sampled with the activity; else as in ``read_times``.
        intervals: as in ``read_times``.
        events: as in ``read_times``.
        obs_intervals: as in ``read_times``.
        strict: refuse what would be repaired.

    Raises:
        BadInput: not a matrix of numbers, no clock, negative counts, bins that overlap, no
            activity at all, or (strict) anything that needs repair.
    """
    account = Account(IN_MEMORY, strict)
    labelled: list[str] = []
    if isinstance(activity, pd.Series):
        activity = activity.to_frame()
    if isinstance(activity, pd.DataFrame):
        if times is None and bin_width is None:
            times = times_of_levels(activity.index, what="the activity")
        activity, unit_ids, times, labelled = _of_frame(activity, unit_ids, times)
    ids, notes = (None, []) if unit_ids is None else take_ids(unit_ids, what="unit_ids")
    notes = [*labelled, *notes]
    found = take_activity(activity, account, ids=ids, bin_width=bin_width, times=times)
    return matrix_session(
        found,
        account,
        ids=ids,
        columns=columns,
        series=series,
        intervals=intervals,
        events=events,
        obs_intervals=obs_intervals,
        notes=notes,
    )


def _of_frame(
    frame: pd.DataFrame, unit_ids: Any, times: Any
) -> tuple[np.ndarray, Any, Any, list[str]]:
    """The values of a frame, its unit ids and times unless they are given, and what to say of them."""
    notes = []
    if unit_ids is None and (unit_ids := column_names(frame, what="the data frame")) is not None:
        notes.append("named by the columns of the data frame")
    if times is None and isinstance(frame.index, pd.MultiIndex):
        levels = ", ".join(str(name) for name in frame.index.names)
        notes.append(f"the levels of the data frame's index ({levels}) were left out")
    elif times is None and (times := index_seconds(frame, what="the data frame")) is not None:
        notes.append("at the times (s) of the data frame's index")
    return frame.to_numpy(), unit_ids, times, notes


def _checked_extent(extent: tuple[float, float]) -> tuple[float, float]:
    pair = numbers(extent, what="extent").astype(np.float64)
    if pair.shape != (2,) or not np.isfinite(pair).all() or pair[1] <= pair[0]:
        raise BadInput(f"extent must be the start and a later stop (s), not {extent}.")
    return float(pair[0]), float(pair[1])


def _trains(
    spikes: Mapping[Any, Any] | Sequence[Any] | np.ndarray,
) -> tuple[np.ndarray, list[str], list[np.ndarray]]:
    """Unit ids, notes about them, and one flat array of numbers per unit; all faults at once."""
    if isinstance(spikes, Mapping):
        given = dict(spikes)
    elif isinstance(spikes, np.ndarray) and spikes.dtype.kind != "O":
        raise BadInput(
            f"spike times must be one array per unit, not one array of shape {spikes.shape}: give "
            "{unit id: times}; a matrix (time, unit) is read with read_matrix."
        )
    else:
        given = dict(enumerate(spikes))
    if not given:
        raise BadInput("no units: the spike times are empty.")
    ids, notes = take_ids(list(given), what="unit ids")
    trains, problems = [], []
    for unit_id, values in given.items():
        try:
            train = numbers(values, what=f"unit {unit_id}")
        except BadInput as error:
            problems.append(str(error))
            continue
        if train.ndim == 0 or (train.ndim > 1 and max(train.shape, default=0) < train.size):
            problems.append(f"unit {unit_id} has shape {train.shape}, not one time per spike")
        trains.append(train.ravel())  # Matlab and Kilosort write (spike, 1)
    raise_together(problems, heading="spike times cannot be read")
    return ids, notes, trains


def _ragged(trains: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The trains one after another, and where each of them ends."""
    with_spikes = [train for train in trains if len(train)] or [np.empty(0)]
    flat = np.concatenate(with_spikes)  # empty ones would turn float32 into float64
    edges = np.cumsum([len(train) for train in trains])
    return flat, edges
