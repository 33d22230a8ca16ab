"""Units that appear or disappear in the course of a recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording, elapsed, inside
from nwbsparse.analysis.data_check.wording import length, moment, named, sentences
from nwbsparse.io.rules.account import counted

CHECK = "units that appear or disappear"
FEWEST_SPIKES, FEWEST_SECONDS = 100, 20
"""Spikes, and different seconds that hold one, from which on a unit's silence says something: the
spikes of two or three bursts do not."""
STRAYS = 0.005
"""Share of its spikes that a lost unit may still fire: a sorter puts some noise into every unit."""
SHARE = 0.2
"""Share of the recording that the unit is missing for at the least, and"""
SECONDS = 60.0
"""so many seconds."""
LONGER = 3.0
"""Times its longest other silence that it must be missing for: a cell that fires in bouts pauses
often, and one more pause at an end of the recording is no loss."""


@dataclass(frozen=True)
class Loss:
    """One unit that is missing at the beginning or at the end."""

    unit: str
    kind: str
    """'appears' or 'disappears'."""
    at: float
    """s of the session: its first or last spike, strays left out."""
    missing: float
    """Recorded seconds in which it is missing."""
    longest_other: float
    """Its longest silence (recorded s) in the rest."""
    strays: int
    """Spikes that it still fires."""


def units_that_come_and_go(recording: CheckedRecording) -> list[Finding]:
    """Units that fire all the time at first and then no more, or only from some moment on."""
    if not recording.is_events:
        return []
    losses = [loss for unit in range(recording.n_units) for loss in _losses(recording, unit)]
    if not losses:
        return []
    said = [
        f"unit {one.unit} {one.kind} at {moment(one.at)}: missing for {length(one.missing)}, never "
        f"longer than {length(one.longest_other)} in the rest"
        for one in sorted(losses, key=lambda loss: -loss.missing)
    ]
    n_units = len({one.unit for one in losses})
    verb = "appears or disappears" if n_units == 1 else "appear or disappear"
    return [
        Finding(
            CHECK,
            "caution",
            f"{counted(n_units, 'unit')} of {recording.n_units:,} {verb} in the course of the "
            f"recording: {sentences(said, most=3)}.",
            named(list(dict.fromkeys(one.unit for one in losses))),
            _TO_DO_SPIKES if recording.is_spikes else _TO_DO_OTHERS,
            {
                "units": [
                    {
                        "unit": one.unit,
                        "kind": one.kind,
                        "at": one.at,
                        "missing": one.missing,
                        "longest_other_silence": one.longest_other,
                        "strays": one.strays,
                    }
                    for one in losses
                ]
            },
        )
    ]


_TO_DO_SPIKES = (
    "Did the electrode move, or the state change? A unit that was lost is no silent unit: give "
    "its obs_intervals in the file, leave it out with --units, or use only the time in which all are there "
    "with --epochs or --intervals. If nothing is done, latents may come to stand for early and late."
)
_TO_DO_OTHERS = (
    "Did the field of view move, or the state change? A unit that was lost is no silent unit: put NaN "
    "where it was not seen, leave it out with --units, or use only the time in which all are there with "
    "--epochs or --intervals. If nothing is done, latents may come to stand for early and late."
)


def _losses(recording: CheckedRecording, unit: int) -> list[Loss]:
    recorded = recording.recorded_of(unit)
    times = recording.train(unit)
    times = times[inside(times, recorded)]
    if len(times) < FEWEST_SPIKES or len(np.unique(np.floor(times))) < FEWEST_SECONDS:
        return []
    clock = elapsed(times, recorded)
    total = float((recorded[:, 1] - recorded[:, 0]).sum())
    strays = int(STRAYS * len(times))
    found = []
    for kind, began in (("appears", clock), ("disappears", total - clock[::-1])):
        own = times if kind == "appears" else times[::-1]
        # the longest silence from each spike on, seen from the end that is looked at
        other = np.maximum.accumulate(np.diff(began, append=total)[::-1])[::-1][: strays + 1]
        missing = began[: strays + 1]
        lost = np.flatnonzero((missing >= max(SECONDS, SHARE * total)) & (missing > LONGER * other))
        if len(lost):
            k = int(lost[0])
            name, at = recording.ids[unit], float(own[k])
            found.append(Loss(name, kind, at, float(missing[k]), float(other[k]), k))
    return found
