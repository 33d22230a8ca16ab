"""Pre-activations that can be asked for the large ones among them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from nwbsparse.models.sparse.row_kernels import largest_of_rows
from nwbsparse.models.sparse.scan_kernels import Scratch, above, taken


class PreActivations(ABC):
    """Pre-activations (model, row, column) of a batch on the CPU, without gradient."""

    shape: tuple[int, int, int]
    """(models, rows, columns)."""

    @abstractmethod
    def above(self, model: int, floor: float) -> tuple[Int[Tensor, " entry"], Tensor]:
        """Where one model's exceed a value, ascending in its (row, column), and what they are.

        Good until the next call; NaN never exceeds anything.
        """

    @abstractmethod
    def largest_of_rows(
        self, k: Sequence[int], guesses: Sequence[float]
    ) -> tuple[Int[Tensor, " entry"], Tensor, Float[np.ndarray, " model_row"]]:
        """The k largest positive of each row; see :func:`row_loops.largest_of_rows`.

        Returns:
            Flat index into (model, row, column), ascending; the values there; of each row the
            smallest that was kept, 0 where fewer than k are positive, in the unit of the guesses.
        """

    @abstractmethod
    def narrowed(self, n_columns: int) -> PreActivations:
        """Those of the first columns alone."""


class Computed(PreActivations):
    """All of them, in a table."""

    def __init__(
        self, table: Float[Tensor, "model row column"], scratch: Scratch | None = None
    ) -> None:
        self.table = table.detach().contiguous()
        models, n_rows, n_columns = table.shape
        self.shape = (models, n_rows, n_columns)
        self.scratch = {} if scratch is None else scratch

    def above(self, model: int, floor: float) -> tuple[Int[Tensor, " entry"], Tensor]:
        flat = self.table[model].view(-1)
        index = above(flat, floor, self.scratch)
        return index, taken(flat, index)

    def largest_of_rows(
        self, k: Sequence[int], guesses: Sequence[float]
    ) -> tuple[Int[Tensor, " entry"], Tensor, Float[np.ndarray, " model_row"]]:
        rows = self.table.view(-1, self.shape[2])
        return largest_of_rows(rows, k, guesses, self.scratch)

    def narrowed(self, n_columns: int) -> Computed:
        if n_columns == self.shape[2]:
            return self
        return Computed(self.table[:, :, :n_columns], self.scratch)
