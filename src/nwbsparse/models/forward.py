"""From a batch to its loss, on the way that is the fastest for the coders at hand.

Dense where many latents are active or their gradient is needed everywhere; sparse where few are;
and two compiled passes for the plain coder. All ways compute the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nwbsparse.models.architecture import DECODER_BIAS, DICTIONARY, Weights, of_first_latents
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.decoders import Linear
from nwbsparse.models.encoders import BIAS, WEIGHT, LinearEncoder
from nwbsparse.models.losses import LOSSES, of_levels, reconstruction_loss, squared
from nwbsparse.models.sparse import plain
from nwbsparse.models.sparse.pre_activations import Computed, PreActivations
from nwbsparse.models.sparse.products import gather_pre_activation, sparse_decode
from nwbsparse.models.sparse.rectified import ever_active
from nwbsparse.models.sparse.scan_kernels import Scratch
from nwbsparse.models.sparse.screening import Memory, Screened, worth_while
from nwbsparse.models.sparse.selection import Selection
from nwbsparse.models.sparsifiers import PerModel, Select

DENSE_SHARE = 0.125
"""Share of active latents beyond which dense products are faster than sparse ones (measured)."""
HIDDEN_SHARE = 0.25
"""The same where entries are hidden: the general path then goes over every table once more."""


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


class Passes:
    """Encode, select, decode and compare, for coders of one shape.

    Args:
        coders: of a stack.
        weight: of their encoders' last map, (model, latent, feature).
    """

    def __init__(self, coders: Sequence[SparseCoder], weight: Tensor) -> None:
        first = coders[0]
        self.architecture, self.config, self.levels = first.architecture, first.config, first.levels
        self.level_weights = first.config.level_weights
        k = max(coder.levels[-1][1] for coder in coders)
        self.sparse = (
            self.architecture.sparsifier.selector(1) is not None
            and self.architecture.encoder.sparse
            and k <= (HIDDEN_SHARE if self.config.mask else DENSE_SHARE) * first.n_latents
            and weight.device.type == "cpu"
            and self.config.precision != "bfloat16"
        )
        self.screened = self.sparse and worth_while(weight, k)
        """Whether most pre-activations are computed in half the precision, which changes nothing."""
        self.plain = self._is_plain() and plain.available()
        self._pi: Tensor | None = None
        """Where pre-activations are written when nothing keeps them: by far the largest table."""
        self._scratch: Scratch = {}
        self._memory = Memory()

    def __call__(
        self,
        weights: Weights,
        own: PerModel,
        features: Float[Tensor, "shared row feature"],
        target: Float[Tensor, "bin value"],
        valid: Bool[Tensor, "bin value"] | None,
        selectors: Sequence[Select | None],
        *,
        weight: float = 1.0,
    ) -> Outcome:
        """What one batch gives, as in training.

        Args:
            weights, own: of the models.
            features: what their encoders' last map sees.
            target: what is to be reconstructed, lag after lag.
            valid: where the target was observed, and is asked for.
            selectors: memories of the selection.
            weight: of the reconstruction, beside what activity costs.
        """
        if self.sparse and self.plain and not features.requires_grad:
            return self._plain(weights, features, target, valid, selectors, weight)
        if self.sparse:
            pi = self.searched(weights, features)
            predicted, active, code = self._sparse(weights, features, pi, selectors, len(target))
            penalty = 0.0
        else:
            # short products (bfloat16), but selections and thresholds in full
            table = self.architecture.encoder.pre_activation(weights, features).to(target.dtype)
            predicted, cost, code = self._dense(weights, own, table, selectors, len(target))
            active = ever_active(code)
            penalty = self._penalty(weights, own, table, code, cost, target, valid, weight)
        terms = [self._reconstruction(weights, one, target, valid) for one in predicted]
        terms = terms if weight == 1 else [weight * one for one in terms]
        loss = self._of_levels(terms) + penalty
        return Outcome(loss, predicted[-1], active, code, features)

    @torch.no_grad()
    def searched(self, weights: Weights, features: Tensor) -> PreActivations:
        """Pre-activations as searches for the largest ask for them."""
        weight, encoder = weights[WEIGHT], self.architecture.encoder
        if self.screened:
            return Screened(features, weight, weights[BIAS], self._memory)
        if not self.sparse:
            return Computed(encoder.pre_activation(weights, features), self._scratch)
        shape = (len(weight), features.shape[1], weight.shape[1])
        if self._pi is None or self._pi.shape != shape:
            self._pi = features.new_empty(shape)
        return Computed(encoder.pre_activation(weights, features, out=self._pi), self._scratch)

    def _is_plain(self) -> bool:
        """Whether the coders are of the most common kind."""
        config, architecture = self.config, self.architecture
        return (
            isinstance(architecture.encoder, LinearEncoder)
            and isinstance(architecture.decoder, Linear)
            and (config.loss, config.scaling[1]) == ("mse", "identity")
            and len(self.levels) == 1
        )

    def _plain(
        self,
        weights: Weights,
        features: Tensor,
        target: Tensor,
        valid: Tensor | None,
        selectors: Sequence[Select | None],
        weight: float,
    ) -> Outcome:
        select = selectors[0]
        assert select is not None
        selection = select(self.searched(weights, features))
        head = weights[WEIGHT], weights[BIAS], weights[DICTIONARY], weights[DECODER_BIAS]
        loss, predicted = plain.plain_loss(features, *head, target, selection, valid)
        loss = self._of_levels([loss if weight == 1 else weight * loss])
        return Outcome(loss, predicted, _active(selection), selection, features)

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
        return made, _active(selection), selection

    def _decode(
        self, weights: Weights, values: Tensor, selection: Selection, size: int, n_bins: int
    ) -> Tensor:
        matrix = self.architecture.decoder.matrix(weights[DICTIONARY][:, :size])
        code = selection.viewed(n_bins, matrix.shape[1])
        return self.architecture.output(weights, sparse_decode(values, matrix, code))

    def _dense(
        self,
        weights: Weights,
        own: PerModel,
        pi: Tensor,
        selectors: Sequence[Select | None],
        n_bins: int,
    ) -> tuple[list[Tensor], Tensor | None, Tensor]:
        """Reconstruction of each level from a full table of activations; the last ones' cost, if known."""
        made: list[Tensor] = []
        activation = cost = None
        rule, nested = self.architecture.sparsifier, self.config.nesting == "nested"
        for level, (size, _) in enumerate(self.levels):
            if activation is None or not nested:
                width = self.levels[-1][0] if nested else size
                select = selectors[0 if nested else level]
                narrow = of_first_latents(weights, width, pi.shape[2])
                whole = width == pi.shape[2]
                paid = rule.trained_and_paid(pi, narrow, own) if whole else None
                activation, cost = paid or (
                    rule.train(pi[:, :, :width], narrow, own, select),
                    None,
                )
            made.append(self.architecture.decode(weights, activation[:, :, :size], n_bins))
        assert activation is not None
        return made, cost, activation

    def _penalty(
        self,
        weights: Weights,
        own: PerModel,
        pi: Tensor,
        activation: Tensor,
        known: Tensor | None,
        target: Tensor,
        valid: Tensor | None,
        weight: float,
    ) -> Tensor:
        """What activity costs (``known`` already or not), and the gate's own reconstruction, if any."""
        rule = self.architecture.sparsifier
        cost = rule.penalty(pi, activation, weights, own) if known is None else known
        guess = rule.first_guess(pi)
        if guess is not None:
            frozen = {name: weight.detach() for name, weight in weights.items()}
            again = self.architecture.decode(frozen, guess, len(target))
            error = squared(again, target)
            if valid is not None:
                error = torch.where(valid, error, 0.0)
            cost = cost + weight * error.sum(dim=2).mean(dim=1)
        return cost

    def _of_levels(self, terms: Sequence[Tensor]) -> Tensor:
        mean = self.config.level_terms == "mean"
        return of_levels(terms, self.level_weights, mean=mean)

    def _reconstruction(
        self, weights: Weights, predicted: Tensor, target: Tensor, valid: Tensor | None
    ) -> Tensor:
        more: tuple[float | Tensor, ...] = ()
        needs = LOSSES.fact(self.config.loss, "needs")
        if needs == "tau":
            more = (self.config.tau,)
        elif needs == "dispersion":
            more = (self.architecture.dispersion(weights),)
        return reconstruction_loss(
            self.config.loss, predicted.to(target.dtype), target, valid, *more
        )


def _active(selection: Selection) -> Bool[Tensor, "model latent"]:
    """Which latents a selection has entries of."""
    models, _, n_latents = selection.shape
    edges, _ = selection.columns_grouped
    return (edges[1:] > edges[:-1]).view(models, n_latents)
