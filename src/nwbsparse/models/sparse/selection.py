"""Finding the largest pre-activations exactly, without sorting millions of them.

The threshold of the previous batch, lowered a little, lets a few candidates through; the exact
choice is made among those. Where the guess was too high the whole batch is searched, so the
result never depends on it.
"""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from nwbsparse.models.sparse.pre_activations import Computed, PreActivations
from nwbsparse.models.sparse.scan_kernels import Scratch, grouped, largest, placed, taken

SLACK = 0.02
"""Share by which the last threshold is lowered: lets a few too many through."""


@dataclass(frozen=True)
class Selection:
    """Which entries of a table (model, row, column) are kept, in ascending order.

    As a sparse matrix its rows are ``model * n_rows + row`` and its columns
    ``model * n_columns + column``: all models of a stack in one block-diagonal matrix, so that
    every sparse product runs once for all of them.
    """

    index: Int[Tensor, " entry"]
    """Flat index into the table."""
    shape: tuple[int, int, int]
    """(models, rows, columns)."""
    value: Float[Tensor, " entry"] | None = None
    """What the search found there, without gradient; None where it did not keep it."""

    def viewed(self, n_rows: int, n_columns: int) -> Selection:
        """The same entries of the same memory seen as a table of another shape."""
        if (n_rows, n_columns) == self.shape[1:]:
            return self
        return Selection(self.index, (self.shape[0], n_rows, n_columns), self.value)

    @cached_property
    def places(self) -> tuple[Tensor, Tensor, Tensor]:
        """Row and column of each entry, and where the entries of each row begin."""
        return placed(self.index, self.shape)

    @property
    def row(self) -> Int[Tensor, " entry"]:
        return self.places[0]

    @property
    def column(self) -> Int[Tensor, " entry"]:
        return self.places[1]

    @property
    def row_edges(self) -> Int[Tensor, " edge"]:
        return self.places[2]

    @cached_property
    def columns_grouped(self) -> tuple[Tensor, Tensor]:
        """Where the entries of each column begin, and the entries in that order."""
        return grouped(self.column, self.shape[0] * self.shape[2])

    def matrix(self, values: Float[Tensor, " entry"]) -> Tensor:
        """The entries as a sparse CSR matrix (model · row, model · column)."""
        size = (self.shape[0] * self.shape[1], self.shape[0] * self.shape[2])
        return _csr(self.row_edges, self.column, values, size)

    def transposed(self, values: Float[Tensor, " entry"], *, shared_rows: bool = False) -> Tensor:
        """The transpose (model · column, model · row), or (…, row) where models share their rows."""
        models, n_rows, n_columns = self.shape
        edges, order = self.columns_grouped
        row = taken(self.row, order)
        width = models * n_rows
        if shared_rows and models > 1:
            row, width = row % n_rows, n_rows
        return _csr(edges, row, taken(values, order), (models * n_columns, width))

    def column_sums(self, values: Float[Tensor, " entry"]) -> Float[Tensor, " column"]:
        """Sum of the values of each column, all models after each other."""
        total = values.new_zeros(self.shape[0] * self.shape[2])
        return total.index_add_(0, self.column, values)

    def prefix(self, n_columns: int) -> tuple[Tensor, Selection]:
        """Where the entries of the first columns are, and those alone as a narrower table."""
        models, n_rows, _ = self.shape
        inside = self.index % self.shape[2]
        where = (inside < n_columns).nonzero().squeeze(1)
        narrower = self.row[where].long() * n_columns + inside[where]
        value = None if self.value is None else self.value[where]
        return where, Selection(narrower, (models, n_rows, n_columns), value)


def _csr(edges: Tensor, columns: Tensor, values: Tensor, size: tuple[int, int]) -> Tensor:
    # 32-bit indices are what the sparse kernels of the CPU take without a copy
    _expect_beta_warning()
    return torch.sparse_csr_tensor(edges, columns, values, size, check_invariants=False)


@cache
def _expect_beta_warning() -> None:
    """Torch says once per process that CSR is in beta; we know, and test the products we use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.sparse_csr_tensor([0, 0], [], [], (1, 1), dtype=torch.float32)


class Select(ABC):
    """A choice of entries for every model of a stack, with a memory from batch to batch.

    Args:
        k: of each model.
    """

    def __init__(self, *k: int) -> None:
        self.k = k
        self.floor: Tensor | None = None
        """Guesses for the next batch, one per model; what is chosen does not depend on them."""
        self._scratch: Scratch = {}

    def __call__(self, table: Float[Tensor, "model row column"] | PreActivations) -> Selection:
        """What is chosen of a batch."""
        if isinstance(table, PreActivations):
            return self.choose(table)
        if table.device.type == "cpu":
            return self.choose(Computed(table, self._scratch))
        models, n_rows, n_columns = table.shape
        return Selection(self.without_waiting(table.detach()), (models, n_rows, n_columns))

    @abstractmethod
    def choose(self, pi: PreActivations) -> Selection:
        """The choice on the CPU: exact, and the earlier of those that tie at the edge."""

    @abstractmethod
    def without_waiting(self, table: Float[Tensor, "model row column"]) -> Int[Tensor, " entry"]:
        """The choice on a GPU, which the host does not wait for; it may hold negative entries."""

    def keep(self, models: Sequence[int]) -> None:
        """Forget the other models."""
        self.k = tuple(self.k[model] for model in models)
        if self.floor is not None:
            self.floor = self.floor[torch.tensor(list(models))]

    def _guess(self, model: int) -> float:
        guess = 0.0 if self.floor is None else float(self.floor[model])
        return guess if math.isfinite(guess) else 0.0


class LargestOfBatch(Select):
    """Batch top-k: the k · rows largest positive entries of each model's whole table.

    Exactly as many, even among ties, fewer where fewer are positive.
    """

    def choose(self, pi: PreActivations) -> Selection:
        models, n_rows, n_columns = pi.shape
        chosen, values, edges = [], [], []
        for model in range(models):
            wanted = min(self.k[model] * n_rows, n_rows * n_columns)
            picked, value, edge = _largest(pi, model, wanted, self._guess(model))
            if models * n_rows * n_columns >= 2**31:
                picked = picked.long()
            chosen.append(picked + model * n_rows * n_columns if model else picked)
            values.append(value)
            edges.append(edge)
        self.floor = torch.tensor([edge * (1 - SLACK) for edge in edges], dtype=torch.float64)
        index, value = (one[0] if models == 1 else torch.cat(one) for one in (chosen, values))
        return Selection(index, pi.shape, value)

    def without_waiting(self, table: Float[Tensor, "model row column"]) -> Int[Tensor, " entry"]:
        flat = table.reshape(len(table), -1)
        return largest_by_sorting(flat, [min(k * table.shape[1], flat.shape[1]) for k in self.k])


def _largest(
    pi: PreActivations, model: int, wanted: int, guess: float
) -> tuple[Tensor, Tensor, float]:
    """Where the wanted largest positive ones are, ascending; their values; the smallest of those,
    0 where there are fewer.
    """
    candidates, values = pi.above(model, guess)
    for lower in (0.85, 0.6, 0.0):
        if len(candidates) >= wanted or guess <= 0:
            break
        candidates, values = pi.above(model, guess * lower)
    if len(candidates) <= wanted:
        edge = float(values.min()) if len(candidates) == wanted > 0 else 0.0
        return candidates.clone(), values.clone(), edge
    edge = _kth_largest(values, wanted, probably_below=guess * (1 + 4 * SLACK))
    return *largest(values, candidates, edge, wanted), edge


def largest_by_sorting(rows: Tensor, k: Sequence[int]) -> Int[Tensor, " entry"]:
    """Flat indices of the largest entries of each row, without waiting for the device.

    How many of them are positive is not known to the host, so those that are not come along;
    :func:`nwbsparse.models.sparsifiers.selected` leaves them at zero.

    Args:
        rows: (row, column).
        k: how many of each row; one number for every equal share of the rows.
    """
    if len(set(k)) > 1:
        share = len(rows) // len(k)
        parts = [
            largest_by_sorting(part, [one]) for part, one in zip(rows.split(share), k, strict=True)
        ]
        return torch.cat([part + at * share * rows.shape[1] for at, part in enumerate(parts)])
    columns = torch.topk(rows, k[0], dim=1, sorted=False).indices
    first = torch.arange(len(rows), device=rows.device)[:, None] * rows.shape[1]
    return (columns + first).reshape(-1)


def _kth_largest(values: Tensor, k: int, *, probably_below: float) -> float:
    # numpy's selection is vectorised, a quarter of the time of torch's; and where the guess was
    # good only the few small values need to be ordered
    at = len(values) - k
    table = values.numpy()
    low = table[table < probably_below]
    return float(np.partition(low if len(low) > at else table, at)[at])


class LargestOfRow(Select):
    """Top-k: the k largest entries of each row, those of them that are positive."""

    def choose(self, pi: PreActivations) -> Selection:
        models, n_rows, n_columns = pi.shape
        k = [min(one, n_columns) for one in self.k]
        guesses = [self._guess(model) for model in range(models)]
        picked, values, edges = pi.largest_of_rows(k, guesses)
        if n_rows:
            # a value that most rows have k entries above; the few others are searched once more,
            # as are those with fewer positive ones, whatever is guessed
            edges = np.where(edges > 0, edges, np.inf).reshape(models, n_rows)
            low = np.partition(edges, n_rows // 20, axis=1)[:, n_rows // 20]
            self.floor = torch.from_numpy(low.astype(np.float64)) * (1 - SLACK)
        return Selection(picked, pi.shape, values)

    def without_waiting(self, table: Float[Tensor, "model row column"]) -> Int[Tensor, " entry"]:
        rows = table.reshape(-1, table.shape[2])
        return largest_by_sorting(rows, [min(one, table.shape[2]) for one in self.k])
