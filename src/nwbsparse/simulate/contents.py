"""What a file of a simulation holds, before it becomes NWB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np


@dataclass(frozen=True)
class Signal:
    """Something sampled at a steady rate."""

    name: str
    data: np.ndarray
    """(time,) or (time, channel)."""
    unit: str
    """'radians' makes it an angle that wraps around, 'meters' a position."""
    description: str
    start: float
    """s, of the first sample."""
    rate: float
    """Hz."""


@dataclass(frozen=True)
class Intervals:
    """Stretches of time, as laps."""

    name: str
    description: str
    spans: np.ndarray
    """(interval, 2) s."""
    columns: Mapping[str, np.ndarray]
    """What else is said of each interval."""
    is_stimulus: bool = False
    """Whether it stands with what was shown, not with the session's own intervals."""


@dataclass(frozen=True)
class Imaging:
    """Fluorescence of ROIs in one plane."""

    dff: np.ndarray
    """(frame, unit) ΔF/F."""
    rate: float
    """Hz."""
    region: str
    """Where the plane lies."""
    indicator: str


@dataclass(frozen=True)
class Table:
    """A table of planted truth."""

    name: str
    description: str
    columns: Mapping[str, tuple[str, np.ndarray | Sequence[str]]]
    """Description and values of each column."""


@dataclass(frozen=True)
class Contents:
    """Everything that is written of a simulation."""

    identifier: str
    description: str
    spike_times: Sequence[np.ndarray]
    """Of each unit, s; none where activity is imaged."""
    duration: float
    """s."""
    unit_columns: Mapping[str, Sequence[object] | np.ndarray] = field(default_factory=dict)
    imaging: Imaging | None = None
    subject: Mapping[str, str] = field(default_factory=dict)
    """What is not as usual about the animal."""
    signals: Sequence[Signal] = ()
    """Behaviour."""
    intervals: Sequence[Intervals] = ()
    tables: Sequence[Table] = ()
    """The truth, row by row."""
    truth: Sequence[Signal] = ()
    """The truth over time."""


@runtime_checkable
class Simulated(Protocol):
    """A simulation that can be written."""

    def contents(self) -> Contents:
        """What an NWB file of it holds."""
        ...


def spread_spikes(counts: np.ndarray, bin_width: float) -> list[np.ndarray]:
    """Spike times (s) of each unit, anywhere inside their bins but never on an edge.

    Units do not share spike times: with times at one place of the bin, units that fire in the same
    bin would look like one unit that was sorted twice.

    Args:
        counts: (time, unit).
        bin_width: s.
    """
    rng = np.random.default_rng(0)
    times = []
    for column in counts.T:
        bins = np.repeat(np.arange(len(column)), column.astype(np.int64))
        times.append(np.sort(bins + rng.uniform(0.02, 0.98, len(bins))) * bin_width)
    return times
