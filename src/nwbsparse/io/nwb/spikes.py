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
from nwbsparse.io.spike_survey import Survey, survey

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
    extent: tuple[float, float]
    """First and last spike (s) of the whole population."""


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
    times = stored[: edges[-1]].astype(np.float64, copy=False)
    if time_scale != 1.0:
        times = times * time_scale
        notes.append(f"stored times were multiplied by {time_scale:g} to give seconds")
    spikes = sound_spikes(
        times,
        edges,
        unit_ids,
        account,
        stored_as=stored.dtype,
        time_scale=time_scale,
        found=len(stored),
        starts=starts,
        notes=notes,
        repairs=repairs,
    )
    _check_clock(spikes, account)
    return spikes


def sound_spikes(
    times: np.ndarray,
    edges: np.ndarray,
    unit_ids: np.ndarray,
    account: Account,
    *,
    spacing: float | None = None,
    stored_as: np.dtype | None = None,
    time_scale: float = 1.0,
    found: int | None = None,
    starts: float | None = None,
    notes: Iterable[str] = (),
    repairs: Iterable[str] = (),
) -> Spikes:
    """Spike times (s) of any source made sound: finite, sorted within each unit, counted.

    ``times`` are float64 and flat, ``edges`` (unit + 1,) says whose they are; they may be sorted in
    place. ``notes`` and ``repairs`` of the caller join the line of the report, as does ``found``,
    the number of times in the source. ``spacing`` (s) is the step of the source's clock; without
    it that of the type the times were stored as. ``starts`` is when the recording begins (s), where
    that is known: spikes before 0 are then no surprise.

    Raises:
        BadInput: no unit has a spike.
    """
    notes, repairs, n_found = list(notes), list(repairs), len(times) if found is None else found
    seen = survey(times, edges)
    if seen.bad.any():
        rows = np.flatnonzero(seen.bad)
        each = listed([f"unit {unit_ids[row]} ({seen.bad[row]})" for row in rows], most=50)
        repairs.append(f"{counted(int(seen.bad.sum()), 'NaN or infinite time')} dropped, of {each}")
        times = times[np.isfinite(times)]
        edges = np.concatenate([[0], np.cumsum(np.diff(edges) - seen.bad)])
    if not len(times):
        raise BadInput(f"no spikes in any of {counted(len(unit_ids), 'unit')} of {account.path}.")
    if seen.unsorted.any():
        rows = np.flatnonzero(seen.unsorted)
        times = times.copy()
        for row in rows:
            times[edges[row] : edges[row + 1]].sort()
        notes.append(
            f"{counted(len(rows), 'unit')} had unsorted times and "
            f"{'was' if len(rows) == 1 else 'were'} sorted: {listed(unit_ids[rows])}"
        )
        seen = survey(times, edges)
    if spacing is None:
        spacing = _spacing(seen, stored_as or times.dtype, time_scale)
        if spacing > 5e-4:
            notes.append(
                f"stored as {stored_as}: near the end times are {spacing * 1e3:.2g} ms apart"
            )
    early = int((times < 0).sum()) if seen.first < 0 else 0
    if early and (starts is None or starts >= 0):
        repairs.append(f"{counted(early, 'spike')} before time 0 kept")
    elif early:
        notes.append(f"{counted(early, 'spike')} before time 0; the recording starts at {starts} s")
    if seen.duplicates:
        share = seen.duplicates / len(times)
        notes.append(f"{counted(seen.duplicates, 'duplicate')} ({share:.2%} of all) kept")
    account.add("spikes", "spike_times", n_found, len(times), notes=notes, repairs=repairs)
    return Spikes(times, edges, spacing, (seen.first, seen.last))


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


def _spacing(seen: Survey, stored_as: np.dtype, time_scale: float) -> float:
    if stored_as.kind != "f":
        return time_scale  # whole numbers are one sample or millisecond apart
    largest = max(abs(seen.first), abs(seen.last)) / time_scale
    return float(np.spacing(stored_as.type(largest))) * time_scale


def _check_clock(spikes: Spikes, account: Account) -> None:
    first, last = spikes.extent
    if first > EPOCH_LIKE:
        raise BadInput(
            f"the first spike of {account.path} is at {first:.6g} s: that looks like Unix time or "
            "samples, not seconds since the session start. For samples or milliseconds give "
            "time_scale (--time-scale); Unix times must be rewritten minus the session start."
        )
    length = last - first
    n_spikes = np.diff(spikes.index)
    if length <= SECONDS_PER_DAY:
        return
    rate = float(np.median(n_spikes[n_spikes > 0])) / length
    if rate < 0.05:
        raise BadInput(
            f"median rate {rate:.2g} Hz and length {length / SECONDS_PER_DAY:.1f} days of "
            f"{account.path} look like samples or milliseconds; use time_scale (--time-scale): "
            "0.001 for milliseconds, 1 / sampling rate for samples."
        )
