"""Pre-activations computed in half the precision everywhere, and in full where it may matter.

Of 2,048 latents 32 become active, yet the encoder's product with all of them is most of the work
of an update. A processor with bfloat16 arithmetic makes that product in half the time. Its error
has a bound (Cauchy-Schwarz on the rounding of both factors): whatever lies further than that below
the threshold cannot be among the largest, and the few others are computed again in float32. What
is chosen, and every value, is what float32 alone gives; decision 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from nwbsparse.models.sparse.pre_activations import PreActivations
from nwbsparse.models.sparse.row_kernels import keep_largest
from nwbsparse.models.sparse.scan_kernels import compiled, summing
from nwbsparse.models.sparse.screen_kernels import rounded_off, search

UNIT = 2.0**-8
"""Largest relative error of rounding to bfloat16."""
SHORTEST_USUAL = 1e-15
"""Mean length of what is seen below which, or above whose inverse, nothing is guessed from it."""
SMALLEST_INPUT = 64
LATENTS_PER_ACTIVE = 32
"""How many inputs, and latents per active one, make it worth while (measured)."""


def worth_while(weight: Float[Tensor, "model latent feature"], k: int) -> bool:
    """Whether screening is faster than computing every pre-activation in full."""
    _, n_latents, n_inputs = weight.shape
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and n_inputs >= SMALLEST_INPUT
        and n_latents >= LATENTS_PER_ACTIVE * k
        and _is_fast()
        and compiled(search, reassociate=True) is not None
    )


@cache
def _is_fast() -> bool:
    """Whether this processor multiplies bfloat16 numbers; elsewhere torch imitates it, slowly."""
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def _rounded_off(table: Tensor, rough: Tensor) -> tuple[Tensor, Tensor]:
    """(model, row) length of each row, and of what rounding took off it."""
    flat = table.numpy().reshape(-1, table.shape[2])
    bits = rough.view(torch.int16).numpy().reshape(flat.shape)
    size, off = np.empty((2, len(flat)), np.float32)
    summing(rounded_off)(flat, bits, size, off)
    models, rows, _ = table.shape
    return torch.from_numpy(size).view(models, rows), torch.from_numpy(off).view(models, rows)


class Memory:
    """What a search writes into, the same from batch to batch."""

    def __init__(self) -> None:
        self._table: Tensor | None = None
        self._entries: tuple[np.ndarray, np.ndarray] | None = None

    def table(self, shape: tuple[int, int, int]) -> Tensor:
        """For rough pre-activations."""
        if self._table is None or self._table.shape != shape:
            self._table = torch.empty(shape, dtype=torch.bfloat16)
        return self._table

    def entries(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """For up to n indices and values."""
        if self._entries is None or len(self._entries[0]) < n:
            kind = np.int32 if n < 2**31 else np.int64
            self._entries = np.empty(n + 8, kind), np.empty(n + 8, np.float32)
        return self._entries


class Screened(PreActivations):
    """Pre-activations of a linear map, rough everywhere and exact where asked.

    Args:
        features: what the map sees; a model dimension of 1 where all models see the same.
        weight, bias: of the map.
        memory: kept from batch to batch.
    """

    def __init__(
        self,
        features: Float[Tensor, "shared row feature"],
        weight: Float[Tensor, "model latent feature"],
        bias: Float[Tensor, "model latent"],
        memory: Memory | None = None,
    ) -> None:
        self.shape = (len(weight), features.shape[1], weight.shape[1])
        self.features, self.weight, self.bias = (
            one.detach().contiguous() for one in (features, weight, bias)
        )
        self.memory = memory or Memory()
        self.rough = self.memory.table(self.shape)
        rough_features, rough_weight, rough_bias = (
            one.bfloat16() for one in (self.features, self.weight, self.bias)
        )
        for model in range(len(weight)):
            torch.addmm(
                rough_bias[model],
                rough_features[self._seen_by(model)],
                rough_weight[model].t(),
                out=self.rough[model],
            )
        self.size: Tensor
        """(shared, row) length of the features."""
        self.reach = self._reach(rough_features, rough_weight, rough_bias)

    def _seen_by(self, model: int) -> int:
        return model if len(self.features) > 1 else 0

    def _reach(self, rough_features: Tensor, rough_weight: Tensor, rough_bias: Tensor) -> Tensor:
        """(model, row) how far a rough pre-activation can lie from the exact one before rounding.

        ``|x·w − x̂·ŵ| ≤ ‖x − x̂‖‖w‖ + ‖x̂‖‖w − ŵ‖``, and what summing in float32 loses.
        """
        self.size, off = _rounded_off(self.features, rough_features)
        steep, off_weight = (
            one.amax(dim=1, keepdim=True) for one in _rounded_off(self.weight, rough_weight)
        )
        off_bias = (self.bias - rough_bias).abs().amax(dim=1, keepdim=True)
        lost = 2.0**-22 * self.features.shape[2]
        return off * steep + (self.size + off) * (off_weight + lost * steep) + off_bias

    def above(self, model: int, floor: float) -> tuple[Int[Tensor, " entry"], Tensor]:
        floors = np.full(self.shape[1], floor, np.float32)
        index, value, _ = self._search(model, floors, 0)
        return torch.from_numpy(index), torch.from_numpy(value)

    def largest_of_rows(
        self, k: Sequence[int], guesses: Sequence[float]
    ) -> tuple[Int[Tensor, " entry"], Tensor, Float[np.ndarray, " model_row"]]:
        models, n_rows, n_columns = self.shape
        wide = np.int64 if models * n_rows * n_columns >= 2**31 else np.int32
        found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for model in range(models):
            size = self._lengths(model)
            floors = (max(guesses[model], 0.0) * size).astype(np.float32)
            index, value, ends = self._search(model, floors, k[model])
            n, edges = keep_largest(index, value, ends, np.full(n_rows, k[model]))
            edges /= size
            first = model * n_rows * n_columns
            found.append((index[:n].astype(wide) + first, value[:n].copy(), edges))
        index, value, edges = (np.concatenate(one) for one in zip(*found, strict=True))
        return torch.from_numpy(index), torch.from_numpy(value), edges

    def _lengths(self, model: int) -> Float[np.ndarray, " row"]:
        """What guesses and edges are shares of: pre-activations grow with the length of a row.

        Where little or nothing is seen, biases decide, and they do not grow.
        """
        size = self.size[self._seen_by(model)].numpy()
        usual = size.mean() if len(size) else np.float32(0)
        if not SHORTEST_USUAL < usual < 1 / SHORTEST_USUAL:
            return np.ones_like(size)
        return np.maximum(size, usual / 2)

    def _search(self, model: int, floors: np.ndarray, k: int) -> tuple[np.ndarray, ...]:
        """Index and value of what exceeds the floor of its row, and where rows end."""
        _, n_rows, n_columns = self.shape
        index, value = self.memory.entries(n_rows * n_columns)
        ends = np.empty(n_rows, np.int64)
        n_found = summing(search)(
            self.rough[model].view(torch.int16).numpy(),
            n_columns,
            self.reach[model].numpy(),
            floors,
            k,
            self.features[self._seen_by(model)].numpy(),
            self.weight[model].numpy(),
            self.bias[model].numpy(),
            index,
            value,
            ends,
        )
        return index[:n_found], value[:n_found], ends

    def narrowed(self, n_columns: int) -> Screened:
        narrower = copy(self)
        narrower.shape = (*self.shape[:2], n_columns)
        return narrower
