"""Units that share spikes: what a unit's neighbours on the probe copied must not explain it."""

from __future__ import annotations

import inspect

import numpy as np
from jaxtyping import Float, Int
from numba import njit
from scipy.sparse.csgraph import connected_components

from nwbsparse.session import Session

WITHIN = 5e-4
"""Seconds between two spikes that may be one."""
SHARED = 0.3
"""Share of the rarer unit's spikes, beyond chance, from which two units count as one group."""
FEWEST = 20
"""Spikes of the rarer unit below which nothing is said about a pair."""


def shared_spikes(
    times: Float[np.ndarray, " spike"], index: Int[np.ndarray, " unit_edge"]
) -> Float[np.ndarray, "unit unit"]:
    """Share of each pair's rarer unit that lies within 0.5 ms of the other's spikes, beyond chance.

    Sorting gives spikes of one cell to several units; what they then have in common is no
    population code. Chance is ``1 − exp(−2wn/T)`` for n spikes of the more frequent unit in T
    seconds. 0 for pairs whose rarer unit has fewer than 20 spikes.

    Args:
        times: spike times (s), those of each unit in order and together.
        index: where each unit's spikes begin, and the last end.
    """
    units = np.repeat(np.arange(len(index) - 1), np.diff(index))
    order = np.argsort(times, kind="stable")
    return shared_in_order(times[order], units[order], len(index) - 1)


def shared_in_order(
    times: Float[np.ndarray, " spike"], units: Int[np.ndarray, " spike"], n_units: int
) -> Float[np.ndarray, "unit unit"]:
    """:func:`shared_spikes` of spikes in the order of time, with the unit of each."""
    near = np.zeros((n_units, n_units), dtype=np.int64)
    _count(times, units, WITHIN, near, np.full(n_units, -1))
    counts = np.bincount(units, minlength=n_units)
    span = float(times.max() - times.min()) if len(times) else 0.0
    rarer = np.minimum.outer(counts, counts)
    # of the rarer unit's spikes, those near one of the other's
    first = counts[:, None] <= counts[None, :]
    share = np.where(first, near, near.T) / np.maximum(rarer, 1)
    chance = 1 - np.exp(-2 * WITHIN * np.maximum.outer(counts, counts) / max(span, WITHIN))
    beyond = np.where(rarer >= FEWEST, (share - chance) / np.maximum(1 - chance, 1e-9), 0.0)
    np.fill_diagonal(beyond, 0.0)
    return np.maximum(beyond, 0.0)


def groups_of(
    times: Float[np.ndarray, " spike"], index: Int[np.ndarray, " unit_edge"]
) -> Int[np.ndarray, " unit"]:
    """(unit,) number of each unit's group: connected pairs that share 30 % of spikes or more.

    A unit that shares no spikes is a group of its own. Numbers grow in the order of first units.
    """
    _, found = connected_components(shared_spikes(times, index) > SHARED, directed=False)
    return found.astype(np.int32)


def groups_in(session: Session, rows: Int[np.ndarray, " unit"]) -> Int[np.ndarray, " unit"]:
    """:func:`groups_of` for some units of a recording, all of its spikes considered."""
    edges = session.spike_index
    spikes = [session.spike_times[edges[row] : edges[row + 1]] for row in rows]
    index = np.concatenate([[0], np.cumsum([len(one) for one in spikes])]).astype(np.int64)
    return groups_of(np.concatenate(spikes) if spikes else np.zeros(0), index)


def _near(times, units, within, near, latest) -> None:
    """For every spike, the units with another spike within reach; counted once per spike and unit."""
    begin = 0
    for at in range(len(times)):
        while times[at] - times[begin] > within:
            begin += 1
        for other in range(begin, len(times)):
            if times[other] - times[at] > within:
                break
            if latest[units[other]] != at and units[other] != units[at]:
                latest[units[other]] = at
                near[units[at], units[other]] += 1


# the test suite wraps every function in a type checker, which numba cannot compile
_count = njit(cache=True, nogil=True)(inspect.unwrap(_near))
