"""Many coders of one shape as one batched module; a single coder is a stack of one.

Models share the data, the order of batches and every kernel call, and nothing else: weights,
penalties, thresholds, dead latents and selections are each model's own, so a member of a stack
learns what it would learn alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import Parameter

from nwbsparse.config import Config
from nwbsparse.errors import BadInput
from nwbsparse.models.architecture import (
    DICTIONARY,
    Architecture,
    Weights,
    of_first_latents,
    own_numbers,
)
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.encoders import BIAS, WEIGHT
from nwbsparse.models.index_loops import Scratch
from nwbsparse.models.losses import reconstruction_loss, revival_loss, squared
from nwbsparse.models.pre_activations import Computed, PreActivations
from nwbsparse.models.screening import Memory, Screened, worth_while
from nwbsparse.models.selection import Selection
from nwbsparse.models.sparse_products import gather_pre_activation, sparse_decode
from nwbsparse.models.sparsifiers import Own, Select

OWN = (
    "name", "seed", "seeds", "k", "learning_rate", "penalty_weight", "bandwidth", "weight_decay",
    "clip", "aux_weight", "dead_window", "patience",
)  # fmt: skip
"""Options in which models of one stack may differ."""
DENSE_SHARE = 0.125
"""Share of active latents beyond which dense products are faster than sparse ones (measured)."""


@dataclass(frozen=True)
class Outcome:
    """What one batch gave."""

    loss: Float[Tensor, " model"]
    """What is minimised, but for the revival of dead latents."""
    predicted: Float[Tensor, "model bin value"]
    """Reconstruction by the largest level."""
    active: Bool[Tensor, "model latent"]
    """Latents of the largest level that were active in any bin."""
    code: Selection | Tensor
    """Where the largest level was active: the selected entries, or the table of activations."""
    features: Float[Tensor, "shared row feature"]

    @property
    def n_active(self) -> Int[Tensor, " model"]:
        """Active entries of the largest level."""
        if isinstance(self.code, Selection):
            return self.code.row_edges[:: self.code.shape[1]].diff()
        return torch.count_nonzero(self.code, dim=(1, 2))


def shared_options(config: Config) -> dict[str, Any]:
    """The options that all models of a stack must have in common."""
    return {name: value for name, value in config.to_dict().items() if name not in OWN}


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
        self.own: Own = own_numbers([coder.config for coder in coders], first.offset)
        device = first.offset.device
        rule = self.architecture.sparsifier
        k = max(coder.levels[-1][1] for coder in coders)
        self.sparse = (
            rule.selector(1) is not None
            and self.architecture.encoder.sparse
            and k <= DENSE_SHARE * first.n_latents
            and device.type == "cpu"
            and self.config.precision != "bfloat16"
        )
        self.selectors: list[Select | None] = self.new_selectors()
        self._pi: Tensor | None = None
        """Where pre-activations are written when nothing keeps them: by far the largest table."""
        self._scratch: Scratch = {}
        self.screened = self.sparse and worth_while(self.weights[WEIGHT], k)
        """Whether most pre-activations are computed in half the precision, which changes nothing."""
        self._memory = Memory()

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
    ) -> Outcome:
        """Encode, select, decode and compare a batch, as in training.

        Args:
            y: windows of the normalised population.
            target: what is to be reconstructed, lag after lag.
            valid: where the target was observed.
            selectors: memories of the selection; those of training when absent.
            member: only this model of the stack, with selectors of its own.
        """
        weights, own = self._of(member)
        selectors = self.selectors if selectors is None else selectors
        encoder = self.architecture.encoder
        features = self.architecture.features(weights, y - self.coders[0].pre_bias)
        if self.sparse:
            pi = self._searched(weights, features)
            predicted, active, code = self._sparse(weights, features, pi, selectors, len(y))
            penalty = 0.0
        else:
            # short products (bfloat16), but selections and thresholds in full
            pi = encoder.pre_activation(weights, features).to(target.dtype)
            predicted, active, code = self._dense(weights, own, pi, selectors, len(y))
            penalty = self._penalty(weights, own, pi, code, target, valid)
        terms = [self._reconstruction(weights, one, target, valid) for one in predicted]
        loss = torch.stack(terms).mean(dim=0) + penalty
        return Outcome(loss, predicted[-1], active, code, features)

    @torch.no_grad()
    def pre_activations(self, y: Float[Tensor, "bin lag unit"]) -> PreActivations:
        """Of all models and latents, as searches for the largest ask for them."""
        return self._searched(
            self.weights, self.architecture.features(self.weights, y - self.coders[0].pre_bias)
        )

    @torch.no_grad()
    def _searched(self, weights: Weights, features: Tensor) -> PreActivations:
        weight, encoder = weights[WEIGHT], self.architecture.encoder
        if self.screened:
            return Screened(features, weight, weights[BIAS], self._memory)
        if not self.sparse:
            return Computed(encoder.pre_activation(weights, features), self._scratch)
        shape = (len(weight), features.shape[1], weight.shape[1])
        if self._pi is None or self._pi.shape != shape:
            self._pi = features.new_empty(shape)
        return Computed(encoder.pre_activation(weights, features, out=self._pi), self._scratch)

    def _sparse(
        self,
        weights: Weights,
        features: Tensor,
        pi: PreActivations,
        selectors: Sequence[Select | None],
        n_bins: int,
    ) -> tuple[list[Tensor], Tensor, Selection]:
        """Reconstruction of each level from the selected entries alone."""
        made: list[Tensor] = []
        selection = values = None
        nested = self.config.nesting == "nested"
        for level, (size, _) in enumerate(self.levels):
            if selection is None or not nested:
                width = self.levels[-1][0] if nested else size
                select = selectors[0 if nested else level]
                assert select is not None
                selection = select(pi.narrowed(width))
                assert selection.value is not None
                head = weights[WEIGHT][:, :width], weights[BIAS][:, :width]
                values = gather_pre_activation(features, *head, selection.value, selection)
            assert values is not None
            if nested and size < pi.shape[2]:
                where, part = selection.prefix(size)
                made.append(self._decode(weights, values[where], part, size, n_bins))
            else:
                made.append(self._decode(weights, values, selection, size, n_bins))
        assert selection is not None
        active = torch.zeros(pi.shape[0] * pi.shape[2], dtype=torch.bool)
        active[selection.column] = True
        return made, active.view(pi.shape[0], -1), selection

    def _decode(
        self, weights: Weights, values: Tensor, selection: Selection, size: int, n_bins: int
    ) -> Tensor:
        matrix = self.architecture.decoder.matrix(weights[DICTIONARY][:, :size])
        code = selection.viewed(n_bins, matrix.shape[1])
        return self.architecture.output(weights, sparse_decode(values, matrix, code))

    def _dense(
        self,
        weights: Weights,
        own: Own,
        pi: Tensor,
        selectors: Sequence[Select | None],
        n_bins: int,
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        """Reconstruction of each level from a full table of activations."""
        made: list[Tensor] = []
        activation = None
        rule, nested = self.architecture.sparsifier, self.config.nesting == "nested"
        for level, (size, _) in enumerate(self.levels):
            if activation is None or not nested:
                width = self.levels[-1][0] if nested else size
                select = selectors[0 if nested else level]
                narrow = of_first_latents(weights, width, pi.shape[2])
                activation = rule.train(pi[:, :, :width], narrow, own, select)
            made.append(self.architecture.decode(weights, activation[:, :, :size], n_bins))
        assert activation is not None
        # of non-negative numbers: several times as fast as any()
        return made, activation.detach().amax(dim=1) > 0, activation

    def _penalty(
        self,
        weights: Weights,
        own: Own,
        pi: Tensor,
        activation: Tensor,
        target: Tensor,
        valid: Tensor | None,
    ) -> Tensor:
        """What activity costs, and the gate's own reconstruction where there is one."""
        rule = self.architecture.sparsifier
        cost = rule.penalty(pi, activation, weights, own)
        guess = rule.first_guess(pi)
        if guess is not None:
            frozen = {name: weight.detach() for name, weight in weights.items()}
            again = self.architecture.decode(frozen, guess, len(target))
            error = squared(again, target)
            if valid is not None:
                error = torch.where(valid, error, 0.0)
            cost = cost + error.sum(dim=2).mean(dim=1)
        return cost

    def _reconstruction(
        self, weights: Weights, predicted: Tensor, target: Tensor, valid: Tensor | None
    ) -> Tensor:
        more: tuple[float | Tensor, ...] = ()
        if self.config.loss == "msle":
            more = (self.config.tau,)
        elif self.config.loss == "negative_binomial":
            more = (self.architecture.dispersion(weights),)
        return reconstruction_loss(
            self.config.loss, predicted.to(target.dtype), target, valid, *more
        )

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

    @torch.no_grad()
    def drop_parallel_gradient(self) -> None:
        """Remove the part of the dictionary's gradient that renormalising would undo."""
        rows = self.weights[DICTIONARY]
        if rows.grad is not None and self.config.rows == "unit":
            along = torch.linalg.vecdot(rows.grad, rows)
            rows.grad.addcmul_(rows, along[:, :, None], value=-1)

    @torch.no_grad()
    def renormalise(self) -> None:
        """Give every dictionary row unit length, where the options keep it there."""
        if self.config.rows == "unit":
            rows = self.weights[DICTIONARY]
            norm = torch.linalg.vector_norm(rows, dim=2, keepdim=True).clamp_min_(1e-12)
            rows.div_(norm)

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

    def _of(self, member: int | None) -> tuple[Weights, Own]:
        if member is None:
            return self.weights, self.own
        at = slice(member, member + 1)
        own = Own(self.own.penalty_weight[at], self.own.bandwidth[at])
        return {name: weight[at] for name, weight in self.weights.items()}, own
