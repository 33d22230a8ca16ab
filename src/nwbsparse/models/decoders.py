"""What turns latents back into the population."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

LARGEST_LOG = 20.0
"""Cap of the exp output's argument: e²⁰ spikes per bin; beyond it one bad bin would be infinite."""

OUTPUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x,
    "relu": functional.relu,
    "softplus": functional.softplus,
    "exp": lambda x: torch.exp(x.clamp_max(LARGEST_LOG)),
}


def inverse_output(kind: str, mean: Float[Tensor, " value"]) -> Float[Tensor, " value"]:
    """The decoder bias whose output is the mean: where training starts."""
    floor = mean.clamp_min(1e-3)
    if kind == "softplus":
        return torch.log(torch.expm1(floor))
    return torch.log(floor) if kind == "exp" else mean


class Linear:
    """Each window from its own latents: ``ẑ = a · dictionary``, for all or the last of its bins."""

    def __init__(self, *, bins: int, last: bool) -> None:
        self.n_decoded = 1 if last else bins
        self.lags = [0] if last else list(range(1 - bins, 1))
        """Bin of each block of a dictionary row, relative to the bin of the activation."""
        self.rows_per_bin = 1

    def code(self, table: Tensor, n_bins: int) -> Tensor:
        """Activations (model, row, latent) as the code (model, bin, column) that is decoded."""
        return table

    def matrix(self, dictionary: Float[Tensor, "model latent value"]) -> Tensor:
        """The dictionary as (model, column, value): what the code is multiplied with."""
        return dictionary


class Convolution:
    """Each latent writes a time course: ``ẑ(t) = Σ_lag a(t − lag) · dictionary[lag]``.

    The window's bins are encoded one by one; its last bin is reconstructed from all of them.
    """

    def __init__(self, *, bins: int) -> None:
        self.bins = bins
        self.n_decoded = bins
        self.lags = list(range(bins))
        """The bin that each block of a dictionary row is written to, after the activation's."""
        self.rows_per_bin = bins

    def code(self, table: Tensor, n_bins: int) -> Tensor:
        return table.reshape(len(table), n_bins, -1)

    def matrix(self, dictionary: Float[Tensor, "model latent value"]) -> Tensor:
        models, latents, _ = dictionary.shape
        blocks = dictionary.view(models, latents, self.bins, -1).flip(2)
        return blocks.transpose(1, 2).reshape(models, self.bins * latents, -1)


Decoder = Linear | Convolution
