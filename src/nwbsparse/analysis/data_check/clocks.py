"""Whether behaviour, trials and events were recorded while the units were: clocks that do not fit."""

from __future__ import annotations

import numpy as np

from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording, covered, inside
from nwbsparse.analysis.data_check.wording import length, percent, stretch
from nwbsparse.binning.grid import observed, union

CHECK = "clocks"
LITTLE = 0.5
"""Share of the recording below which a signal covers so little that it is said."""
OUTSIDE = 0.05
"""Share of the rows or events outside the recording from which on they are said: one trial that
begins before the first spike is usual."""
FACTORS = {1e-3: "milliseconds", 1e-6: "microseconds", 1e3: "thousands of seconds"}
"""What times may be in that lie far from the recording."""


def clocks_that_do_not_fit(recording: CheckedRecording) -> list[Finding]:
    """Signals, trials and events that lie outside the time in which units were recorded."""
    session = recording.session
    whole, extent_from = observed(session)  # whatever part of it is looked at
    found = [
        one
        for series in session.series.values()
        if (one := _of_series(series.name, series.times[np.isfinite(series.times)], whole))
    ]
    for name, table in session.intervals.items():
        start, stop = (table[key].values.astype(np.float64) for key in ("start_time", "stop_time"))
        stop = np.where(np.isfinite(stop), stop, start)
        rows = np.column_stack([start, stop])[np.isfinite(start)]
        there = np.array([_overlaps(row, whole) for row in rows], dtype=bool)
        found += _of_moments(name, "rows", rows, there, whole, extent_from)
    for name, events in session.events.items():
        times = events.times[np.isfinite(events.times)]
        both = np.column_stack([times, times])
        found += _of_moments(name, "events", both, inside(times, whole), whole, extent_from)
    return found


def _of_series(name: str, times: np.ndarray, whole: np.ndarray) -> Finding | None:
    if len(times) < 2:
        return None
    span = np.array([[times.min(), times.max()]])
    total = float((whole[:, 1] - whole[:, 0]).sum())
    share = covered(span, whole) / total
    if share >= LITTLE:
        return None
    numbers = {
        "name": name,
        "start": float(span[0, 0]),
        "stop": float(span[0, 1]),
        "share_of_recording": share,
    }
    said = f"{name} was measured from {stretch(*span[0])}, the units from {_span(whole)}"
    if share == 0:
        return Finding(
            CHECK, "problem", f"{said}: no moment in common. Nothing can be compared with it.",
            name, _why(span, whole), numbers,
        )  # fmt: skip
    return Finding(
        CHECK,
        "caution",
        f"{said}: it covers {percent(share)} of the recording ({length(share * total)}).",
        name,
        "Latents are compared with it in that part only. If it should cover more, look at its start "
        "time and rate; else restrict the run to that part with --epochs or --intervals.",
        numbers,
    )


def _of_moments(
    name: str, what: str, both: np.ndarray, there: np.ndarray, whole: np.ndarray, extent_from: str
) -> list[Finding]:
    n, out = len(both), int((~there).sum())
    if not n or out <= OUTSIDE * n:
        return []
    away = both[~there]
    numbers = {
        "name": name,
        "n": n,
        "n_outside": out,
        "start": float(both.min()),
        "stop": float(both.max()),
    }
    if out == n:
        return [
            Finding(
                CHECK,
                "problem",
                f"All {n:,} {what} of {name} ({stretch(both.min(), both.max())}) lie outside the "
                f"recording ({_span(whole)}, {extent_from}): nothing can be compared with them.",
                name,
                _why(both, whole),
                numbers,
            )
        ]
    before, after = int((away[:, 1] < whole[0, 0]).sum()), int((away[:, 0] > whole[-1, 1]).sum())
    parts = [(before, "before it"), (after, "after it"), (out - before - after, "in its pauses")]
    placed = " and ".join(f"{k:,} {words}" for k, words in parts if k)
    return [
        Finding(
            CHECK,
            "caution",
            f"{out:,} of {n:,} {what} of {name} lie outside the recording ({_span(whole)}, "
            f"{extent_from}): {placed}.",
            name,
            "They take no part. If the units were recorded there and merely silent, state their "
            "obs_intervals in the file; else look whether both clocks have the same zero.",
            numbers,
        )
    ]


def _why(span: np.ndarray, whole: np.ndarray) -> str:
    """What may be wrong with times that have nothing in common with the recording."""
    for factor, unit in FACTORS.items():
        if covered(_widened(span * factor), whole) > 0.5 * float(np.ptp(span)) * factor:
            return f"Its times may be in {unit}: they must be seconds of the session, in the file."
    shift = float(whole[0, 0] - span.min())
    return (
        f"Is its clock another one, with a zero {length(abs(shift))} off? Times must be seconds on the "
        "clock of the spikes; nothing is shifted by guess."
    )


def _widened(both: np.ndarray) -> np.ndarray:
    return np.array([[both.min(), both.max()]])


def _overlaps(row: np.ndarray, whole: np.ndarray) -> bool:
    return bool(((row[0] <= whole[:, 1]) & (row[1] >= whole[:, 0])).any())


def _span(whole: np.ndarray) -> str:
    return stretch(union(whole)[0, 0], union(whole)[-1, 1])
