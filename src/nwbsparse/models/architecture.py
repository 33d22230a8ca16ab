"""A coder's parts put together: sizes, encoder, sparsifier, decoder, as one pure function.

Weights come as tensors with a leading model dimension: a single coder is a stack of one, and a
stack of coders runs through exactly the same code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from nwbsparse.errors import BadInput
from nwbsparse.models.decoders import OUTPUTS, Convolution, Decoder, Linear
from nwbsparse.models.encoders import (
    BIAS,
    WEIGHT,
    Encoder,
    LatentAttention,
    LinearEncoder,
    ModelAttention,
)
from nwbsparse.models.losses import LOSSES
from nwbsparse.models.sparsifiers import PerModel, Sparsifier, sparsifier
from nwbsparse.options.config import Config

DICTIONARY, DECODER_BIAS, DISPERSION = "dictionary", "decoder_bias", "log_dispersion"

UNIFORM = ("uniform", "uniform_unit")
"""Starts that draw all weights and biases as torch's linear layers do."""

Weights = Mapping[str, Tensor]
Table = Float[Tensor, "model row latent"]


@dataclass(frozen=True)
class Architecture:
    """What a coder of these options is made of."""

    config: Config
    n_units: int
    n_targets: int
    same_units: bool
    """Whether those that are reconstructed are those that are encoded."""
    encoder: Encoder
    sparsifier: Sparsifier
    decoder: Decoder

    @property
    def n_latents(self) -> int:
        return self.config.n_latents or 0

    @property
    def window(self) -> int:
        """Bins that are seen at once."""
        return self.config.window or 1

    @property
    def n_decoded(self) -> int:
        """Reconstructed bins of a window."""
        return 1 if isinstance(self.decoder, Convolution) else self.decoder.n_decoded

    @property
    def n_values(self) -> int:
        """Reconstructed values of a window: bins times target units."""
        return self.n_decoded * self.n_targets

    def initial(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Weights of one model, seeded, dictionary rows of unit length; drawn uniformly: of any length."""
        width = self.decoder.n_decoded * self.n_targets
        rows = torch.randn(self.n_latents, width, generator=generator)
        rows = rows.abs() if self.config.sign == "nonnegative" else rows
        rows = functional.normalize(rows, dim=1)
        made = {
            DICTIONARY: rows,
            DECODER_BIAS: torch.zeros(self.n_values),
            **self.encoder.initial(self.tied(rows), generator),
            **self.sparsifier.initial(self.n_latents),
        }
        if self.config.initialisation in UNIFORM:
            # as two linear layers begin that nobody thought about (Naik 2025's, for one)
            for name, fan in (
                (WEIGHT, made[WEIGHT].shape[1]),
                (BIAS, made[WEIGHT].shape[1]),
                (DICTIONARY, self.n_latents),
                (DECODER_BIAS, self.n_latents),
            ):
                drawn = torch.rand(made[name].shape, generator=generator)
                made[name] = (2 * drawn - 1) / math.sqrt(fan)
        if LOSSES.fact(self.config.loss, "needs") == "dispersion":
            made[DISPERSION] = torch.zeros(self.n_targets)
        return made

    def tied(self, rows: Tensor) -> Tensor | None:
        """What the encoder's linear map starts from, given the dictionary; None when it is random.

        Of a time course only the activation's own bin can be tied, and of a window the last one
        where attention encodes bin by bin.
        """
        config = self.config
        of_units = config.encoder != "transformer" or config.attention == "latent"
        if config.initialisation != "tied" or not self.same_units or not of_units:
            return None
        if isinstance(self.decoder, Convolution):
            return functional.normalize(rows.detach()[:, : self.n_targets], dim=1)
        if config.encoder == "transformer":
            return functional.normalize(rows.detach()[:, -self.n_targets :], dim=1)
        return rows.detach() if self.n_decoded == self.window else None

    def features(
        self, weights: Weights, y: Float[Tensor, "bin lag unit"]
    ) -> Float[Tensor, "shared row feature"]:
        """What the last linear map of the encoder sees; rows are bins, or bins of windows."""
        if isinstance(self.decoder, Convolution):
            y = y.reshape(-1, 1, y.shape[2])
        return self.encoder.features(weights, y)

    def decode(
        self, weights: Weights, activation: Table, n_bins: int
    ) -> Float[Tensor, "model bin value"]:
        """Activations of the first latents (all, or those of a level) → the target."""
        matrix = self.decoder.matrix(weights[DICTIONARY][:, : activation.shape[2]])
        return self.output(weights, torch.bmm(self.decoder.code(activation, n_bins), matrix))

    def output(self, weights: Weights, linear: Tensor) -> Float[Tensor, "model bin value"]:
        """Bias and output function on top of the linear part of the reconstruction."""
        return OUTPUTS[self.config.scaling[1]](linear + weights[DECODER_BIAS][:, None])

    def dispersion(self, weights: Weights) -> Tensor:
        """α of each reconstructed value, for the negative binomial."""
        return weights[DISPERSION].exp().repeat(1, self.n_decoded)

    def own(self, like: Tensor) -> PerModel:
        """The numbers of a single model, of the type and on the device of a tensor."""
        return per_model_numbers([self.config], like)


def per_model_numbers(configs: list[Config], like: Tensor) -> PerModel:
    """What models of a stack have of their own, resolved options given."""
    return PerModel(
        penalty_weight=like.new_tensor([config.penalty_weight or 0.0 for config in configs]),
        bandwidth=like.new_tensor([config.bandwidth or 1.0 for config in configs]),
    )


def of_first_latents(weights: Weights, size: int, n_latents: int) -> dict[str, Tensor]:
    """Weights that hold one number per latent, of the first latents only."""
    return {
        name: weight[:, :size]
        for name, weight in weights.items()
        if weight.ndim == 2 and weight.shape[1] == n_latents
    }


def build(config: Config, *, n_units: int, n_targets: int, same_units: bool) -> Architecture:
    """Put the parts together that fully resolved options name.

    Raises:
        BadInput: options are left open, or the attention heads do not divide the latents.
    """
    if config.n_latents is None or config.k is None:
        raise BadInput("a coder needs n_latents and k; nwbsparse.fit fills them in")
    window = config.window or 1
    convolution = config.decoder == "convolution"
    encoder: Encoder
    if config.encoder != "transformer":
        seen = 1 if convolution else window
        encoder = LinearEncoder(config.n_latents, n_units, seen)
    elif config.attention == "model":
        encoder = ModelAttention(
            config.n_latents,
            n_units,
            window,
            width=config.d_model,
            heads=config.n_heads,
            blocks=config.n_blocks,
        )
    else:
        if config.n_latents % config.n_heads:
            raise BadInput(
                f"n_latents is {config.n_latents}; attention over latents needs a multiple of "
                f"n_heads {config.n_heads}"
            )
        encoder = LatentAttention(config.n_latents, n_units, window, heads=config.n_heads)
    decoder = (
        Convolution(bins=window)
        if convolution
        else Linear(bins=window, last=config.decoded == "last")
    )
    rule = sparsifier(config.sparsifier, penalty=config.penalty)
    return Architecture(config, n_units, n_targets, same_units, encoder, rule, decoder)
