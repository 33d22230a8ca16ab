"""Whether one unit holds most of the spikes: usually what was left over by the sorter."""

from __future__ import annotations

import numpy as np

from nwbsparse.analysis.behaviour.notes import MOST_SPIKES
from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording
from nwbsparse.analysis.data_check.wording import percent

CHECK = "one unit holds most spikes"
FEWEST_UNITS = 5
"""Units below which one of them may well hold half of the spikes: rates of cells differ tenfold."""


def unit_that_dominates(recording: CheckedRecording) -> list[Finding]:
    """A unit that fires more than all others together."""
    if not (recording.is_spikes or recording.is_counts):
        return []
    n = recording.n_events
    firing = np.flatnonzero(n)
    if len(firing) < FEWEST_UNITS or n.max() <= MOST_SPIKES * n.sum():
        return []
    unit = int(n.argmax())
    rate, others = (
        n[unit] / recording.seconds,
        np.median(np.delete(n, unit)[np.delete(n, unit) > 0]),
    )
    name = recording.ids[unit]
    share = float(n[unit] / n.sum())
    usual = others / recording.seconds
    return [
        Finding(
            CHECK,
            "caution",
            f"Unit {name} holds {percent(share)} of all spikes ({rate:.3g} per second; the median of "
            f"the other {len(firing) - 1} that fire {usual:.2g}). The suggested bin width and the "
            "population rate are its own.",
            f"unit {name}",
            "See whether it is a cell, or noise and unsorted spikes of many. To leave it out, name the "
            "units to use with --units, and give --bin-width.",
            {
                "unit": name,
                "share": share,
                "rate": float(rate),
                "median_rate_of_others": float(usual),
            },
        )
    ]
