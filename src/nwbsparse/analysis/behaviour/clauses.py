"""Statements about one variable: runs of its tuning bins, two of them, or categories; in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, combinations_with_replacement

import numpy as np

from nwbsparse import names
from nwbsparse.analysis.behaviour.coding import EVENT, Coded, readable

MOST_DIGITS = 9
"""Digits of an edge at most."""


@dataclass(frozen=True)
class Clause:
    """One statement about one variable: some of its codes."""

    variable: Coded
    codes: np.ndarray
    """The codes for which it is true."""

    @property
    def words(self) -> str:
        return " or ".join(_words(self.variable, run) for run in _runs(self.variable, self.codes))

    def true(self, codes: np.ndarray) -> np.ndarray:
        return np.isin(codes, self.codes)


def one_range(variable: Coded) -> np.ndarray:
    """(option, code) bool: the sets of codes that a plain clause may be about."""
    return _one_range(variable.kind, variable.shape, variable.size)


def two_ranges(variable: Coded) -> np.ndarray:
    """(option, code) bool: two ranges apart from each other, or two categories; none of maps."""
    return _two_ranges(variable.kind, variable.shape, variable.size)


def is_open(variable: Coded, options: np.ndarray) -> np.ndarray:
    """(option,) whether a range reaches to an end: "speed > 0.5" rather than "in [0.5, 0.89]"."""
    if variable.kind != names.CONTINUOUS:
        return np.zeros(len(options), dtype=bool)
    return options[:, 0] | options[:, -1]


@lru_cache(maxsize=64)
def _one_range(kind: str, shape: tuple[int, ...], size: int) -> np.ndarray:
    if kind == names.CATEGORICAL:
        return np.eye(size, dtype=bool)
    if kind == names.PERI_EVENT:
        around = _intervals(size - 1)
        return np.concatenate([np.pad(around, ((0, 0), (0, 1))), np.eye(size, dtype=bool)[-1:]])
    if len(shape) == 2:
        sides = [_intervals(n) for n in shape]
        boxes = sides[0][:, None, :, None] & sides[1][None, :, None, :]
        options = boxes.reshape(-1, size)
    elif kind == names.CIRCULAR:
        first, length = np.meshgrid(np.arange(size), np.arange(1, size), indexing="ij")
        options = (np.arange(size) - first.ravel()[:, None]) % size < length.ravel()[:, None]
    else:
        options = _intervals(size)
    return options[~options.all(axis=1)]


@lru_cache(maxsize=64)
def _two_ranges(kind: str, shape: tuple[int, ...], size: int) -> np.ndarray:
    if kind == names.PERI_EVENT or len(shape) == 2:
        return np.zeros((0, size), dtype=bool)
    if kind == names.CATEGORICAL:
        pairs = [list(pair) for pair in combinations(range(size), 2)]
    else:
        # two runs with a gap between them; of an angle the rest may be one run through ±π
        pairs = [
            [*range(a, b), *range(c, d)]
            for a, b, c, d in combinations(range(size + 1), 4)
            if not (kind == names.CIRCULAR and a == 0 and d == size)
        ]
    made = np.zeros((len(pairs), size), dtype=bool)
    for row, pair in zip(made, pairs, strict=True):
        row[pair] = True
    return made[~made.all(axis=1)]


def _intervals(n: int) -> np.ndarray:
    """(option, code) every run of neighbouring codes."""
    ends = np.array(list(combinations_with_replacement(range(n), 2)))
    code = np.arange(n)
    return (code >= ends[:, :1]) & (code <= ends[:, 1:])


def _runs(variable: Coded, codes: np.ndarray) -> list[np.ndarray]:
    """The codes of a clause, a piece for each range; of an angle through ±π as one, in its order."""
    if variable.kind == names.CATEGORICAL:
        return [np.array([code]) for code in codes]
    if len(variable.shape) == 2:
        return [codes]
    runs = np.split(codes, np.flatnonzero(np.diff(codes) > 1) + 1)
    through = variable.kind == names.CIRCULAR and codes[0] == 0 and codes[-1] == variable.size - 1
    if through and len(runs) > 1:
        runs = [np.concatenate([runs[-1], runs[0]]), *runs[1:-1]]
    return runs


def _words(variable: Coded, codes: np.ndarray) -> str:
    if variable.kind == names.CATEGORICAL:
        category = variable.labels[codes[0]]
        if variable.labels == EVENT:
            return variable.name if category == EVENT[0] else f"no {variable.name}"
        return f"{variable.name} = {category}"
    if variable.kind == names.PERI_EVENT:
        return _around(variable, int(codes[0]), int(codes[-1]))
    unit = f" {variable.unit}" if variable.unit else ""
    if len(variable.shape) == 2:
        rows, columns = np.unravel_index(codes, variable.shape)
        spans = [
            f"[{edge[at.min()]:.3g}, {edge[at.max() + 1]:.3g}]"
            for edge, at in zip(map(readable, variable.edges), (columns, rows), strict=True)
        ]
        return f"{variable.name} in {' × '.join(spans)}{unit}"
    edge, first, last = variable.edges[0], int(codes[0]), int(codes[-1])
    if variable.kind == names.CONTINUOUS and last == variable.size - 1:
        # an edge that is 0 but for rounding reads like a least value of 0
        least = readable(edge)[first] == readable(edge)[0] and edge[first] <= 0
        return f"{variable.name} {'≥' if least else '>'} {_edge(edge, first)}{unit}"
    if variable.kind == names.CONTINUOUS and first == 0:
        least = readable(edge)[last + 1] == readable(edge)[0]
        return f"{variable.name} {'≤' if least else '<'} {_edge(edge, last + 1)}{unit}"
    return f"{variable.name} in [{_edge(edge, first)}, {_edge(edge, last + 1)}]{unit}"


def _edge(edges: np.ndarray, at: int) -> str:
    """An edge to three digits, or to as many as tell it from the edges beside it."""
    read = readable(edges)
    beside = [one for one in (at - 1, at + 1) if 0 <= one < len(read) and read[one] != read[at]]
    for digits in range(3, MOST_DIGITS):
        said = f"{read[at]:.{digits}g}"
        if all(f"{read[one]:.{digits}g}" != said for one in beside):
            return said
    return f"{read[at]:.{MOST_DIGITS}g}"


def _around(variable: Coded, first: int, last: int) -> str:
    if last == variable.size - 1:
        return f"far from {variable.name}"
    a, b = variable.edges[0][first], variable.edges[0][last + 1]
    if a >= 0:
        return f"{a:.3g} to {b:.3g} s after {variable.name}"
    if b <= 0:
        return f"{-b:.3g} to {-a:.3g} s before {variable.name}"
    return f"{-a:.3g} s before to {b:.3g} s after {variable.name}"
