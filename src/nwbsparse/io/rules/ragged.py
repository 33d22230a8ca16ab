"""The index of a ragged column: which rows own which values, and where that is not certain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nwbsparse.io.rules.account import counted, listed
from nwbsparse.io.rules.vectors import OddForm, vector


@dataclass(frozen=True)
class Slices:
    """Where the values of each row begin and end: row ``i`` owns ``edges[i]`` to ``edges[i + 1]``."""

    edges: np.ndarray
    """(row + 1,) int64, as stored, after a leading 0."""
    certain: np.ndarray
    """(row + 1,) bool: no other edge contradicts this one."""
    n_values: int

    @property
    def sound(self) -> np.ndarray:
        """(row,) bool: both ends of the slice are certain."""
        return self.certain[:-1] & self.certain[1:]

    @property
    def outside(self) -> np.ndarray:
        """(row + 1,) bool: the edge lies outside the values."""
        return (self.edges < 0) | (self.edges > self.n_values)

    @property
    def from_one(self) -> bool:
        """Whether the index ends one past the values and has no other fault: it may count from 1.

        Every edge is then one too large, and each row has a value of the next; or the last value is
        missing, and all other rows are right. Nothing in the index tells which.
        """
        ends, others = self.edges[-1] == self.n_values + 1, self.certain[:-1].all()
        return bool(ends and others and (self.edges[1:] >= 1).all())

    @property
    def agreed(self) -> np.ndarray:
        """(row, 2) where the slices begin and end, whether the index counts from 0 or from 1."""
        stops = np.append(np.maximum(self.edges[1:-1] - 1, self.edges[:-2]), self.n_values)
        return np.column_stack([self.edges[:-1], stops])

    def faults(self, ids: np.ndarray, *, index: str, noun: str) -> str:
        """What is wrong with which rows, with the values of the index; '' where nothing is.

        ``ids`` are the units of the rows, ``index`` is what the file calls the index and ``noun``
        one of the values.
        """
        said = []
        inside = ~self.outside
        within = np.flatnonzero(inside)
        falls = np.flatnonzero(np.diff(self.edges[within]) < 0)
        if len(falls):
            places = [
                f"unit {ids[within[at + 1] - 1]} (row {within[at + 1] - 1}), from "
                f"{self.edges[within[at]]:,} to {self.edges[within[at + 1]]:,}"
                for at in falls
            ]
            said.append(f"{index} is not increasing at {listed(places)}")
        outside = [
            f"{index} of unit {ids[edge - 1]} (row {edge - 1}) points to {noun} "
            f"{self.edges[edge]:,} of {self.n_values:,}"
            for edge in np.flatnonzero(~inside)
        ]
        return "; ".join([*said, *([listed(outside)] if outside else [])])

    def in_doubt(self, ids: np.ndarray) -> str:
        """Every row whose slice is not certain, with what the index says of it."""
        rows = np.flatnonzero(~self.sound)
        each = [
            f"unit {ids[row]} (row {row}: {self.edges[row]:,} to {self.edges[row + 1]:,})"
            for row in rows
        ]
        return f"{counted(len(rows), 'unit')} in doubt: {', '.join(each)}"


def slices_of(index: Any, n_values: int, *, what: str) -> Slices:
    """The slices that a stored index cuts ``n_values`` values into, sound or not.

    An edge is certain when it lies within the values and no edge before it is larger and none
    after it smaller. Where two contradict each other nobody can tell which of them is right, so
    neither is; edges outside the values are wrong themselves and say nothing about others. What
    is certain can still be wrong together: that no index shows.

    Raises:
        OddForm: the index holds no numbers, or not one per row.
    """
    try:
        stored = vector(index, what=what, kinds="iuf")
    except OddForm as error:
        raise OddForm(what, f"{error.why}: not the numbers of an index") from None
    if stored.dtype.kind == "u":  # a flipped bit may set the largest: keep it large
        stored = np.minimum(stored.astype(np.uint64), np.uint64(np.iinfo(np.int64).max))
    elif stored.dtype.kind == "f":
        stored = np.where(np.isfinite(stored), stored, -1)
    edges = np.concatenate([[0], stored.astype(np.int64)])
    inside = (edges >= 0) & (edges <= n_values)
    largest_before = np.maximum.accumulate(np.where(inside, edges, 0))
    smallest_after = np.minimum.accumulate(np.where(inside, edges, n_values)[::-1])[::-1]
    certain = inside & (edges >= largest_before) & (edges <= smallest_after)
    return Slices(edges, certain, n_values)
