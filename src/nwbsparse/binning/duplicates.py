"""Units that share spikes, made one: the spikes of a group joined, or one of its units kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from nwbsparse import names
from nwbsparse.binning.groups import WITHIN, groups_in
from nwbsparse.binning.stretches import union
from nwbsparse.errors import BadInput
from nwbsparse.options.words import Duplicates
from nwbsparse.session import Session


@dataclass(frozen=True)
class Distinct:
    """The units that are used, once those that share spikes are one."""

    session: Session
    """The recording. Merged units have the spikes of their group in the row of most spikes."""
    rows: Int[np.ndarray, " unit"]
    """Rows of the session's units that are used, in the order of the table."""
    others: dict[int, tuple[int, ...]]
    """Row that stands for a group → the other rows of the group."""


def distinct_units(
    session: Session, rows: Int[np.ndarray, " unit"], duplicates: Duplicates
) -> Distinct:
    """One unit in place of each group of units that share spikes.

    The row of most spikes stands for its group (of equals the first), with its own columns. With
    ``merge`` it gets the spikes of all; one that lies within 0.5 ms of one it has is the same spike.
    It counts as observed wherever one of them was.

    Args:
        session: the recording.
        rows: the units that are used; only groups among these are looked for.
        duplicates: keep (nothing is changed), merge or drop.

    Raises:
        BadInput: units are to be merged or dropped, and the recording holds no spike times.
    """
    if duplicates == "keep":
        return Distinct(session, rows, {})
    if session.traces is not None:
        raise BadInput(
            f"duplicates={duplicates} needs spike times, which {session.traces.name} does not have; "
            "leave units out with --units (units=)"
        )
    group = groups_in(session, rows)
    n_spikes = np.diff(session.spike_index)
    others: dict[int, tuple[int, ...]] = {}
    for number in np.flatnonzero(np.bincount(group) > 1):
        members = rows[group == number]
        order = members[np.argsort(-n_spikes[members], kind="stable")]
        others[int(order[0])] = tuple(int(row) for row in order[1:])
    gone = [row for some in others.values() for row in some]
    kept = rows[~np.isin(rows, gone)]
    if duplicates == "merge" and others:
        session = _joined(session, others)
    return Distinct(session, kept, others)


def union_of_spikes(trains: Iterable[Float[np.ndarray, " _"]]) -> Float[np.ndarray, " spike"]:
    """Spikes (s) of several sorted trains as one, each spike once.

    All of the first train; of each that follows what lies more than 0.5 ms from every spike there
    is already.
    """
    first, *rest = trains
    joined = first
    for train in rest:
        after = np.searchsorted(joined, train)
        padded = np.concatenate([[-np.inf], joined, [np.inf]])
        near = np.minimum(train - padded[after], padded[after + 1] - train) <= WITHIN
        joined = np.sort(np.concatenate([joined, train[~near]]), kind="stable")
    return joined


def merged_units(
    found: Distinct, session: Session, duplicates: Duplicates
) -> dict[str, tuple[str, np.ndarray]]:
    """The coordinate that says which units were merged into each; none where none was.

    Text per unit: a JSON list of [row of the source table, name] of the others, '' where there are none.
    """
    if duplicates != "merge" or not found.others:
        return {}
    stated = session.unit_rows
    called = session.unit_names

    def said(row: int) -> str:
        others = found.others.get(row, ())
        places = [int(stated[row]) for row in others]
        both = [[place, str(called[row])] for place, row in zip(places, others, strict=True)]
        return json.dumps(both) if both else ""

    return {names.MERGED_UNITS: (names.UNIT, np.array([said(int(row)) for row in found.rows]))}


def _joined(session: Session, others: dict[int, tuple[int, ...]]) -> Session:
    spikes = [session.spikes_of(row) for row in range(session.n_units)]
    seen = None if session.obs_intervals is None else list(session.obs_intervals)
    for row, some in others.items():
        spikes[row] = union_of_spikes(spikes[one] for one in (row, *some))
        if seen is not None:
            every = [seen[one] for one in (row, *some)]
            # a unit without any was observed throughout
            seen[row] = union(np.concatenate(every)) if all(map(len, every)) else np.empty((0, 2))
    return session.with_trains(spikes, session.units, seen)
