"""Stretches of time (s, (n, 2)): merged, in common, cut out; each in one pass over sorted edges."""

from __future__ import annotations

import numpy as np

from nwbsparse.session import EDGE_TOLERANCE


def union(stretches: np.ndarray) -> np.ndarray:
    """Overlapping or touching stretches merged, sorted; NaN and empty ones left out.

    A stretch may be open: from −inf, up to inf.
    """
    rows = np.asarray(stretches, dtype=np.float64).reshape(-1, 2)
    rows = rows[rows[:, 1] > rows[:, 0]]  # also False where either end is NaN
    if not len(rows):
        return rows
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    latest = np.maximum.accumulate(rows[:, 1])
    first = np.flatnonzero(np.append(True, rows[1:, 0] > latest[:-1] + EDGE_TOLERANCE))
    return np.column_stack([rows[first, 0], latest[np.append(first[1:], len(rows)) - 1]])


def intersection(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The stretches that lie in both; each input may overlap itself."""
    return _common(union(first), union(second))


def without(stretches: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """What is left of sorted, disjoint stretches when others are cut out of them."""
    edges = union(holes).ravel()
    between = np.concatenate([[-np.inf], edges, [np.inf]]).reshape(-1, 2)
    return _common(stretches, between[between[:, 1] > between[:, 0]])


def _common(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Where two lists of sorted, disjoint stretches overlap."""
    # of each in the first: those of the second that end after it starts and start before it ends
    begin = np.searchsorted(second[:, 1], first[:, 0], side="right")
    n = np.maximum(np.searchsorted(second[:, 0], first[:, 1], side="left") - begin, 0)
    own = np.repeat(np.arange(len(first)), n)
    other = np.arange(len(own)) - np.repeat(np.cumsum(n) - n, n) + np.repeat(begin, n)
    return np.column_stack(
        [
            np.maximum(first[own, 0], second[other, 0]),
            np.minimum(first[own, 1], second[other, 1]),
        ]
    )
