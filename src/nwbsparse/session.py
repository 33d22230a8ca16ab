"""A recording in memory: what every reader returns, and the account of what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.naming.unit_names import names_of_units

EDGE_TOLERANCE = 1e-7
"""Seconds by which a time may lie below an edge and still count as on it.

Absolute, so that the sum of narrow bins equals the wide bin; far below any clock in use and far
above the rounding of float64 session times. Plain ``floor(t / w)`` misplaces 10-13 % of the
spikes that fall on an edge."""


@dataclass(frozen=True)
class ReadLine:
    """One thing that was found in a source: how much of it was kept, and why not all."""

    kind: str
    """'units', 'spikes', 'traces', 'series', 'events', 'intervals', 'column' or 'other'."""
    name: str
    found: int
    """How many items the source holds: units, spikes, samples or rows."""
    kept: int
    reasons: tuple[str, ...] = ()
    """Why items were dropped or changed; also what a reader should know about those kept."""

    @property
    def dropped(self) -> int:
        return self.found - self.kept


@dataclass(frozen=True)
class ReadReport:
    """What was found, kept and dropped, and why: nothing is ever lost silently."""

    lines: tuple[ReadLine, ...] = ()
    warnings: tuple[str, ...] = ()
    """Warnings that libraries raised while the file was read."""

    def of_kind(self, kind: str) -> tuple[ReadLine, ...]:
        return tuple(line for line in self.lines if line.kind == kind)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and dicts, ready for JSON."""
        return {
            "lines": [
                {
                    "kind": line.kind,
                    "name": line.name,
                    "found": line.found,
                    "kept": line.kept,
                    "dropped": line.dropped,
                    "reasons": list(line.reasons),
                }
                for line in self.lines
            ],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class Source:
    """Where a recording came from, so that every result can say it."""

    path: Path | None
    sha256: str
    """Of the whole file as it was read; '' for a session that was never a file."""
    identifier: str = ""
    object_id: str = ""
    session_id: str = ""
    nwb_version: str = ""
    units_path: str = ""
    units_object_id: str = ""
    uri: str = ""
    """The address (https or dandi) that it was read from, without passwords and access keys."""


@dataclass(frozen=True)
class Series:
    """One behaviour signal on its own clock."""

    name: str
    times: np.ndarray
    """(sample,) float64 seconds, in the order of the file, NaN stamps removed."""
    data: np.ndarray
    """(sample,) or (sample, space) float64, conversion and offset applied."""
    unit: str = ""
    kind: str = names.CONTINUOUS
    """names.CONTINUOUS, names.CIRCULAR (radians) or names.POSITION."""
    path: str = ""
    object_id: str = ""
    description: str = ""


@dataclass(frozen=True)
class Traces:
    """Activity that is not spikes: fluorescence, band power, or counts somebody binned already."""

    name: str
    data: np.ndarray
    """(sample, unit), in the order of the rows of ``Session.units``: float32 for traces, unsigned
    integers for counts. NaN where a unit was not measured."""
    times: np.ndarray
    """(sample,) float64 s: when each sample was taken; the bin centre for counts."""
    bin_width: float | None = None
    """Width (s) of the bins of counts; None for traces."""
    unit: str = ""
    path: str = ""
    object_id: str = ""
    description: str = ""


@dataclass(frozen=True)
class Events:
    """Moments of one kind: licks, rewards, stimulus onsets."""

    name: str
    times: np.ndarray
    """(event,) float64 s, growing."""
    labels: np.ndarray | None = None
    """(event,) what each event was, as text; None when they are all the same."""
    path: str = ""
    object_id: str = ""
    description: str = ""


@dataclass(frozen=True)
class Joined:
    """Behaviour that came from another file than the units (:func:`nwbsparse.join_behaviour`)."""

    name: str
    """Name of that file."""
    sha256: str
    offset: float
    """Seconds that were added to its times."""
    series: tuple[str, ...] = ()
    """What came from it, by the names that it has in the session."""
    intervals: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Where it came from, in words."""
        moved = f", its times moved by {self.offset:g} s" if self.offset else ""
        return f"{self.name} (sha256 {self.sha256}){moved}"


@dataclass(frozen=True)
class Session:
    """A recording: its units, their spikes, the behaviour, the trials, and where it came from.

    Spikes are flat: those of row ``i`` of ``units`` are
    ``spike_times[spike_index[i]:spike_index[i + 1]]``, sorted, in session seconds.
    """

    units: xr.Dataset
    """dim ``unit`` with ``unit_id``, ``n_spikes`` and every one-value-per-unit column."""
    spike_times: np.ndarray
    spike_index: np.ndarray
    """(unit + 1,) int64 edges into ``spike_times``."""
    series: Mapping[str, Series] = field(default_factory=dict)
    intervals: Mapping[str, xr.Dataset] = field(default_factory=dict)
    """Each with dim ``interval``, ``start_time``, ``stop_time`` and typed columns: the attribute
    ``kind`` of a column is 'category', 'continuous', 'event time', 'identifier' or 'constant'."""
    events: Mapping[str, Events] = field(default_factory=dict)
    traces: Traces | None = None
    """Set when the activity is not spikes; ``spike_times`` is then empty."""
    obs_intervals: tuple[np.ndarray, ...] | None = None
    """One (n, 2) array per unit: when it was observed. None: always."""
    extent: tuple[float, float] | None = None
    """Start and stop of the recording, where the source states it (raw series). None: unknown."""
    invalid_times: np.ndarray | None = None
    """(n, 2): stretches that the source marks as invalid."""
    subject: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    """What an NWB file says of the session as a whole, under NWB's names: ``session_start_time`` (ISO
    8601), ``session_description``, ``institution`` …; of several in one field one per line."""
    joined: Joined | None = None
    """What was joined from another file."""
    source: Source = field(default_factory=lambda: Source(None, ""))
    report: ReadReport = field(default_factory=ReadReport)

    def __repr__(self) -> str:
        """What it is, in one line; arrays of a recording would fill the screen."""
        what = f"{self.traces.name}" if self.traces else f"{len(self.spike_times):,} spikes"
        held = {
            "series": self.series,
            "interval tables": self.intervals,
            "kinds of events": self.events,
        }
        more = "".join(f", {len(one)} {name}" for name, one in held.items() if one)
        called = self.source.identifier or (self.source.path.name if self.source.path else "")
        return f"Session({called!r}: {self.n_units} units, {what}{more})"

    @property
    def n_units(self) -> int:
        return self.units.sizes[names.UNIT]

    @property
    def unit_rows(self) -> np.ndarray:
        """(unit,) row of each unit in the source's own table, of which reading may have left some out."""
        stated = self.units.get(names.UNIT_ROW)
        return np.arange(self.n_units) if stated is None else stated.values

    @cached_property
    def unit_names(self) -> np.ndarray:
        """(unit,) what each unit is called: its id, with its row in the table where ids repeat."""
        return names_of_units(self.units[names.UNIT_ID].values, self.unit_rows)

    def with_trains(
        self,
        trains: Sequence[np.ndarray],
        units: xr.Dataset,
        obs_intervals: Sequence[np.ndarray] | None,
    ) -> Session:
        """The recording with other units.

        Args:
            trains: (unit,) the spikes (s) of each, sorted.
            units: what is known of each, but for the number of its spikes.
            obs_intervals: (unit,) stretches (s) in which each was observed; None: throughout.
        """
        n_spikes = np.array([len(train) for train in trains], dtype=np.int64)
        return replace(
            self,
            units=units.assign({names.N_SPIKES: (names.UNIT, n_spikes)}),
            spike_times=np.concatenate(trains),
            spike_index=np.concatenate([[0], np.cumsum(n_spikes)]).astype(np.int64),
            obs_intervals=None if obs_intervals is None else tuple(obs_intervals),
        )

    def spikes_of(self, row: int | np.integer) -> np.ndarray:
        """The spike times (s) of the unit in this row of the table, as a view."""
        return self.spike_times[self.spike_index[row] : self.spike_index[row + 1]]
