"""Positions and angles that jump: the tracker took something else for the animal, or a lap began."""

from __future__ import annotations

import numpy as np

from nwbsparse import names
from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording, inside
from nwbsparse.analysis.data_check.wording import MOST, listed, moment, percents
from nwbsparse.binning.jumps import SUDDEN, WHOLE_RANGE, jumps
from nwbsparse.io.rules.account import counted
from nwbsparse.session import Series

CHECK = "jumps of behaviour"
LISTED = 100
"""Jumps whose times are given in full, the largest."""


def jumps_of_behaviour(recording: CheckedRecording) -> list[Finding]:
    """Positions and angles that change in one sample by more than movement can."""
    found = []
    for series in recording.session.series.values():
        if series.kind not in (names.POSITION, names.CIRCULAR):
            continue
        at, size = jumps(series)
        there = inside(series.times[at], recording.recorded)
        at, size = at[there], size[there]
        if len(at):
            found.append(_finding(series, at, size))
    return found


def _moments(times: np.ndarray, n: int) -> str:
    """'101.2 s, 102.4 s (3 times) and 4 more': moments whose counts add up to all jumps."""
    said, counts = np.unique([moment(one) for one in times], return_counts=True)
    first = np.argsort([float(one.removesuffix(" s").replace(",", "")) for one in said])[:MOST]
    shown = [f"{said[i]} ({counts[i]} times)" if counts[i] > 1 else str(said[i]) for i in first]
    more = n - int(counts[first].sum())
    return listed([*shown, f"{more:,} more"] if more else shown, most=MOST + 1)


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
    where = f"{series.name}, {_moments(times[shown], len(at))}"
    if is_laps:
        return Finding(
            CHECK,
            "note",
            f"{series.name} jumps over (nearly) its whole range {counted(wraps, 'time')}: laps that end "
            "where they begin, or an animal that is put back to the start.",
            where,
            "Speed and velocity are taken on either side of these moments, never across. Where it is no "
            "lap, mark the sample as not known (NaN), or give the position in the plane.",
            numbers,
        )
    return Finding(
        CHECK,
        "caution",
        f"{series.name} jumps {counted(len(at), 'time')}, by {percents(size)} of its range from one "
        f"sample to the next, {SUDDEN:g} times as far as it moves around that or more.",
        where,
        "Reflections, a second animal, or a tracker that lost and found it? Mark these samples as not "
        "known (NaN) in the file; speed and direction are taken on either side, never across.",
        numbers,
    )
