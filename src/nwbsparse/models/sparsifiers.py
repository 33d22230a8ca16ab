"""What makes latents sparse: a rule for training and one for ever after.

Batch top-k looks at the whole batch while it trains; a stored recording must not depend on its
batches, so every rule here has an inference form that sees one bin at a time. Tables are
(model, row, latent); a single coder is a stack of one.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from nwbsparse.models.sparse.rectified import LOWEST, fits, rectified
from nwbsparse.models.sparse.scan_kernels import spread, taken
from nwbsparse.models.sparse.selection import LargestOfBatch, LargestOfRow, Select, Selection
from nwbsparse.roles import Registry

Weights = Mapping[str, Tensor]
Table = Float[Tensor, "model row latent"]

SPARSIFIERS = Registry("sparsifier", methods=("train", "infer"), facts={"penalised": False})
"""Classes by the word of ``sparsifier=``; ``penalised`` are those that a penalty makes sparse, the
others are told how many latents to keep."""


@dataclass(frozen=True)
class PerModel:
    """Numbers that each model of a stack has of its own, (model,)."""

    penalty_weight: Tensor
    bandwidth: Tensor


class Sparsifier(ABC):
    """Pre-activations → activations, most of them zero."""

    calibrated = False
    """Whether inference needs a threshold found on the training bins."""

    def __init__(self, penalty: str = "l1") -> None:
        self.kind = penalty
        """Which penalty is asked for, where there are several."""

    def initial(self, n_latents: int) -> dict[str, Tensor]:
        """Weights of its own, of one model, before training."""
        return {}

    def selector(self, *k: int) -> Select | None:
        """For rules that keep k latents (of each model): what finds them, batch after batch.

        Where few latents are active, training then goes by what it finds alone and calls neither
        ``train`` nor ``penalty``: only a rule that keeps the selected as they are may have one.
        """
        return None

    @abstractmethod
    def train(self, pi: Table, weights: Weights, own: PerModel, select: Select | None) -> Table:
        """Activations while training, differentiable."""

    @abstractmethod
    def infer(
        self,
        pi: Table,
        weights: Weights,
        own: PerModel,
        *,
        k: int,
        threshold: Float[Tensor, " model"],
    ) -> Table:
        """Activations ever after: each row by itself."""

    def penalty(
        self, pi: Table, activation: Table, weights: Weights, own: PerModel
    ) -> Float[Tensor, " model"]:
        """What training pays for activity, weight included: summed over latents, mean over rows."""
        return pi.new_zeros(len(pi))

    def trained_and_paid(
        self, pi: Table, weights: Weights, own: PerModel
    ) -> tuple[Table, Float[Tensor, " model"]] | None:
        """``train`` and ``penalty`` in one, for rules that have a faster way to the very same bits."""
        return None

    def first_guess(self, pi: Table) -> Table | None:
        """Activations that must reconstruct the target with a frozen decoder as well (gated)."""
        return None


def selected(pi: Table, selection: Selection) -> Table:
    """Positive pre-activations at the selected entries, zero elsewhere: the dense form."""
    if selection.value is not None:
        return _Selected.apply(pi, selection)
    kept = torch.zeros(pi.numel(), dtype=torch.bool, device=pi.device)
    kept.index_fill_(0, selection.index, True)  # assigning it would wait for the GPU
    return torch.where(kept.view(pi.shape) & (pi > 0), pi, 0.0)


def above_threshold(pi: Table, threshold: Float[Tensor, " model"]) -> Table:
    """``π`` where ``π > 0 and π ≥ θ``, else 0."""
    edge = threshold.to(pi.dtype)[:, None, None]
    return torch.where((pi > 0) & (pi >= edge), pi, 0.0)


@SPARSIFIERS.register("batch_topk")
class BatchTopK(Sparsifier):
    """The k·B largest positive of a batch; afterwards a threshold (Bussmann et al. 2024)."""

    calibrated = True

    def selector(self, *k: int) -> Select:
        return LargestOfBatch(*k)

    def train(self, pi: Table, weights: Weights, own: PerModel, select: Select | None) -> Table:
        assert select is not None
        return selected(pi, select(pi))

    def infer(
        self,
        pi: Table,
        weights: Weights,
        own: PerModel,
        *,
        k: int,
        threshold: Float[Tensor, " model"],
    ) -> Table:
        return above_threshold(pi, threshold)


@SPARSIFIERS.register("topk")
class TopK(Sparsifier):
    """The k largest positive of each bin (Gao et al. 2024), in training and ever after."""

    def selector(self, *k: int) -> Select:
        return LargestOfRow(*k)

    def train(self, pi: Table, weights: Weights, own: PerModel, select: Select | None) -> Table:
        assert select is not None
        return selected(pi, select(pi))

    def infer(
        self,
        pi: Table,
        weights: Weights,
        own: PerModel,
        *,
        k: int,
        threshold: Float[Tensor, " model"],
    ) -> Table:
        # a bin's choice must not hang on the bins beside it: without a guess from another batch
        return selected(pi, LargestOfRow(k)(pi))


@SPARSIFIERS.register("l1", penalised=True)
class L1(Sparsifier):
    """ReLU, made sparse by a penalty on activations.

    ``l1``: λ·Σa. ``exponential``: λ·Σ(1 − exp(−a / bandwidth)), which does not shrink what is
    clearly active (Naik 2025, section 3.3.1, there called "jump").
    """

    def train(self, pi: Table, weights: Weights, own: PerModel, select: Select | None) -> Table:
        return functional.relu(pi)

    def infer(
        self,
        pi: Table,
        weights: Weights,
        own: PerModel,
        *,
        k: int,
        threshold: Float[Tensor, " model"],
    ) -> Table:
        return functional.relu(pi)

    def trained_and_paid(
        self, pi: Table, weights: Weights, own: PerModel
    ) -> tuple[Table, Float[Tensor, " model"]] | None:
        kind, saturates = type(self), self.kind == "exponential"
        if (kind.train, kind.penalty) != (L1.train, L1.penalty):
            return None  # somebody's own rule, which differs from this one in that
        if not fits(pi) or (saturates and float(own.bandwidth.max()) > NARROW):
            return None
        activation, cost = rectified(pi, own.bandwidth if saturates else None)
        return activation, own.penalty_weight * cost

    def penalty(
        self, pi: Table, activation: Table, weights: Weights, own: PerModel
    ) -> Float[Tensor, " model"]:
        if self.kind == "exponential":
            return own.penalty_weight * _Saturating.apply(activation, own.bandwidth)
        return own.penalty_weight * activation.sum(dim=2).mean(dim=1)


@SPARSIFIERS.register("jumprelu", penalised=True)
class JumpReLU(Sparsifier):
    """``π·H(π − θ)`` with a learned threshold per latent (Rajamanoharan et al. 2024b).

    The step has no gradient, so θ learns through a rectangle kernel of width ε on pre-activations
    (equations 11 and 12): ∂a/∂θ = −(θ/ε)·K((π − θ)/ε) and ∂L0/∂θ = −(1/ε)·K((π − θ)/ε).
    """

    def initial(self, n_latents: int) -> dict[str, Tensor]:
        return {"log_threshold": torch.full((n_latents,), 0.1).log()}

    def train(self, pi: Table, weights: Weights, own: PerModel, select: Select | None) -> Table:
        theta = weights["log_threshold"].exp()[:, None]
        return _Jump.apply(pi, theta, own.bandwidth[:, None, None])

    def infer(
        self,
        pi: Table,
        weights: Weights,
        own: PerModel,
        *,
        k: int,
        threshold: Float[Tensor, " model"],
    ) -> Table:
        return torch.where(pi > weights["log_threshold"].exp()[:, None], pi, 0.0)

    def penalty(
        self, pi: Table, activation: Table, weights: Weights, own: PerModel
    ) -> Float[Tensor, " model"]:
        theta = weights["log_threshold"].exp()[:, None]
        active = _Step.apply(pi, theta, own.bandwidth[:, None, None])
        return own.penalty_weight * active.sum(dim=2).mean(dim=1)


@SPARSIFIERS.register("gated", penalised=True)
class Gated(Sparsifier):
    """One linear map says which latents are active, a rescaled one how much.

    ``a = 1[π_g > 0] ⊙ ReLU(eʳ ⊙ W_g x + b_m)`` with ``π_g = W_g x + b_g`` (Rajamanoharan et al.
    2024a). The gate is trained by λ·‖ReLU(π_g)‖₁ and by reconstructing with a frozen decoder.
    """

    def initial(self, n_latents: int) -> dict[str, Tensor]:
        return {"log_gain": torch.zeros(n_latents), "magnitude_bias": torch.zeros(n_latents)}

    def train(self, pi: Table, weights: Weights, own: PerModel, select: Select | None) -> Table:
        projected = pi - weights["encoder_bias"][:, None]
        gain = weights["log_gain"].exp()[:, None]
        magnitude = functional.relu(gain * projected + weights["magnitude_bias"][:, None])
        return (pi > 0).to(pi.dtype) * magnitude

    def infer(
        self,
        pi: Table,
        weights: Weights,
        own: PerModel,
        *,
        k: int,
        threshold: Float[Tensor, " model"],
    ) -> Table:
        return self.train(pi, weights, own, None)

    def penalty(
        self, pi: Table, activation: Table, weights: Weights, own: PerModel
    ) -> Float[Tensor, " model"]:
        return own.penalty_weight * functional.relu(pi).sum(dim=2).mean(dim=1)

    def trained_and_paid(
        self, pi: Table, weights: Weights, own: PerModel
    ) -> tuple[Table, Float[Tensor, " model"]] | None:
        """``train`` and ``penalty`` in one, for rules that have a faster way to the very same bits."""
        return None

    def first_guess(self, pi: Table) -> Table:
        return functional.relu(pi)


NARROW = 0.1
"""Bandwidth up to which nearly every active latent is far out on the exponential: the sum over a row
then loses no digits to those that are not."""


class _Selected(Function):
    """Selected entries as a table; without the passes over all entries that autograd makes."""

    @staticmethod
    def forward(ctx: Any, pi: Tensor, selection: Selection) -> Tensor:
        ctx.selection = selection
        assert selection.value is not None
        return spread(selection.value, selection.index, pi.numel()).view(pi.shape)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        index = ctx.selection.index
        grad = grads[0].contiguous()
        return spread(taken(grad.view(-1), index), index, grad.numel()).view(grad.shape), None


class _Saturating(Function):
    """``Σ(1 − exp(−a / bandwidth))``, mean over rows.

    On a CPU, where bandwidths are small, as powers of two and never of less than −60: torch's
    exponentials of very negative numbers take five to twenty times as long, and 2⁻⁶⁰ is nothing
    beside 1.
    """

    @staticmethod
    def forward(ctx: Any, activation: Tensor, bandwidth: Tensor) -> Tensor:
        if activation.device.type == "cpu" and float(bandwidth.max()) <= NARROW:
            scale = (-math.log2(math.e) / bandwidth)[:, None, None]
            left = torch.mul(activation, scale).clamp_min_(LOWEST).exp2_()
            cost = left.shape[2] - left.sum(dim=2)
        else:
            shrunk = torch.mul(activation, -1 / bandwidth[:, None, None]).expm1_()
            left, cost = shrunk + 1, -shrunk.sum(dim=2)
        ctx.save_for_backward(left, bandwidth)
        return cost.mean(dim=1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        left, bandwidth = ctx.saved_tensors
        share = (grads[0] / bandwidth / left.shape[1])[:, None, None]
        return left * share, None


class _Jump(Function):
    """``π·H(π − θ)``; the kernel's gradient goes to θ."""

    @staticmethod
    def forward(ctx: Any, pi: Tensor, theta: Tensor, width: Tensor) -> Tensor:
        ctx.save_for_backward(pi, theta, width)
        return torch.where(pi > theta, pi, 0.0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        pi, theta, width = ctx.saved_tensors
        near = ((pi - theta).abs() < width / 2).to(pi.dtype)
        to_theta = -(theta / width) * (near * grads[0]).sum(dim=1, keepdim=True)
        return torch.where(pi > theta, grads[0], 0.0), to_theta, None


class _Step(Function):
    """``H(π − θ)``; only θ receives a gradient, through the kernel."""

    @staticmethod
    def forward(ctx: Any, pi: Tensor, theta: Tensor, width: Tensor) -> Tensor:
        ctx.save_for_backward(pi, theta, width)
        return (pi > theta).to(pi.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        pi, theta, width = ctx.saved_tensors
        near = ((pi - theta).abs() < width / 2).to(pi.dtype)
        return None, -(1 / width) * (near * grads[0]).sum(dim=1, keepdim=True), None


def sparsifier(kind: str, *, penalty: str) -> Sparsifier:
    """The sparsifier of this name.

    Raises:
        BadInput: there is none.
    """
    return SPARSIFIERS[kind](penalty)
