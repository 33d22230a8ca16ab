"""What reconstruction minimises, and what revives dead latents.

Every term is summed over units and averaged over bins, so that weights mean the same for small
and large populations.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

Reconstruction = Callable[[Tensor, Tensor], Tensor]


def squared(
    predicted: Float[Tensor, "bin unit"], target: Float[Tensor, "bin unit"]
) -> Float[Tensor, "bin unit"]:
    """Squared error: ``(z − ẑ)²``."""
    return (target - predicted) ** 2


def squared_log(
    predicted: Float[Tensor, "bin unit"], target: Float[Tensor, "bin unit"]
) -> Float[Tensor, "bin unit"]:
    """Squared error of logarithms: ``(log(1 + z) − log(1 + max(ẑ, 0)))²`` (Bhagat 2025).

    For sparse counts its optimum is 0.7-0.8 of the mean rate: reconstructions under it are not
    rates.
    """
    return (torch.log1p(target) - torch.log1p(functional.relu(predicted))) ** 2


def poisson(
    predicted: Float[Tensor, "bin unit"], target: Float[Tensor, "bin unit"]
) -> Float[Tensor, "bin unit"]:
    """Poisson deviance of counts under predicted rates: 0 when every rate equals its count."""
    rate = predicted.clamp_min(1e-8)
    return 2 * (torch.xlogy(target, target) - torch.xlogy(target, rate) - target + rate)


RECONSTRUCTION: dict[str, Reconstruction] = {
    "mse": squared,
    "msle": squared_log,
    "poisson": poisson,
}


def reconstruction_loss(
    kind: str,
    predicted: Float[Tensor, "bin unit"],
    target: Float[Tensor, "bin unit"],
    valid: Bool[Tensor, "bin unit"] | None = None,
) -> Float[Tensor, ""]:
    """The named loss, summed over the units observed in each bin and averaged over bins."""
    term = RECONSTRUCTION[kind](predicted, target)
    if valid is not None:
        term = torch.where(valid, term, 0.0)
    return term.sum(dim=1).mean()


def revival_loss(
    inputs: Float[Tensor, "bin unit"],
    residual: Float[Tensor, "bin unit"],
    encoder_weight: Float[Tensor, "latent unit"],
    encoder_bias: Float[Tensor, " latent"],
    dictionary: Float[Tensor, "latent unit"],
    dead: Bool[Tensor, " latent"],
    k_aux: int,
) -> Float[Tensor, ""]:
    """Let dead latents explain what the living ones left over (Gao et al. 2024, AuxK).

    The ``k_aux`` dead latents with the largest pre-activation in each bin reconstruct the detached
    residual without bias. Raw pre-activations are used, so that latents whose pre-activation has
    become negative everywhere are reached too; and only the rows of dead latents receive any
    gradient: ``inputs`` and ``residual`` must be detached.
    """
    weight, bias, rows = encoder_weight[dead], encoder_bias[dead], dictionary[dead]
    pre_activation = inputs @ weight.T + bias
    k = min(k_aux, len(rows))
    values, indices = torch.topk(pre_activation, k, dim=1, sorted=False)
    activation = torch.zeros_like(pre_activation).scatter(1, indices, values)
    return squared(activation @ rows, residual).sum(dim=1).mean()
