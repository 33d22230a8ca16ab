"""Behaviour on its own clock → one value per bin, with nothing invented where there was none."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter1d

from nwbsparse import names
from nwbsparse.binning.grid import Grid
from nwbsparse.binning.jumps import jumps
from nwbsparse.binning.measured import is_measured
from nwbsparse.session import ReadLine, Series

FROZEN = 30.0
"""Seconds without any change after which a measured signal is taken as not measured: the animal
is off the track or the tracker lost it (real recordings hold such stretches of 17 min)."""

_WHEELS = {"wheel", "treadmill", "encoder", "rotary", "trackball"}
_SPEEDS = {"speed", "velocity", "vel", "running", "locomotion", "motion"}

SMOOTHING = 0.1
"""Standard deviation (s) of the Gaussian applied to position before it is differentiated: camera
positions are whole pixels, and their bare differences are mostly noise."""

MOVING = 0.1
"""Share of the 95th percentile of speed below which a movement direction is not defined."""


def thaw(series: Series) -> tuple[Series, ReadLine]:
    """The series with frozen stretches (> 30 s of identical samples) marked as not measured.

    Those in which it may be at rest (:func:`may_rest`) are kept; both are said.
    """
    data = series.data.copy()
    flat = data if data.ndim > 1 else data[:, None]
    found = len(data)
    frozen: list[str] = []
    resting: list[str] = []
    for start, stop in frozen_runs(series):
        when = f"{series.times[start]:.1f} to {series.times[stop - 1]:.1f} s"
        if may_rest(series, start):
            resting.append(when)
        else:
            data[start:stop] = np.nan
            frozen.append(when)
    reasons = [f"frozen, so taken as not measured: {', '.join(frozen)}"] if frozen else []
    if resting:
        said = ", ".join(resting)
        reasons.append(f"does not change, taken as rest (or was it not measured?): {said}")
    kept = int(np.isfinite(flat).all(axis=1).sum())
    missing = found - kept
    if missing and not frozen:
        reasons.append(f"{missing} samples are NaN")
    return replace(series, data=data), ReadLine("series", series.name, found, kept, tuple(reasons))


def frozen_runs(series: Series) -> list[tuple[int, int]]:
    """(start, stop) of the runs of samples that do not change for more than 30 s.

    None in signals of few values (codes), which may well stay the same.
    """
    data = series.data if series.data.ndim > 1 else series.data[:, None]
    if not (len(data) > 1 and is_measured(series)):
        return []
    with np.errstate(invalid="ignore"):
        change = np.any(data[1:] != data[:-1], axis=1)  # NaN differs from NaN: never frozen
    starts = np.concatenate([[0], np.flatnonzero(change) + 1])
    stops = np.concatenate([starts[1:], [len(data)]])
    long = series.times[stops - 1] - series.times[starts] > FROZEN
    return [(int(a), int(b)) for a, b in zip(starts[long], stops[long], strict=True)]


def may_rest(series: Series, start: int) -> bool:
    """Whether a frozen run that begins at this sample can be an animal at rest.

    Speeds and velocities are 0 then; the angle of a wheel stands wherever it stopped, for a wheel
    does not lose its animal. A position that freezes is one that a camera lost.
    """
    words = _words(series.name)
    if words & _WHEELS:
        return True
    per_time = series.unit.replace(" ", "").lower().endswith(("/s", "/sec", "/min", "s-1", "s^-1"))
    if series.kind != names.CONTINUOUS or not (per_time or words & _SPEEDS):
        return False
    return bool(np.all(series.data[start] == 0))


def _words(name: str) -> set[str]:
    """The words of a name, whether parted by case or by signs: wheelSpeed, running_speed."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def derive(position: Series, *, prefix: str = "") -> list[Series]:
    """Speed and movement direction (2-D, 3-D) or speed and velocity (1-D) of a position.

    Differentiated on the position's own clock after a Gaussian of 0.1 s, within runs that no gap
    interrupts and no jump: a lap that ends where it begins is not run back in an instant.
    Direction (rad, atan2 of y and x) is NaN where the animal hardly moves.
    """
    rising = np.concatenate([[True], np.diff(position.times) > 0])[: len(position.times)]
    if not rising.all():  # two samples with one stamp have no velocity between them
        position = replace(position, times=position.times[rising], data=position.data[rising])
    data = position.data if position.data.ndim > 1 else position.data[:, None]
    velocity = np.full(data.shape, np.nan)
    step = np.median(np.diff(position.times)) if len(position.times) > 1 else 0.0
    cuts, _ = jumps(position)
    for start, stop in _runs(position.times, np.all(np.isfinite(data), axis=1), 3 * step, cuts):
        if stop - start >= 3:
            smooth = gaussian_filter1d(data[start:stop], SMOOTHING / step, axis=0, mode="nearest")
            velocity[start:stop] = np.gradient(smooth, position.times[start:stop], axis=0)
    speed = np.linalg.norm(velocity, axis=1)
    unit = f"{position.unit}/s" if position.unit else ""
    made = [replace(position, name=f"{prefix}speed", data=speed, unit=unit, kind=names.CONTINUOUS)]
    if data.shape[1] == 1:
        made.append(
            replace(
                position,
                name=f"{prefix}velocity",
                data=velocity[:, 0],
                unit=unit,
                kind=names.CONTINUOUS,
            )
        )
    elif np.isfinite(speed).any():
        moving = speed > MOVING * np.nanpercentile(speed, 95)
        angle = np.where(moving, np.arctan2(velocity[:, 1], velocity[:, 0]), np.nan)
        made.append(
            replace(
                position,
                name=f"{prefix}movement_direction",
                data=angle,
                unit="radians",
                kind=names.CIRCULAR,
            )
        )
    return made


def align(series: Series, grid: Grid, *, max_gap: float | None = None) -> np.ndarray:
    """The series at each bin: (time,) or (time, space) float32.

    Bin mean where the signal is faster than the bins, linear at the bin centre where it is slower
    or a bin holds no sample; angles through their sine and cosine. NaN where the nearest samples
    lie more than ``max_gap`` seconds apart (default: 3 median steps) and beyond both ends.
    """
    circular = series.kind == names.CIRCULAR
    data = series.data if series.data.ndim > 1 else series.data[:, None]
    good = np.isfinite(data).all(axis=1)
    out = np.full((grid.size, data.shape[1]), np.nan)
    if np.count_nonzero(good) >= 2:
        step = float(np.median(np.diff(series.times)))
        gap = 3 * step if max_gap is None else max_gap
        times, values = series.times[good], data[good]
        if circular:
            values = np.concatenate([np.cos(values), np.sin(values)], axis=1)
        mixed = _interpolate(times, values, grid.centres, gap)
        if step <= grid.bin_width:
            mean, n = _bin_mean(times, values, grid)
            mixed = np.where(n[:, None] > 0, mean, mixed)
        if circular:
            half = data.shape[1]
            mixed = np.arctan2(mixed[:, half:], mixed[:, :half])
        out = mixed
    out = out.astype(np.float32)
    return out[:, 0] if series.data.ndim == 1 else out


def _bin_mean(times: np.ndarray, values: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    bins = grid.index(times)
    inside = bins >= 0
    n = np.bincount(bins[inside], minlength=grid.size)
    sums = [
        np.bincount(bins[inside], weights=column[inside], minlength=grid.size)
        for column in values.T
    ]
    return np.stack(sums, axis=1) / np.maximum(n, 1)[:, None], n


def _interpolate(times: np.ndarray, values: np.ndarray, at: np.ndarray, gap: float) -> np.ndarray:
    right = np.searchsorted(times, at, side="left")
    inside = (right > 0) & (right < len(times)) | np.isin(at, times)
    right = np.clip(right, 1, len(times) - 1)
    near = inside & (times[right] - times[right - 1] <= gap * (1 + 1e-9))
    columns = [np.where(near, np.interp(at, times, column), np.nan) for column in values.T]
    return np.stack(columns, axis=1)


def _runs(
    times: np.ndarray, good: np.ndarray, gap: float, jumps_to: np.ndarray
) -> list[tuple[int, int]]:
    """(start, stop) of the stretches of good samples without a gap or a jump."""
    if not good.any():
        return []
    cut = np.flatnonzero((np.diff(times) > gap) | (good[1:] != good[:-1])) + 1
    edges = np.unique(np.concatenate([[0], cut, jumps_to, [len(times)]]))
    return [(int(a), int(b)) for a, b in pairwise(edges) if good[a]]
