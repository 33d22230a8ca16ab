"""What reconstruction minimises, and what revives dead latents.

Every term is summed over units and averaged over bins, so that weights mean the same for small
and large populations. A leading model dimension, where there is one, is kept: coders of a stack
have a loss each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from nwbsparse.models.decoders import Decoder, Linear
from nwbsparse.models.encoders import linear
from nwbsparse.roles import Registry

LOSSES = Registry("loss", called_with=("predicted", "target"), facts={"like": "mse", "needs": None})
"""Functions of what is predicted and what was there, entry by entry, by the word of ``loss=``.

``like`` is the loss of ours that is defined for the same targets: mse for any number, poisson for rates
and counts. ``needs`` names what is given besides: tau (the option), dispersion (learned, one per unit).
"""


@LOSSES.register("mse")
def squared(
    predicted: Float[Tensor, "*model bin unit"], target: Float[Tensor, "*any_model bin unit"]
) -> Float[Tensor, "*model bin unit"]:
    """Squared error: ``(z − ẑ)²``."""
    return (target - predicted) ** 2


@LOSSES.register("msle", like="msle", needs="tau")
def squared_log(
    predicted: Float[Tensor, "*model bin unit"],
    target: Float[Tensor, "*any_model bin unit"],
    tau: float = 1.0,
) -> Float[Tensor, "*model bin unit"]:
    """Squared error of logarithms: ``(log(1 + z) − τ·log(1 + max(ẑ, 0)))²`` (Bhagat 2025).

    For sparse counts its optimum is 0.7-0.8 of the mean rate: reconstructions under it are not
    rates.
    """
    return (torch.log1p(target) - tau * torch.log1p(functional.relu(predicted))) ** 2


@LOSSES.register("poisson", like="poisson")
def poisson(
    predicted: Float[Tensor, "*model bin unit"], target: Float[Tensor, "*any_model bin unit"]
) -> Float[Tensor, "*model bin unit"]:
    """Poisson deviance of counts under predicted rates: 0 when every rate equals its count."""
    rate = predicted.clamp_min(1e-8)
    return 2 * (torch.xlogy(target, target) - torch.xlogy(target, rate) - target + rate)


LEAST_DISPERSION = 1e-6
"""α below which the negative binomial is Poisson for every count that occurs."""


@LOSSES.register("negative_binomial", like="negative_binomial", needs="dispersion")
def negative_binomial(
    predicted: Float[Tensor, "*model bin unit"],
    target: Float[Tensor, "*any_model bin unit"],
    dispersion: Float[Tensor, "*model unit"],
) -> Float[Tensor, "*model bin unit"]:
    """Twice the negative log-likelihood of counts with variance ``μ + αμ²``.

    The likelihood of a Poisson rate equal to the count is taken off, so that α → 0 gives
    :func:`poisson` exactly. α (``dispersion``) is learned, one per unit; values below 1e-6 count
    as that.
    """
    rate = predicted.clamp_min(1e-8)
    alpha = dispersion.clamp_min(LEAST_DISPERSION).unsqueeze(-2)
    # log Γ(z + 1/α) − log Γ(1/α) + z log α: for small α a difference of numbers around 10⁷
    wide, inverse = target.double(), 1 / alpha.double()
    rising = torch.lgamma(wide + inverse) - torch.lgamma(inverse) + wide * alpha.double().log()
    likelihood = (
        rising.to(rate.dtype)
        + torch.xlogy(target, rate)
        - (target + 1 / alpha) * torch.log1p(alpha * rate)
    )
    return 2 * (torch.xlogy(target, target) - target - likelihood)


def reconstruction_loss(
    kind: str,
    predicted: Float[Tensor, "*model bin unit"],
    target: Float[Tensor, "*any_model bin unit"],
    valid: Bool[Tensor, "bin unit"] | None = None,
    *more: float | Tensor,
) -> Float[Tensor, "*model"]:
    """The named loss, summed over the units observed in each bin and averaged over bins.

    ``more`` is what the loss needs besides: τ of ``msle``, the dispersion of
    ``negative_binomial``.
    """
    term = LOSSES[kind](predicted, target, *more)
    if valid is not None:
        term = torch.where(valid, term, 0.0)
    return term.sum(dim=-1).mean(dim=-1)


def of_levels(
    terms: Sequence[Float[Tensor, " model"]], weights: Sequence[float], *, mean: bool = False
) -> Float[Tensor, " model"]:
    """The losses of Matryoshka levels as one: ``Σ λ_l·loss_l`` (Bhagat 2025, Algorithm 1, line 23).

    Args:
        terms: the loss of each level.
        weights: λ of each level.
        mean: their weighted mean, ``Σ λ_l·loss_l / Σ λ_l``.
    """
    if not mean:
        weighted = [weight * term for weight, term in zip(weights, terms, strict=True)]
        return torch.stack(weighted).sum(dim=0)
    # weights of 1 must leave the bits of a mean without weights
    usual = sum(weights) / len(weights)
    weighted = [(weight / usual) * term for weight, term in zip(weights, terms, strict=True)]
    return torch.stack(weighted).mean(dim=0)


def revival_loss(
    inputs: Float[Tensor, "row feature"],
    residual: Float[Tensor, "bin value"],
    encoder_weight: Float[Tensor, "latent feature"],
    encoder_bias: Float[Tensor, " latent"],
    dictionary: Float[Tensor, "latent row_value"],
    dead: Bool[Tensor, " latent"],
    k_aux: int,
    *,
    decoder: Decoder | None = None,
    bias: Float[Tensor, " value"] | None = None,
) -> Float[Tensor, ""]:
    """Let dead latents explain what the living ones left over (Gao et al. 2024, AuxK).

    The ``k_aux`` dead latents with the largest pre-activation in each bin reconstruct the detached
    residual without bias. Raw pre-activations are used, so that latents whose pre-activation has
    become negative everywhere are reached too; and only the rows of dead latents receive any
    gradient: ``inputs`` and ``residual`` must be detached.

    With a ``bias`` it is the form of Bhagat et al. 2025, Algorithm 1: all dead latents, through a
    ReLU, with the decoder's bias (which gets no gradient from here).
    """
    decoder = decoder or Linear(bins=1, last=True)
    weight, rows = encoder_weight[dead], dictionary[dead]
    pre_activation = inputs @ weight.T + encoder_bias[dead]
    if bias is None:
        k = min(k_aux, len(rows))
        values, indices = torch.topk(pre_activation, k, dim=1, sorted=False)
        activation = torch.zeros_like(pre_activation).scatter(1, indices, values)
    else:
        activation = functional.relu(pre_activation)
    code = decoder.code(activation[None], len(residual))[0]
    predicted = code @ decoder.matrix(rows[None])[0]
    if bias is not None:
        predicted = predicted + bias.detach()
    return squared(predicted, residual).sum(dim=1).mean()


def revival_losses(
    inputs: Float[Tensor, "shared row feature"],
    residual: Float[Tensor, "model bin value"],
    encoder_weight: Float[Tensor, "model latent feature"],
    encoder_bias: Float[Tensor, "model latent"],
    dictionary: Float[Tensor, "model latent row_value"],
    dead: Bool[Tensor, "model latent"],
    k_aux: int,
    *,
    decoder: Decoder | None = None,
    bias: Float[Tensor, "model value"] | None = None,
) -> Float[Tensor, " model"]:
    """:func:`revival_loss` of every model of a stack, 0 where nobody is dead.

    For a GPU: nothing here depends on how many are dead, which the host would have to wait for, and
    all models take part in the same products.
    """
    decoder = decoder or Linear(bins=1, last=True)
    pre_activation = linear(inputs, encoder_weight, encoder_bias)
    alive = ~dead[:, None]
    if bias is None:
        shown = pre_activation.masked_fill(alive, -math.inf)
        values, indices = torch.topk(shown, k_aux, dim=2, sorted=False)
        values = torch.where(values > -math.inf, values, 0.0)  # fewer than that are dead
        activation = torch.zeros_like(shown).scatter(2, indices, values)
    else:
        activation = functional.relu(pre_activation).masked_fill(alive, 0.0)
    code = decoder.code(activation, residual.shape[1])
    predicted = torch.bmm(code, decoder.matrix(dictionary))
    if bias is not None:
        predicted = predicted + bias.detach()[:, None]
    loss = squared(predicted, residual).sum(dim=2).mean(dim=1)
    return torch.where(dead.any(dim=1), loss, 0.0)
