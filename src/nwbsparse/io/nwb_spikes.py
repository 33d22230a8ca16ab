"""The spike times of all units, read once and made sound: sorted, finite, each with its unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hdmf.common import VectorIndex

from nwbsparse.errors import BadInput
from nwbsparse.io.account import Account, counted, listed
from nwbsparse.io.datasets import load

SECONDS_PER_DAY = 86_400.0
EPOCH_LIKE = 1e8
"""No session lasts three years: a first spike past this (s) is a Unix time or a sample count."""


@dataclass(frozen=True)
class Spikes:
    """Flat spike times (s) of a table of units; see ``Session`` for the layout."""

    times: np.ndarray
    index: np.ndarray
    spacing: float
    """The step (s) between neighbouring numbers at the last spike, as they were stored."""

    @property
    def extent(self) -> tuple[float, float]:
        """First and last spike (s) of the whole population."""
        return float(self.times.min()), float(self.times.max())


def read_spikes(
    column: Any, unit_ids: np.ndarray, account: Account, *, time_scale: float, starts: float | None
) -> Spikes:
    """Read the ragged column ``spike_times`` of a Units table.

    Spikes are sorted within each unit; NaN and infinite times are dropped and counted by unit.
    ``time_scale`` turns the stored numbers into seconds. ``starts`` is when the recording begins
    (s), where the file says so: spikes before 0 are then no surprise.

    Raises:
        BadInput: the index is not increasing or points past the data, no unit has a spike, or
            the times are not seconds of this session.
    """
    if not isinstance(column, VectorIndex):
        raise BadInput(
            f"spike_times in {account.path} has no index: which spikes belong to which unit is "
            "unknown. Re-export the file."
        )
    stored = load(column.target.data, what="/units/spike_times")
    edges = load(column.data, what="/units/spike_times_index").astype(np.int64)
    edges = np.concatenate([[0], edges])
    _check_index(edges, len(stored), unit_ids, account)
    if stored.dtype.kind not in "iuf":
        raise BadInput(f"spike_times in {account.path} holds {stored.dtype}, not numbers.")
    notes: list[str] = []
    repairs: list[str] = []
    if len(stored) > edges[-1]:
        repairs.append(f"{counted(len(stored) - int(edges[-1]), 'spike')} belong to no unit")
    spacing = _spacing(stored, time_scale)
    if spacing > 5e-4:
        notes.append(
            f"stored as {stored.dtype}: near the end times are {spacing * 1e3:.2g} ms apart"
        )
    if time_scale != 1.0:
        notes.append(f"stored times were multiplied by {time_scale:g} to give seconds")

    times = stored[: edges[-1]].astype(np.float64) * time_scale
    times, edges, dropped = _finite(times, edges)
    if dropped.any():
        rows = np.flatnonzero(dropped)
        each = listed([f"unit {unit_ids[row]} ({dropped[row]})" for row in rows], most=50)
        repairs.append(f"{counted(int(dropped.sum()), 'NaN or infinite time')} dropped, of {each}")
    if not len(times):
        raise BadInput(f"no spikes in any of {counted(len(unit_ids), 'unit')} of {account.path}.")
    times, unsorted = _sorted(times, edges)
    if len(unsorted):
        notes.append(
            f"{counted(len(unsorted), 'unit')} had unsorted times and "
            f"{'was' if len(unsorted) == 1 else 'were'} sorted: {listed(unit_ids[unsorted])}"
        )
    _check_clock(times, edges, account)
    early = int((times < 0).sum())
    if early and (starts is None or starts >= 0):
        repairs.append(f"{counted(early, 'spike')} before time 0 kept")
    elif early:
        notes.append(f"{counted(early, 'spike')} before time 0; the recording starts at {starts} s")
    if twice := _duplicates(times, edges):
        notes.append(f"{counted(twice, 'duplicate')} ({twice / len(times):.2%} of all) kept")
    account.add("spikes", "spike_times", len(stored), len(times), notes=notes, repairs=repairs)
    return Spikes(times, edges, spacing)


def sound_spikes(
    times: np.ndarray,
    edges: np.ndarray,
    unit_ids: np.ndarray,
    account: Account,
    *,
    spacing: float,
    starts: float | None = None,
    notes: Iterable[str] = (),
    repairs: Iterable[str] = (),
) -> Spikes:
    """Spike times (s) of any source made sound: finite, sorted within each unit, counted.

    ``times`` are float64 and flat, ``edges`` (unit + 1,) says whose they are; ``notes`` and
    ``repairs`` of the caller join the line of the report. ``starts`` is when the recording begins
    (s), where that is known: spikes before 0 are then no surprise.

    Raises:
        BadInput: no unit has a spike.
    """
    notes, repairs, n_found = list(notes), list(repairs), len(times)
    times, edges, dropped = _finite(times, edges)
    if dropped.any():
        rows = np.flatnonzero(dropped)
        each = listed([f"unit {unit_ids[row]} ({dropped[row]})" for row in rows], most=50)
        repairs.append(f"{counted(int(dropped.sum()), 'NaN or infinite time')} dropped, of {each}")
    if not len(times):
        raise BadInput(f"no spikes in any of {counted(len(unit_ids), 'unit')} of {account.path}.")
    times, unsorted = _sorted(times, edges)
    if len(unsorted):
        notes.append(
            f"{counted(len(unsorted), 'unit')} had unsorted times and "
            f"{'was' if len(unsorted) == 1 else 'were'} sorted: {listed(unit_ids[unsorted])}"
        )
    early = int((times < 0).sum())
    if early and (starts is None or starts >= 0):
        repairs.append(f"{counted(early, 'spike')} before time 0 kept")
    elif early:
        notes.append(f"{counted(early, 'spike')} before time 0; the recording starts at {starts} s")
    if twice := _duplicates(times, edges):
        notes.append(f"{counted(twice, 'duplicate')} ({twice / len(times):.2%} of all) kept")
    account.add("spikes", "spike_times", n_found, len(times), notes=notes, repairs=repairs)
    return Spikes(times, edges, spacing)


def _check_index(edges: np.ndarray, n_stored: int, unit_ids: np.ndarray, account: Account) -> None:
    falls = np.flatnonzero(np.diff(edges) < 0)
    if len(falls):
        row = int(falls[0])
        raise BadInput(
            f"spike_times_index is not increasing at unit {unit_ids[row]} (row {row}) in "
            f"{account.path}: which spikes belong to which unit is lost. Re-export the file."
        )
    past = np.flatnonzero(edges > n_stored)
    if len(past):
        row = int(past[0]) - 1
        raise BadInput(
            f"spike_times_index of unit {unit_ids[row]} (row {row}) points to spike "
            f"{edges[row + 1]:,} of {n_stored:,} in {account.path}. Re-export the file."
        )


def _spacing(stored: np.ndarray, time_scale: float) -> float:
    if stored.dtype.kind != "f":
        return time_scale  # whole numbers are one sample or millisecond apart
    finite = np.abs(stored[np.isfinite(stored)])
    return float(np.spacing(finite.max())) * time_scale if len(finite) else 0.0


def _finite(times: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    good = np.isfinite(times)
    n_before = np.concatenate([[0], np.cumsum(good)])
    kept = n_before[edges]
    return times[good], kept, np.diff(edges) - np.diff(kept)


def _within(times: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step to the next spike, and whether that one belongs to the same unit."""
    same = np.ones(max(len(times) - 1, 0), dtype=bool)
    inner = edges[1:-1]
    same[inner[(inner > 0) & (inner < len(times))] - 1] = False
    return np.diff(times), same


def _sorted(times: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    step, same = _within(times, edges)
    at = np.flatnonzero((step < 0) & same)
    rows = np.unique(np.searchsorted(edges, at, side="right") - 1)
    for row in rows:
        times[edges[row] : edges[row + 1]].sort()
    return times, rows


def _duplicates(times: np.ndarray, edges: np.ndarray) -> int:
    step, same = _within(times, edges)
    return int(((step == 0) & same).sum())


def _check_clock(times: np.ndarray, edges: np.ndarray, account: Account) -> None:
    first, last = float(times.min()), float(times.max())
    if first > EPOCH_LIKE:
        raise BadInput(
            f"the first spike of {account.path} is at {first:.6g} s: that looks like Unix time or "
            "samples, not seconds since the session start. For samples or milliseconds give "
            "time_scale (--time-scale); Unix times must be rewritten minus the session start."
        )
    length = last - first
    n_spikes = np.diff(edges)
    if length <= SECONDS_PER_DAY:
        return
    rate = float(np.median(n_spikes[n_spikes > 0])) / length
    if rate < 0.05:
        raise BadInput(
            f"median rate {rate:.2g} Hz and length {length / SECONDS_PER_DAY:.1f} days of "
            f"{account.path} look like samples or milliseconds; use time_scale (--time-scale): "
            "0.001 for milliseconds, 1 / sampling rate for samples."
        )
