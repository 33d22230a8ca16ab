"""Many coders of one shape as one batched module; a single coder is a stack of one.

Models share the data, the order of batches and every kernel call, and nothing else: weights,
penalties, thresholds, dead latents and selections are each model's own, so a member of a stack
learns what it would learn alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import Parameter

from nwbsparse.errors import BadInput
from nwbsparse.models.architecture import DICTIONARY, Architecture, Weights, per_model_numbers
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.encoders import BIAS, WEIGHT
from nwbsparse.models.forward import Outcome, Passes
from nwbsparse.models.losses import revival_loss, revival_losses
from nwbsparse.models.sparse.pre_activations import PreActivations
from nwbsparse.models.sparse.unit_length import drop_parallel, normalise
from nwbsparse.models.sparsifiers import PerModel, Select
from nwbsparse.options.config import shared_options


class Stack:
    """Coders of one shape, trained side by side.

    Args:
        coders: the same architecture, units and normalisation; weights and seeds of their own.

    Raises:
        BadInput: they differ in an option that a stack shares.
    """

    def __init__(self, coders: Sequence[SparseCoder]) -> None:
        self.coders = list(coders)
        first = coders[0]
        shared = shared_options(first.config)
        other = {
            name
            for coder in coders
            for name, value in shared_options(coder.config).items()
            if shared.get(name) != value
        }
        if other:
            raise BadInput(f"coders of one stack differ in {', '.join(sorted(other))}")
        self.architecture: Architecture = first.architecture
        self.config = first.config
        self.weights: dict[str, Parameter] = {
            name: Parameter(
                torch.stack([dict(coder.named_parameters())[name].detach() for coder in coders])
            )
            for name, _ in first.named_parameters()
        }
        self.own: PerModel = per_model_numbers([coder.config for coder in coders], first.offset)
        self.passes = Passes(self.coders, self.weights[WEIGHT])
        self.selectors: list[Select | None] = self.new_selectors()

    def __len__(self) -> int:
        return len(self.coders)

    @property
    def levels(self) -> list[tuple[int, int]]:
        return self.coders[0].levels

    def new_selectors(self, member: int | None = None) -> list[Select | None]:
        """One selector per level, or one for all when they share the selection.

        Args:
            member: of this model alone.
        """
        coders = self.coders if member is None else [self.coders[member]]
        levels = range(len(self.levels))
        return [
            self.architecture.sparsifier.selector(*(coder.levels[level][1] for coder in coders))
            for level in (levels[-1:] if self.config.nesting == "nested" else levels)
        ]

    def forward(
        self,
        y: Float[Tensor, "bin lag unit"],
        target: Float[Tensor, "bin value"],
        valid: Bool[Tensor, "bin value"] | None,
        *,
        selectors: Sequence[Select | None] | None = None,
        member: int | None = None,
        weight: float = 1.0,
    ) -> Outcome:
        """Encode, select, decode and compare a batch, as in training.

        Args:
            y: windows of the normalised population.
            target: what is to be reconstructed, lag after lag.
            valid: where the target was observed, and is asked for.
            selectors: memories of the selection; those of training when absent.
            member: only this model of the stack, with selectors of its own.
            weight: of the reconstruction, where only a share of it is asked for.
        """
        weights, own = self._of(member)
        selectors = self.selectors if selectors is None else selectors
        features = self.architecture.features(weights, y - self.coders[0].pre_bias)
        return self.passes(weights, own, features, target, valid, selectors, weight=weight)

    @torch.no_grad()
    def pre_activations(self, y: Float[Tensor, "bin lag unit"]) -> PreActivations:
        """Of all models and latents, as searches for the largest ask for them."""
        features = self.architecture.features(self.weights, y - self.coders[0].pre_bias)
        return self.passes.searched(self.weights, features)

    def revival(
        self,
        outcome: Outcome,
        target: Float[Tensor, "bin value"],
        valid: Bool[Tensor, "bin value"] | None,
        dead: Bool[Tensor, "model latent"],
        k_aux: int,
    ) -> Float[Tensor, " model"]:
        """Loss of each model's dead latents on what its living ones left over; 0 where none died."""
        residual = (target - outcome.predicted.to(target.dtype)).detach()
        if valid is not None:
            residual = torch.where(valid, residual, 0.0)
        features = self.architecture.encoder.own_bin(outcome.features.detach()).to(target.dtype)
        paper = self.config.revival == "paper"
        if residual.device.type != "cpu":
            return revival_losses(
                features,
                residual,
                self.weights[WEIGHT],
                self.weights[BIAS],
                self.weights[DICTIONARY],
                dead,
                k_aux,
                decoder=self.architecture.decoder,
                bias=self.weights["decoder_bias"] if paper else None,
            )
        losses = []
        for model in range(len(self)):
            if not bool(dead[model].any()):
                losses.append(target.new_zeros(()))
                continue
            losses.append(
                revival_loss(
                    features[model if len(features) > 1 else 0],
                    residual[model],
                    self.weights[WEIGHT][model],
                    self.weights[BIAS][model],
                    self.weights[DICTIONARY][model],
                    dead[model],
                    k_aux,
                    decoder=self.architecture.decoder,
                    bias=self.weights["decoder_bias"][model] if paper else None,
                )
            )
        return torch.stack(losses)

    def drop_parallel_gradient(self) -> None:
        """Remove the part of the dictionary's gradient that renormalising would undo."""
        rows = self.weights[DICTIONARY]
        if rows.grad is not None and self.config.rows == "unit":
            drop_parallel(rows.grad, rows)

    @torch.no_grad()
    def renormalise(self) -> None:
        """Keep dictionary rows where the options say: not negative, of unit length."""
        if self.config.sign == "nonnegative":
            self.weights[DICTIONARY].clamp_(min=0)
        if self.config.rows == "unit":
            normalise(self.weights[DICTIONARY])

    def keep(self, members: Sequence[int], *, more: Sequence[Select | None] = ()) -> None:
        """Let the other models drop out, here and in further selectors."""
        at = torch.tensor(list(members), device=self.own.bandwidth.device)
        for name, weight in self.weights.items():
            self.weights[name] = Parameter(weight.detach()[at])
        self.coders = [self.coders[member] for member in members]
        self.own = replace(
            self.own,
            penalty_weight=self.own.penalty_weight[at],
            bandwidth=self.own.bandwidth[at],
        )
        for selector in [*self.selectors, *more]:
            if selector is not None:
                selector.keep(members)

    def snapshot(self, member: int) -> dict[str, Tensor]:
        """A copy of one model's weights."""
        return {name: weight.detach()[member].clone() for name, weight in self.weights.items()}

    def _of(self, member: int | None) -> tuple[Weights, PerModel]:
        if member is None:
            return self.weights, self.own
        at = slice(member, member + 1)
        own = PerModel(self.own.penalty_weight[at], self.own.bandwidth[at])
        return {name: weight[at] for name, weight in self.weights.items()}, own
