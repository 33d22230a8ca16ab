"""How times fall: neighbours that swapped places, or two trains and trials that are one only in name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from nwbsparse.io.rules.account import counted, listed

JITTER = 5.0
"""Seconds: sorters write spikes of one batch (2 s) out of order, nothing writes those of minutes so."""
SHARE = 0.1
"""Of the whole length of the times: in short ones, as times within trials are, a jitter is less."""
NEIGHBOURS = 3
"""Times that a fall may pass over and still be a swap of neighbours, however rare these are."""
WHOLE = 0.5
"""Share of the whole length that a fall spans where times begin anew."""


@dataclass(frozen=True)
class Falls:
    """Where times of one unit or series fall back farther than a jitter does."""

    n: int
    largest: float
    """Seconds."""
    anew: bool
    """They fall back over most of their whole length: what follows begins at the beginning."""

    def __str__(self) -> str:
        often = "once" if self.n == 1 else f"{self.n:,} times"
        return f"{often}, by {'' if self.n == 1 else 'up to '}{self.largest:.6g} s"

    @property
    def said(self) -> str:
        """What to say of one series of events whose times fall so."""
        return f"times fall back {self} and were sorted all the same: {self.meaning}"

    @property
    def meaning(self) -> str:
        """What times that fall so may be."""
        if not self.anew:
            return "in no order of time"
        if self.n == 1:
            return "two trains joined in one, or a clock that began anew?"
        return "times within trials, or several trains joined in one?"


def far_falls(times: np.ndarray) -> Falls | None:
    """How finite times fall back, where it is more than a jitter; None where it is not.

    A fall is far when it passes over more than ``NEIGHBOURS`` of the times and is longer than
    ``JITTER`` or a tenth of all that they span.
    """
    steps = np.diff(times)
    at = np.flatnonzero(steps < 0)
    if not len(at):
        return None
    ordered = np.sort(times)
    span = float(ordered[-1] - ordered[0])
    passed = np.searchsorted(ordered, times[at]) - np.searchsorted(ordered, times[at + 1], "right")
    sizes = -steps[at]
    far = sizes[(passed > NEIGHBOURS) & (sizes > min(JITTER, SHARE * span))]
    if not len(far):
        return None
    return Falls(len(far), float(far.max()), bool(np.median(far) >= WHOLE * span))


def said_of_falls(found: Iterable[tuple[object, Falls]]) -> list[str]:
    """What to say of units, by their ids, whose times fall back far; they are sorted all the same.

    One sentence for those that mean the same; nothing where there are none.
    """
    alike: dict[str, list[tuple[object, Falls]]] = {}
    for unit, falls in found:
        alike.setdefault(falls.meaning, []).append((unit, falls))
    return [
        f"times of {counted(len(units), 'unit')} fall back and were sorted all the same: "
        f"{listed([f'unit {unit} ({falls})' for unit, falls in units])}: {meaning}"
        for meaning, units in alike.items()
    ]
