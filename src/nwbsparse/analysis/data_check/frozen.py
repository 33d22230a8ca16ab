"""Behaviour that stands still to the last digit: a tracker that lost the animal."""

from __future__ import annotations

import numpy as np

from nwbsparse import names
from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording, covered
from nwbsparse.analysis.data_check.wording import length, percent, stretches
from nwbsparse.binning.covariates import FROZEN, frozen_runs
from nwbsparse.io.rules.account import counted
from nwbsparse.session import Series

CHECK = "frozen behaviour"
MUCH = 0.2
"""Share of the recording from which on a frozen signal is a caution: what is left of it is little."""

LOST = (
    "Was the animal off the track, or did the tracker lose it? Nothing needs to be done: latents are "
    "compared with it in the rest. If these times are of another state, leave them out of training "
    "too, with --epochs or --intervals."
)
AT_REST = (
    "Did the animal stand still, or was nothing measured? Either way latents are compared with it only "
    "where it changes: moving is not compared with long rest."
)


def frozen_behaviour(recording: CheckedRecording) -> list[Finding]:
    """Signals that do not change at all for more than 30 s while the recording runs."""
    found = []
    for series in recording.session.series.values():
        runs = frozen_runs(series)
        both = np.array([[series.times[a], series.times[b - 1]] for a, b in runs]).reshape(-1, 2)
        inside = np.array([one for one in both if covered(one[None], recording.recorded) > 0])
        if not len(inside):
            continue
        seconds = covered(inside, recording.recorded)
        share = seconds / recording.seconds
        at_rest = series.kind != names.POSITION and _is_zero(series, runs)
        words = counted(len(inside), "stretch").replace("stretchs", "stretches")
        how = "is 0 throughout" if at_rest else "does not change at all"
        found.append(
            Finding(
                CHECK,
                "caution" if share >= MUCH else "note",
                f"{series.name} {how} in {words} of more than {FROZEN:g} s, "
                f"{length(seconds)} in all ({percent(share)} of the recording). It is taken as not "
                "measured there.",
                f"{series.name}, {stretches(inside)}",
                AT_REST if at_rest else LOST,
                {
                    "series": series.name,
                    "stretches": inside.tolist(),
                    "seconds": seconds,
                    "share": share,
                },
            )
        )
    return found


def _is_zero(series: Series, runs: list[tuple[int, int]]) -> bool:
    """Whether a signal stands at 0 in these runs, as a speed does at rest."""
    return all(not np.any(series.data[start:stop]) for start, stop in runs)
