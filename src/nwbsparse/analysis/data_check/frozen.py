"""Behaviour that stands still to the last digit: a tracker that lost the animal."""

from __future__ import annotations

import numpy as np

from nwbsparse import names
from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording, covered
from nwbsparse.analysis.data_check.wording import length, percent, stretches
from nwbsparse.binning.covariates import FROZEN, frozen_runs, may_rest
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
KEPT = (
    "Did the animal stand still, or was nothing measured? If nothing was, leave these times out with "
    "--epochs or --intervals, or put NaN there: latents are compared with it as with rest."
)


def frozen_behaviour(recording: CheckedRecording) -> list[Finding]:
    """Signals that do not change at all for more than 30 s while the recording runs."""
    found = []
    for series in recording.session.series.values():
        runs = frozen_runs(series)
        rest = [may_rest(series, start) for start, _ in runs]
        for kept in (False, True):
            some = [run for run, rests in zip(runs, rest, strict=True) if rests is kept]
            found += _of_runs(recording, series, some, kept=kept)
    return found


def _of_runs(
    recording: CheckedRecording, series: Series, runs: list[tuple[int, int]], *, kept: bool
) -> list[Finding]:
    """What there is to say of some frozen runs of a signal, which are kept as rest or not."""
    both = np.array([[series.times[a], series.times[b - 1]] for a, b in runs]).reshape(-1, 2)
    inside = np.array([one for one in both if covered(one[None], recording.recorded) > 0])
    if not len(inside):
        return []
    seconds = covered(inside, recording.recorded)
    share = seconds / recording.seconds
    is_zero = series.kind != names.POSITION and _is_zero(series, runs)
    words = counted(len(inside), "stretch").replace("stretchs", "stretches")
    how = "is 0 throughout" if is_zero else "does not change at all"
    return [
        Finding(
            CHECK,
            "caution" if share >= MUCH else "note",
            f"{series.name} {how} in {words} of more than {FROZEN:g} s, "
            f"{length(seconds)} in all ({percent(share)} of the recorded time). It is "
            f"{'kept there, as rest' if kept else 'taken as not measured there'}.",
            f"{series.name}, {stretches(inside)}{_pauses(inside, seconds)}",
            KEPT if kept else AT_REST if is_zero else LOST,
            {
                "series": series.name,
                "stretches": inside.tolist(),
                "seconds": seconds,
                "share": share,
            },
        )
    ]


def _pauses(inside: np.ndarray, seconds: float) -> str:
    """That the stretches go on in pauses of the recording, where they add up to more than was recorded."""
    if float((inside[:, 1] - inside[:, 0]).sum()) <= 1.05 * seconds:
        return ""
    return ", pauses of the recording within them not counted"


def _is_zero(series: Series, runs: list[tuple[int, int]]) -> bool:
    """Whether a signal stands at 0 in these runs, as a speed does at rest."""
    return all(not np.any(series.data[start:stop]) for start, stop in runs)
