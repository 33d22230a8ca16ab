"""When each sample of a series was taken, in strictly increasing seconds."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np

from nwbsparse.io.rules.account import counted
from nwbsparse.io.rules.falls import far_falls

SLOWEST_RATE = 0.1
"""Hz. Behaviour is never this slow: such a 'rate' is the sampling period in disguise."""


@dataclass(frozen=True)
class Reach:
    """When the activity was recorded: from where to where (s) it is known."""

    start: float
    stop: float
    of: str = "the spikes"

    @property
    def extent(self) -> tuple[float, float]:
        """Its two ends."""
        return self.start, self.stop

    def __str__(self) -> str:
        return f"{self.start:.6g} to {self.stop:.6g} s"


@dataclass(frozen=True)
class Clock:
    """Times (s) of the samples that have a sound one."""

    times: np.ndarray = field(default_factory=lambda: np.empty(0))
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Which samples of the file these are."""
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: str = ""
    """Why there is no clock at all; '' when there is one."""


def clock_of_stamps(stamps: np.ndarray, n_samples: int) -> Clock:
    """When samples were taken, from a stamp (s) for each.

    NaN stamps are dropped. Of stamps that repeat or run backwards as few as possible are dropped to
    leave a strictly increasing clock. More stamps than samples, or the reverse, are cut to the shorter.
    """
    n_stamps = len(stamps)
    repairs = []
    if n_stamps != n_samples:
        repairs.append(f"{n_stamps:,} timestamps for {n_samples:,} samples: cut to the shorter")
    stamps = stamps[:n_samples]
    rows = np.flatnonzero(np.isfinite(stamps))
    if len(rows) < len(stamps):
        lost = counted(len(stamps) - len(rows), "sample")
        repairs.append(f"{lost} with NaN or infinite timestamps dropped")
    steps = np.diff(stamps[rows])
    if (steps <= 0).any():
        kept = longest_increase(stamps[rows])
        lost = counted(len(rows) - len(kept), "sample")
        kind = "run backwards" if (steps < 0).any() else "repeat"
        falls = far_falls(stamps[rows])
        fallen = f": they fall back {falls}, {falls.meaning}" if falls else ""
        repairs.append(f"{lost} dropped because timestamps {kind}{fallen}")
        rows = rows[kept]
    return Clock(stamps[rows], rows, tuple(repairs))


def longest_increase(values: np.ndarray) -> np.ndarray:
    """Positions of a longest strictly increasing run-with-omissions of ``values``.

    A running maximum would let one stamp from the far future delete all that follow it; this
    deletes only the stamp.
    """
    tails: list[float] = []
    tail_at: list[int] = []
    before = np.full(len(values), -1, dtype=np.int64)
    for i, value in enumerate(values.tolist()):
        k = bisect_left(tails, value)
        if k < len(tails) and tails[k] == value:
            continue  # of stamps that repeat the first stays
        before[i] = tail_at[k - 1] if k else -1
        if k == len(tails):
            tails.append(value)
            tail_at.append(i)
        else:
            tails[k], tail_at[k] = value, i
    kept = np.empty(len(tails), dtype=np.int64)
    at = tail_at[-1] if tail_at else -1
    for k in range(len(tails) - 1, -1, -1):
        kept[k], at = at, before[at]
    return kept


def clock_of_rate(
    rate: float | None, start: float, n_samples: int, *, given: float | None = None
) -> Clock:
    """When samples were taken, from the rate (Hz) and the time of the first (s).

    A rate that is NaN, not positive or below 0.1 Hz gives no clock; ``given`` takes its place.
    """
    stated, rate = rate, np.nan if rate is None else rate
    notes = []
    if given is not None and not rate >= SLOWEST_RATE:  # also true of NaN
        known = f"its rate of {rate:g} Hz was replaced by"
        known = "it states no rate: taken are" if stated is None else known
        notes.append(f"{known} the {given:g} Hz that were given")
        rate = given
    if not np.isfinite(start):
        return Clock(refusal=f"left out: a first sample at {start} s is no clock")
    if not np.isfinite(rate) or rate <= 0:
        lack = f"a rate of {rate} Hz from {start} s is no clock"
        if stated is None:
            lack = "it has neither timestamps nor a rate"
        return Clock(refusal=f"left out: {lack}; give rate= (--rate, Hz) to read it")
    if rate < SLOWEST_RATE:
        return Clock(
            refusal=f"LEFT OUT: its rate of {rate:g} Hz is probably the sampling period in "
            f"seconds ({1 / rate:.4g} Hz was meant); give rate={1 / rate:.4g} to read it so"
        )
    rows = np.arange(n_samples)
    return Clock(start + rows / rate, rows, notes=tuple(notes))
