"""A matrix of activity, samples × units, made sound: counts that somebody binned, or traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.coerce import numbers
from nwbsparse.io.arrays.series import OwnClock
from nwbsparse.io.rules.account import Account, counted, listed
from nwbsparse.io.rules.clock import Clock, clock_of_stamps
from nwbsparse.session import Traces

SLOWEST_STEP = 10.0
"""Seconds. Activity is never sampled more slowly: the clock is then in ms or samples."""
_GAP = 3.0  # median steps, as in the alignment of covariates
_UNEVEN = 1e-3  # of a bin: rounding of stamps, and no more


@dataclass(frozen=True)
class Activity:
    """What was measured, when, and where the recording was interrupted."""

    traces: Traces
    clock: OwnClock
    stretches: np.ndarray
    """(n, 2) s between the gaps; each sample covers half a step around it."""
    n_spikes: np.ndarray
    """(unit,) int64: the sum of counts; 0 for traces."""
    silent: np.ndarray
    """(unit,) bool: all counts 0, or a trace that never changes or is NaN throughout."""

    @property
    def extent(self) -> tuple[float, float]:
        return float(self.stretches[0, 0]), float(self.stretches[-1, 1])


def take_activity(
    values: Any,
    account: Account,
    *,
    ids: np.ndarray | None = None,
    name: str = "activity",
    bin_width: float | None = None,
    times: Any = None,
    unit: str = "",
) -> Activity:
    """Whole numbers (time, unit) are counts, kept exactly; real numbers are traces, as float32.

    ``times`` (s) are the centres of bins or the moments of samples; without them the k-th of
    ``bin_width`` is centred at (k + ½) · bin_width. Counts whose width is not given take the
    median step. Samples whose stamps are NaN, repeat or run backwards are dropped and counted;
    infinite values become NaN.

    Raises:
        BadInput: not a matrix of real numbers, negative counts, no clock, bins that overlap, a
            clock of another length, no activity at all.
    """
    data = _matrix(values, n_units=None if ids is None else len(ids))
    is_count = data.dtype.kind in "iu"
    if is_count and data.min() < 0:
        n_low = int((data < 0).sum())
        raise BadInput(
            f"{counted(n_low, 'count')} are negative: counts of spikes are not. Give traces, or "
            "counts from which something was subtracted, as floats."
        )
    clock, stamps, bin_width, notes, repairs = _clock(data, bin_width, times, is_count=is_count)
    stretches = _stretches(clock.times, bin_width, even=is_count)
    if pauses := len(stretches) - 1:
        longest = float((stretches[1:, 0] - stretches[:-1, 1]).max())
        notes.append(f"{counted(pauses, 'gap')} in its clock, the longest {longest:.6g} s")
    n_found, n_all = len(data), int(data.sum()) if is_count else 0
    if len(clock.rows) < n_found:
        data = data[clock.rows]
    if is_count:
        total = int(data.sum())
        if not total:
            raise BadInput(f"no spikes in any of {counted(data.shape[1], 'unit')}.")
        n_spikes = data.sum(axis=0, dtype=np.int64)
        account.add("spikes", name, n_all, total, notes=notes, repairs=repairs)
        data = np.ascontiguousarray(data, dtype=np.min_scalar_type(int(data.max())))
        silent = n_spikes == 0
    else:
        data, more, mended = _traces(data, ids)
        notes, repairs = [*notes, *more], [*repairs, *mended]
        account.add("traces", name, n_found, len(data), notes=notes, repairs=repairs)
        n_spikes = np.zeros(data.shape[1], dtype=np.int64)
        silent = ~(np.fmax.reduce(data) > np.fmin.reduce(data))  # also where all is NaN
    width = bin_width if is_count else None
    return Activity(
        traces=Traces(name, data, clock.times, width, unit),
        clock=OwnClock(stamps, width),
        stretches=stretches,
        n_spikes=n_spikes,
        silent=silent,
    )


def _matrix(values: Any, *, n_units: int | None) -> np.ndarray:
    if isinstance(values, np.ma.MaskedArray) and values.dtype.kind == "f":
        values = values.filled(np.nan)
    elif isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise BadInput("some counts are masked; give floats with NaN where nothing was measured.")
    held = np.asarray(values) if hasattr(values, "dtype") else values
    if isinstance(held, np.ndarray) and held.dtype.kind == "b":
        held = held.astype(np.uint8)
    data = numbers(held, what="the activity")
    if data.ndim == 1:
        raise BadInput(
            f"the activity has shape {data.shape} and must be (time, unit); for one unit give "
            "activity[:, None]; spike times are read with read_times."
        )
    if data.ndim != 2 or 0 in data.shape:
        raise BadInput(f"the activity has shape {data.shape} and must be (time, unit), not empty.")
    if n_units is not None and n_units != data.shape[1]:
        hint = "; give its transpose" if n_units == data.shape[0] else ""
        raise BadInput(f"there are {n_units} unit ids for the {data.shape[1]} units{hint}.")
    return data


def _clock(
    data: np.ndarray, bin_width: float | None, times: Any, *, is_count: bool
) -> tuple[Clock, np.ndarray, float | None, list[str], list[str]]:
    """The sound clock, the stamps as given, the bin width, and what to say about them."""
    n = len(data)
    notes, repairs = [], []
    if bin_width is not None and not (np.isfinite(bin_width) and bin_width > 0):
        raise BadInput(f"bin width must be > 0 s; it is {bin_width}")
    if times is None:
        if bin_width is None:
            raise BadInput("the activity has no clock: give bin_width (s), or times (s).")
        stamps = (np.arange(n) + 0.5) * bin_width
        clock = Clock(stamps, np.arange(n))
    else:
        stamps = numbers(times, what="times").astype(np.float64).ravel()
        if len(stamps) != n:
            hint = "; give the activity as (time, unit)" if len(stamps) == data.shape[1] else ""
            raise BadInput(f"there are {len(stamps):,} times for {n:,} samples{hint}.")
        clock = clock_of_stamps(stamps, n)
        repairs += clock.repairs
    if len(clock.times) < 2:
        raise BadInput(f"{counted(len(clock.times), 'sample')} with a sound time: too few.")
    steps = np.diff(clock.times)
    if bin_width is None and is_count:
        bin_width = float(np.median(steps))
        notes.append(f"bin width {bin_width:g} s: the median step of times")
    if is_count and steps.min() < bin_width * (1 - _UNEVEN):  # pyright: ignore
        raise BadInput(
            f"bins of {bin_width:g} s overlap: some centres are {steps.min():.6g} s apart. Give "
            "the bin_width, and times that are bin centres."
        )
    if (step := float(np.median(steps))) > SLOWEST_STEP:
        repairs.append(f"samples are {step:g} s apart: are the times in ms or samples?")
    return clock, stamps, bin_width, notes, repairs


def _traces(data: np.ndarray, ids: np.ndarray | None) -> tuple[np.ndarray, list[str], list[str]]:
    notes, repairs = [], []
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and counted below
        data = np.array(data, dtype=np.float32, order="C")
    names = np.arange(data.shape[1]) if ids is None else ids
    infinite = np.isinf(data)
    if infinite.any():
        each = _by_unit(infinite, names)
        repairs.append(f"{counted(int(infinite.sum()), 'infinite value')} made NaN, of {each}")
        data[infinite] = np.nan
    missing = np.isnan(data)
    if missing.all():
        raise BadInput("the activity holds no number: every value is NaN or infinite.")
    if n_before := int(missing.sum() - infinite.sum()):
        each = _by_unit(missing & ~infinite, names)
        notes.append(f"{counted(n_before, 'value')} NaN, not measured, of {each}")
    known = data[~missing] if missing.any() else data
    if not (known % 1).any():
        notes.append("all values are whole: counts are given as whole numbers (astype(int))")
    return data, notes, repairs


def _by_unit(mask: np.ndarray, names: np.ndarray) -> str:
    per_unit = mask.sum(axis=0)
    return listed([f"unit {names[i]} ({per_unit[i]})" for i in np.flatnonzero(per_unit)])


def _stretches(times: np.ndarray, bin_width: float | None, *, even: bool) -> np.ndarray:
    """Where the clock runs on; bins are ``even``, samples may jitter."""
    steps = np.diff(times)
    step = float(np.median(steps))
    farthest = bin_width * (1 + _UNEVEN) if even and bin_width else _GAP * step
    gaps = np.flatnonzero(steps > farthest)
    first, last = times[np.append(0, gaps + 1)], times[np.append(gaps, len(times) - 1)]
    half = (step if bin_width is None else bin_width) / 2
    return np.column_stack([first - half, last + half])
