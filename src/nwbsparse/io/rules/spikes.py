"""The spike times of all units, read once and made sound: sorted, finite, each with its unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.rules.account import Account, counted, listed
from nwbsparse.io.rules.falls import Falls, far_falls, said_of_falls
from nwbsparse.io.rules.ragged import Slices, slices_of
from nwbsparse.io.rules.spike_survey import Survey, survey
from nwbsparse.io.rules.vectors import OddForm, vector


@dataclass(frozen=True)
class Spikes:
    """Flat spike times (s) of a table of units; see ``Session`` for the layout."""

    times: np.ndarray
    index: np.ndarray
    spacing: float
    """The step (s) between neighbouring numbers at the last spike, as they were stored."""
    extent: tuple[float, float]
    """First and last spike (s) of the whole population."""
    rows: np.ndarray
    """(unit,) the rows of the source whose spikes these are: all but those that are in doubt."""
    doubt: str = ""
    """Which rows are left out because nobody can tell which spikes are theirs; '' for none."""


def read_spikes(
    stored: Any,
    ends: Any,
    unit_ids: np.ndarray,
    account: Account,
    *,
    time_scale: float,
    starts: float | None,
) -> Spikes:
    """Spike times of all units one after another, and where those of each unit end.

    Both are arrays or datasets of a file.

    Spikes are sorted within each unit; NaN and infinite times are dropped and counted by unit.
    Times that fall back far, as those of two trains that were joined or of every trial do, are a
    repair; neighbours that swapped places are not. Units whose slice of the spikes is in doubt,
    because the index falls or points past the data, are left out (``rows`` says which remain);
    of an index that counts from one all stay, without the spikes of which it leaves open whose they are.
    ``time_scale`` turns the stored numbers into seconds. ``starts`` is when the recording begins
    (s), where the file says so: spikes before 0 are then no surprise.

    Raises:
        BadInput: not one number per spike, an index of another length or that cannot be trusted, or no
            unit has a spike.
    """
    try:
        stored = vector(stored, what="/units/spike_times", kinds="iuf")
    except OddForm as error:
        raise BadInput(
            f"spike_times in {account.path} {error.why}: one number per spike is needed. Re-export "
            "the file."
        ) from None
    slices = slices_of(ends, len(stored), what="/units/spike_times_index")
    if len(slices.sound) != len(unit_ids):
        raise BadInput(
            f"spike_times_index in {account.path} has {len(slices.sound):,} rows for "
            f"{counted(len(unit_ids), 'unit')}. Re-export the file."
        )
    times, edges, rows = _certain(stored, slices)
    doubt = slices.faults(unit_ids, index="spike_times_index", noun="spike")
    counts_from_one = doubt if slices.from_one else ""
    doubt = "" if counts_from_one else doubt
    if doubt and not len(times):
        raise BadInput(
            f"{doubt} in {account.path}: no spike is left of which it is certain whose it is. "
            "Re-export the file."
        )
    notes: list[str] = []
    repairs: list[str] = []
    beyond = len(stored) - int(slices.edges[-1]) if slices.certain[-1] else 0
    if beyond:
        repairs.append(f"{counted(beyond, 'spike')} belong to no unit")
    unassigned = len(stored) - len(times) - beyond
    if counts_from_one:
        repairs.append(
            f"{counts_from_one}: does it count from 1? {counted(unassigned, 'spike')} dropped, of which "
            "nobody can tell to which of two neighbours they belong"
        )
    elif unassigned:
        repairs.append(f"{counted(unassigned, 'spike')} dropped: of units that are in doubt")
    times = times.astype(np.float64, copy=False)
    if time_scale != 1.0:
        times = times * time_scale
        notes.append(f"stored times were multiplied by {time_scale:g} to give seconds")
    spikes = sound_spikes(
        times,
        edges,
        unit_ids[rows],
        account,
        stored_as=stored.dtype,
        time_scale=time_scale,
        found=len(stored),
        starts=starts,
        notes=notes,
        repairs=repairs,
    )
    if doubt:
        doubt = f"{doubt}; {slices.in_doubt(unit_ids)}"
    return replace(spikes, rows=rows, doubt=doubt)


def _certain(stored: np.ndarray, slices: Slices) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The spikes whose unit is certain, the edges between units, and the rows of those units."""
    if slices.from_one:
        first, last = slices.agreed.T
        return _cut(stored, first, last, np.arange(len(slices.sound)))
    rows = np.flatnonzero(slices.sound)
    if len(rows) == len(slices.sound):
        return stored[: slices.edges[-1]], slices.edges, rows
    return _cut(stored, slices.edges[rows], slices.edges[rows + 1], rows)


def _cut(
    stored: np.ndarray, first: np.ndarray, last: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The spikes between the given ends, the edges between units, and their rows."""
    parts = [stored[a:b] for a, b in zip(first, last, strict=True)]
    edges = np.concatenate([[0], np.cumsum(last - first)])
    return np.concatenate([stored[:0], *parts]), edges, rows


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
        times = times.copy()
        swapped, fallen = _sort_each(times, edges, np.flatnonzero(seen.unsorted))
        if len(swapped):
            notes.append(
                f"{counted(len(swapped), 'unit')} had unsorted times and "
                f"{'was' if len(swapped) == 1 else 'were'} sorted: {listed(unit_ids[swapped])}"
            )
        repairs += said_of_falls((unit_ids[row], falls) for row, falls in fallen)
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
    rows = np.arange(len(edges) - 1)
    return Spikes(times, edges, spacing, (seen.first, seen.last), rows)


def _sort_each(
    times: np.ndarray, edges: np.ndarray, rows: np.ndarray
) -> tuple[list[int], list[tuple[int, Falls]]]:
    """Sort these units in place; which of them only had neighbours swapped, and how others fall."""
    swapped, fallen = [], []
    for row in rows.tolist():
        own = times[edges[row] : edges[row + 1]]
        falls = far_falls(own)
        if falls is None:
            swapped.append(row)
        else:
            fallen.append((row, falls))
        own.sort()
    return swapped, fallen


def _spacing(seen: Survey, stored_as: np.dtype, time_scale: float) -> float:
    if stored_as.kind != "f":
        return time_scale  # whole numbers are one sample or millisecond apart
    largest = max(abs(seen.first), abs(seen.last)) / time_scale
    return float(np.spacing(stored_as.type(largest))) * time_scale
