"""Codes shifted in a circle, within each session by the same share of it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np
from numba import njit

SHIFTS = "shifts"
"""Kind of chance: codes shifted in time."""
MEMORIES = 3
"""Shifts keep so many memories of the variable away from where they began."""
LEAST_INDEPENDENT = 5
"""Stretches of three memories, side by side, below which nothing is tested."""


@dataclass(frozen=True)
class Shifts:
    """Rows (bins or trials) whose codes are shifted: the distances, in rows of the longest session."""

    codes: np.ndarray
    """(row,)"""
    session: np.ndarray
    """(row,)"""
    distance: np.ndarray
    """(draw,) rising."""

    @property
    def longest(self) -> int:
        return longest(self.session)

    def table(self, draws: np.ndarray) -> np.ndarray:
        """(row, draw) the code of each row in the draws of these numbers."""
        small = np.uint8 if self.codes.max(initial=0) < 256 else np.uint16
        table = np.empty((len(self.codes), len(draws)), dtype=small)
        start = 0
        for piece in np.split(self.codes.astype(small), _cuts(self.session)):
            n = len(piece)
            by = np.round(self.distance[draws] * n / self.longest).astype(np.int64) % max(n, 1)
            roll(piece, by, table[start : start + n])
            start += n
        return table

    def usable(self, least: np.ndarray) -> np.ndarray:
        """(channel, draw) whether a shift is at least this far from where it began, either way round."""
        near = np.minimum(self.distance, self.longest - self.distance)
        return near[None, :] >= least[:, None]


def make_shifts(codes: np.ndarray, session: np.ndarray, least: int, most: int) -> Shifts:
    """Evenly spaced shifts of ``least`` rows or more, either way round; ``most`` at most."""
    n = longest(session)
    least = int(np.clip(least, 1, max(n // 4, 1)))
    n_shifts = min(most, max(n - 2 * least + 1, 0))
    distance = np.unique(np.round(np.linspace(least, n - least, n_shifts)).astype(np.int64))
    return Shifts(codes, session, distance)


def longest(session: np.ndarray) -> int:
    """Rows of the longest session: it says how many independent shifts there are."""
    return int(np.diff([0, *_cuts(session), len(session)]).max(initial=0))


def _cuts(session: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.diff(session)) + 1


def _roll(piece, by, table) -> None:
    """Fill (row, draw) with a piece rolled by each distance, draws side by side."""
    n = len(piece)
    for row in range(n):
        for draw in range(len(by)):
            at = row - by[draw]
            table[row, draw] = piece[at if at >= 0 else at + n]


# the test suite wraps every function in a type checker, which numba cannot compile
roll = njit(cache=True, nogil=True)(inspect.unwrap(_roll))
