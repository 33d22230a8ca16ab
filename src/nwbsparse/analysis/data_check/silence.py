"""Stretches in which no unit fires although the recording goes on."""

from __future__ import annotations

import numpy as np

from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording
from nwbsparse.analysis.data_check.wording import length, percent, stretches
from nwbsparse.binning.clock import trace_step
from nwbsparse.io.rules.account import counted

CHECK = "silent stretches"
SECONDS = 5.0
"""Silence (s) of a whole population that a brain hardly makes: down states last below 2 s, only deep
anaesthesia longer."""
EXPECTED = 50.0
"""Spikes of all units that the silence should have held at the mean rate; fewer may fail to come."""
FEWEST_UNITS = 5
"""Firing units from which on they are a population: one or two may pause for minutes."""
LISTED = 100
"""Stretches whose times are given in full, the longest."""


def silent_stretches(recording: CheckedRecording) -> list[Finding]:
    """Where nothing fires for seconds: the recording paused, or data are missing."""
    if not recording.is_events or np.count_nonzero(recording.n_events) < FEWEST_UNITS:
        return []
    times, half = _times(recording)
    rate = recording.n_events.sum() / recording.seconds
    long = max(SECONDS, EXPECTED / rate)
    found = []
    for start, stop in recording.recorded:
        low, high = np.searchsorted(times, [start, stop])
        edges = np.concatenate([[start - half], times[low:high], [stop + half]])
        at = np.flatnonzero(np.diff(edges) >= long + 2 * half)
        found.append(np.column_stack([edges[at] + half, edges[at + 1] - half]))
    silent = np.concatenate(found)
    if not len(silent):
        return []
    lengths = silent[:, 1] - silent[:, 0]
    longest = silent[np.sort(np.argsort(-lengths, kind="stable")[:LISTED])]
    words = counted(len(silent), "stretch").replace("stretchs", "stretches")
    total, most = float(lengths.sum()), float(lengths.max())
    return [
        Finding(
            CHECK,
            "caution",
            f"No unit {recording.fires()} in {words} of {length(long)} or more, {length(total)} in all "
            f"({percent(total / recording.seconds)} of the recording), the longest {length(most)}: at "
            f"{rate:.3g} {recording.activity} per second of all "
            f"units {rate * most:,.0f} were to be expected there.",
            stretches(longest),
            "If the recording paused or data are missing, say so in the file (obs_intervals of the "
            "units, invalid_times), or leave the stretches out with --epochs or --intervals: their "
            "empty bins are learned as a state of the brain.",
            {
                "stretches": longest.tolist(),
                "n": len(silent),
                "seconds": total,
                "share": total / recording.seconds,
                "rate": float(rate),
            },
        )
    ]


def _times(recording: CheckedRecording) -> tuple[np.ndarray, float]:
    """When anything fires (s), and how far a sample reaches around its time."""
    if recording.is_spikes:
        return recording.spikes[0], 0.0
    assert recording.session.traces is not None
    some = (recording.samples > 0).any(axis=1)
    return recording.sample_times[some], trace_step(recording.session.traces) / 2
