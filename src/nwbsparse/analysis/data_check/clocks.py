"""Whether behaviour, trials and events were recorded while the units were: clocks that do not fit."""

from __future__ import annotations

import numpy as np

from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording, covered, inside
from nwbsparse.analysis.data_check.wording import length, percent, stretch
from nwbsparse.binning.observed import observed
from nwbsparse.binning.stretches import union

CHECK = "clocks"
LITTLE = 0.5
"""Share of the recording below which a signal covers so little that it is said."""
OUTSIDE = 0.05
"""Share of the rows or events outside the recording from which on they are said: one trial that
begins before the first spike is usual."""
MOSTLY_AWAY = 0.1
"""Share of a signal's own time that lies in the recording below which it may be in another unit."""
FITS = 0.5
"""Share of both that must overlap for times in another unit to be the explanation."""
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
        found += _of_moments(name, "rows", rows, _overlap(rows, whole), whole, extent_from)
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
    shared = covered(span, whole)
    share, own = shared / total, shared / max(float(np.ptp(span)), 1e-9)
    unit = _other_unit(span, whole) if own < MOSTLY_AWAY else ""
    if share >= LITTLE and not unit:
        return None
    numbers = {
        "name": name,
        "start": float(span[0, 0]),
        "stop": float(span[0, 1]),
        "share_of_recording": share,
    }
    said = f"{name} was measured from {stretch(*span[0])}, the units from {_span(whole)}"
    if share == 0 or unit:
        common = "no moment in common" if share == 0 else f"{percent(own)} of it in common"
        return Finding(
            CHECK, "problem", f"{said}: {common}. What is compared with it means nothing.",
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
    before, after = int((both[:, 1] < whole[0, 0]).sum()), int((both[:, 0] > whole[-1, 1]).sum())
    # what lies in pauses that the file states is no matter of clocks, unless nothing else is there
    if not n or (before + after <= OUTSIDE * n and out < n):
        return []
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
    parts = [(before, "before it"), (after, "after it"), (out - before - after, "in its pauses")]
    there_are = [(k, words) for k, words in parts if k]
    placed = " and ".join(f"{k:,} {words}" for k, words in there_are)
    placed = there_are[0][1] if len(there_are) == 1 else placed
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
    if unit := _other_unit(span, whole):
        return f"Its times may be in {unit}; in the file they must be seconds of the session."
    shift = float(whole[0, 0] - span.min())
    return (
        f"Is its clock another one, with a zero {length(abs(shift))} off? Times must be seconds on the "
        "clock of the spikes; nothing is shifted by guess."
    )


def _other_unit(span: np.ndarray, whole: np.ndarray) -> str:
    """The unit in which times would fit the recording; '' for none."""
    for factor, unit in FACTORS.items():
        scaled = np.array([[span.min(), span.max()]]) * factor
        both = covered(scaled, np.array([[whole[0, 0], whole[-1, 1]]]))
        if both > FITS * max(float(np.ptp(scaled)), float(np.ptp(whole))):
            return unit
    return ""


def _overlap(rows: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """(row,) bool: whether it shares a moment with one of some sorted, disjoint stretches."""
    if not len(whole):
        return np.zeros(len(rows), dtype=bool)
    at = np.searchsorted(whole[:, 1], rows[:, 0], side="left")
    return (at < len(whole)) & (whole[np.minimum(at, len(whole) - 1), 0] <= rows[:, 1])


def _span(whole: np.ndarray) -> str:
    return stretch(union(whole)[0, 0], union(whole)[-1, 1])
