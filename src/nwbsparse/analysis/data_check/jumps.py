"""Positions and angles that jump: the tracker took something else for the animal, or a lap began."""

from __future__ import annotations

import numpy as np

from nwbsparse import names
from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording, inside
from nwbsparse.analysis.data_check.wording import listed, moment, percent, several
from nwbsparse.binning.clock import GAP
from nwbsparse.binning.covariates import is_measured
from nwbsparse.session import Series

CHECK = "jumps of behaviour"
FAR = 0.1
"""Share of the whole range by which a signal must change from one sample to the next to jump: no
animal crosses a tenth of its arena between two frames."""
SUDDEN = 10.0
"""Times the usual step around it that a jump must be: fast movement speeds up and slows down over
several samples, a jump does not."""
AROUND = 10
"""Samples before and after that say what is usual there."""
WHOLE_RANGE = 0.8
"""Share of the range that a jump must span to be a return to the start of a lap."""
LISTED = 100
"""Jumps whose times are given in full, the largest."""


def jumps_of_behaviour(recording: CheckedRecording) -> list[Finding]:
    """Positions and angles that change in one sample by more than movement can."""
    found = []
    for series in recording.session.series.values():
        if series.kind not in (names.POSITION, names.CIRCULAR) or not is_measured(series):
            continue
        at, size = jumps(series)
        there = inside(series.times[at], recording.recorded)
        at, size = at[there], size[there]
        if len(at):
            found.append(_finding(series, at, size))
    return found


def jumps(series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Samples that a position or angle jumps to, and how far, as a share of its range.

    A jump is a step of a tenth of the range or more that is ten times the usual (median) step of the
    ten samples before and after. Steps over gaps of the clock, from and to NaN are none.
    """
    data = series.data if series.data.ndim > 1 else series.data[:, None]
    good = np.isfinite(data).all(axis=1)
    nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
    if good.sum() < 2 * AROUND:
        return nothing
    with np.errstate(invalid="ignore"):
        change = np.diff(data, axis=0)
        if series.kind == names.CIRCULAR:
            change, extent = np.angle(np.exp(1j * change)), np.pi
        else:
            low, high = np.percentile(data[good], [0.5, 99.5], axis=0)
            extent = float((high - low).max())
    if extent <= 0:
        return nothing
    size = np.linalg.norm(change, axis=1) / extent
    apart = np.diff(series.times)
    size[(apart <= 0) | (apart > GAP * np.median(apart))] = np.nan
    far = np.flatnonzero(size >= FAR)
    usual = np.array([_usual(size, one) for one in far.tolist()])
    sudden = far[size[far] >= SUDDEN * usual] if len(far) else far
    return sudden + 1, size[sudden]


def _usual(size: np.ndarray, at: int) -> float:
    around = np.concatenate([size[max(at - AROUND, 0) : at], size[at + 1 : at + 1 + AROUND]])
    return float(np.median(around[np.isfinite(around)])) if np.isfinite(around).any() else np.inf


def _finding(series: Series, at: np.ndarray, size: np.ndarray) -> Finding:
    wraps = int((size >= WHOLE_RANGE).sum()) if series.kind == names.POSITION else 0
    is_laps = series.data.ndim == 1 and wraps >= 0.8 * len(at)
    shown = np.sort(np.argsort(-size, kind="stable")[:LISTED])
    times = series.times[at]
    numbers = {
        "series": series.name,
        "n": len(at),
        "n_over_the_whole_range": wraps,
        "times": times[shown].tolist(),
        "sizes": size[shown].round(4).tolist(),
    }
    where = f"{series.name}, {listed(list(dict.fromkeys(moment(one) for one in times[shown])))}"
    if is_laps:
        return Finding(
            CHECK,
            "note",
            f"{series.name} jumps over (nearly) its whole range {several(wraps, 'time')}: laps that end "
            "where they begin, or an animal that is put back to the start.",
            where,
            "Speed and velocity are wrong at these moments. Mark the sample between two laps as not "
            "known (NaN), or give the position in the plane.",
            numbers,
        )
    return Finding(
        CHECK,
        "caution",
        f"{series.name} jumps {several(len(at), 'time')}, by {_range(size)} of its range from one "
        f"sample to the next, {SUDDEN:g} times as far as it moves around that or more.",
        where,
        "Reflections, a second animal, or a tracker that lost and found it? Mark these samples as not "
        "known (NaN) in the file: speed and direction derived from them are wrong.",
        numbers,
    )


def _range(size: np.ndarray) -> str:
    """'14 to 16 %'."""
    low, high = percent(float(size.min())), percent(float(size.max()))
    return high if low == high else f"{low.removesuffix(' %')} to {high}"
