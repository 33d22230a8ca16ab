"""A recording as the checks see it: the units that are used, when it ran, and what they did then."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from nwbsparse.binning.groups import shared_in_order
from nwbsparse.binning.stretches import intersection, union
from nwbsparse.session import EDGE_TOLERANCE, Session

SPARSE = 0.5
"""Share of zeros from which on traces are events (binary, deconvolved) rather than fluorescence."""


@dataclass(frozen=True)
class CheckedRecording:
    """Some units of a recording in the stretches in which it ran."""

    session: Session
    rows: Int[np.ndarray, " unit"]
    """Rows of the session's units."""
    recorded: Float[np.ndarray, "stretch 2"]
    """s: sorted, disjoint."""
    extent_from: str
    """How it is known when the recording ran."""
    pooled: bool = False
    """Whether a coder sees sums of these units, not the units."""
    noun: str = "unit"
    """What its units are: pools where they are such sums."""

    @property
    def n_units(self) -> int:
        return len(self.rows)

    @property
    def seconds(self) -> float:
        """Recorded time (s), pauses left out."""
        return float((self.recorded[:, 1] - self.recorded[:, 0]).sum())

    @cached_property
    def ids(self) -> list[str]:
        """What the units are called."""
        return [str(one) for one in self.session.unit_names[self.rows]]

    @property
    def is_spikes(self) -> bool:
        return self.session.traces is None

    @property
    def is_counts(self) -> bool:
        """Whether it holds counts that somebody binned already."""
        return self.session.traces is not None and self.session.traces.bin_width is not None

    @cached_property
    def is_events(self) -> bool:
        """Whether activity is something that happens or not: spikes, counts, deconvolved events."""
        if self.is_spikes or self.is_counts:
            return True
        with np.errstate(invalid="ignore"):
            return bool((self.samples >= 0).all() and (self.samples == 0).mean() >= SPARSE)

    def fires(self, n: int = 1) -> str:
        """What so many units do when they do something: they fire; of traces they are active."""
        if self.is_spikes or self.is_counts:
            return "fires" if n == 1 else "fire"
        return f"{'is' if n == 1 else 'are'} active"

    @property
    def activity(self) -> str:
        """What is counted of units: spikes, or samples with activity."""
        return "spikes" if self.is_spikes or self.is_counts else "active samples"

    @cached_property
    def sample_times(self) -> Float[np.ndarray, " sample"]:
        """s: when samples were taken (traces) or the centres of bins (counts)."""
        assert self.session.traces is not None
        times = np.asarray(self.session.traces.times, dtype=np.float64)
        return times[inside(times, self.recorded)]

    @cached_property
    def samples(self) -> np.ndarray:
        """(sample, unit) traces or counts; of traces NaN where a unit was not measured."""
        assert self.session.traces is not None
        there = inside(np.asarray(self.session.traces.times, np.float64), self.recorded)
        return self.session.traces.data[there][:, self.rows]

    @cached_property
    def spikes(self) -> tuple[Float[np.ndarray, " spike"], Int[np.ndarray, " spike"]]:
        """Times (s) of all spikes in the order of time, and the place of the unit of each in ``rows``."""
        trains = [self.train(unit) for unit in range(self.n_units)]
        times = np.concatenate([*trains, np.zeros(0)])
        units = np.repeat(np.arange(self.n_units), [len(train) for train in trains])
        order = np.argsort(times)
        return times[order], units[order]

    @cached_property
    def shared(self) -> Float[np.ndarray, "unit unit"]:
        """Share of each pair's spikes that coincide (:mod:`nwbsparse.binning.groups`)."""
        return shared_in_order(*self.spikes, self.n_units)

    def train(self, unit: int | np.integer) -> Float[np.ndarray, " event"]:
        """Times (s) of one unit's spikes, or of its samples with activity (each count its own)."""
        return self._trains[unit]

    @cached_property
    def _trains(self) -> list[np.ndarray]:
        return [self._train(unit) for unit in range(self.n_units)]

    def _train(self, unit: int) -> np.ndarray:
        if self.is_spikes:
            times = self.session.spikes_of(self.rows[unit])
            return times[inside(times, self.recorded)]
        column = self.samples[:, unit]
        if self.is_counts:
            return np.repeat(self.sample_times, column.astype(np.int64))
        return self.sample_times[column > 0]

    @cached_property
    def n_events(self) -> Int[np.ndarray, " unit"]:
        """(unit,) spikes, counts, or samples with activity."""
        return np.array([len(self.train(unit)) for unit in range(self.n_units)], dtype=np.int64)

    def recorded_of(self, unit: int) -> Float[np.ndarray, "stretch 2"]:
        """When one unit was observed (s): the recording, within its own obs_intervals."""
        known = self.session.obs_intervals
        own = None if known is None else known[self.rows[unit]]
        return self.recorded if own is None or not len(own) else intersection(self.recorded, own)


def inside(times: np.ndarray, stretches: np.ndarray) -> Bool[np.ndarray, " moment"]:
    """Which moments (s) lie in sorted, disjoint stretches (n, 2), both ends included."""
    if not len(stretches):
        return np.zeros(len(times), dtype=bool)
    if len(stretches) == 1:  # most recordings; millions of spikes are quicker without a search
        start, stop = stretches[0]
        return (times >= start - EDGE_TOLERANCE) & (times <= stop + EDGE_TOLERANCE)
    at = np.searchsorted(stretches[:, 0], times + EDGE_TOLERANCE, side="right") - 1
    return (at >= 0) & (times <= stretches[np.maximum(at, 0), 1] + EDGE_TOLERANCE)


def elapsed(times: np.ndarray, stretches: np.ndarray) -> Float[np.ndarray, " moment"]:
    """Recorded seconds before each moment: a clock that stands still in pauses."""
    lengths = stretches[:, 1] - stretches[:, 0]
    if len(stretches) == 1:
        return np.clip(times - stretches[0, 0], 0, lengths[0])
    before = np.cumsum(lengths) - lengths
    at = np.maximum(np.searchsorted(stretches[:, 0], times, side="right") - 1, 0)
    return before[at] + np.clip(times - stretches[at, 0], 0, lengths[at])


def covered(stretches: np.ndarray, others: np.ndarray) -> float:
    """Seconds of some stretches that lie in others."""
    both = intersection(union(stretches), union(others))
    return float((both[:, 1] - both[:, 0]).sum())
