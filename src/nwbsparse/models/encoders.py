"""What turns counts into pre-activations: a linear map, or attention over several bins.

Every weight has a leading model dimension, so that coders of one shape run as one batched module
(a single coder is a stack of one). An encoder returns pre-activations; the sparsifier owns the
nonlinearity.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Weights = Mapping[str, Tensor]

WEIGHT, BIAS = "encoder_weight", "encoder_bias"


class Encoder(ABC):
    """Maps windows of the population to pre-activations ``features @ weightᵀ + bias``."""

    sparse: bool
    """Whether the pre-activation is exactly that linear map of the features, so that its gradient
    is needed at selected entries only."""

    @abstractmethod
    def initial(self, tied: Tensor | None, generator: torch.Generator) -> dict[str, Tensor]:
        """Weights of one model before training; ``tied`` is what the linear map starts from."""

    @abstractmethod
    def features(
        self, weights: Weights, y: Float[Tensor, "bin lag unit"]
    ) -> Float[Tensor, "shared row feature"]:
        """What the last linear map sees; a model dimension of 1 where all models see the same."""

    def pre_activation(
        self,
        weights: Weights,
        features: Float[Tensor, "shared row feature"],
        *,
        out: Tensor | None = None,
    ) -> Float[Tensor, "model row latent"]:
        """``π``: pre-activations of every latent; written to ``out`` where no gradient is needed."""
        return linear(features, weights[WEIGHT], weights[BIAS], out=out)

    def own_bin(self, features: Tensor) -> Float[Tensor, "shared row feature"]:
        """The features that ``encoder_weight`` is multiplied with, of the activation's own bin."""
        return features


def linear(
    features: Float[Tensor, "shared row feature"],
    weight: Float[Tensor, "model latent feature"],
    bias: Float[Tensor, "model latent"],
    *,
    out: Tensor | None = None,
) -> Float[Tensor, "model row latent"]:
    """``x Wᵀ + b`` of every model."""
    if len(weight) == 1 and len(features) == 1:
        one = None if out is None else out[0]
        return torch.addmm(bias[0], features[0], weight[0].t(), out=one)[None]
    x = features.expand(len(weight), -1, -1)
    return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2), out=out)


def fan_in(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Gaussian weights whose products have unit variance."""
    return torch.randn(shape, generator=generator) / math.sqrt(shape[-1])


class LinearEncoder(Encoder):
    """``π = W (y − b_pre) + b_enc``: y is one bin, or all bins of a window after each other."""

    sparse = True

    def __init__(self, n_latents: int, n_units: int, window: int) -> None:
        self.n_latents = n_latents
        self.n_features = n_units * window

    def initial(self, tied: Tensor | None, generator: torch.Generator) -> dict[str, Tensor]:
        # tied: latents begin as detectors of what they write (Gao et al. 2024)
        shape = (self.n_latents, self.n_features)
        weight = fan_in(shape, generator) if tied is None else tied.clone()
        return {WEIGHT: weight, BIAS: torch.zeros(self.n_latents)}

    def features(
        self, weights: Weights, y: Float[Tensor, "bin lag unit"]
    ) -> Float[Tensor, "shared row feature"]:
        return y.reshape(1, -1, self.n_features)


class ModelAttention(Encoder):
    """A transformer before the latents: units → model space, causal attention, last bin → latents.

    Pre-LN blocks with a GELU MLP and learned positions (NLDisco 1.0's code; Bhagat et al. 2025,
    section 4.2).
    """

    sparse = True

    def __init__(
        self, n_latents: int, n_units: int, window: int, *, width: int, heads: int, blocks: int
    ) -> None:
        self.n_latents, self.n_units, self.window = n_latents, n_units, window
        self.width, self.heads, self.blocks = width, heads, blocks

    def initial(self, tied: Tensor | None, generator: torch.Generator) -> dict[str, Tensor]:
        width, made = self.width, {}
        made["in_weight"] = fan_in((width, self.n_units), generator)
        made["in_bias"] = torch.zeros(width)
        made["position"] = 0.02 * torch.randn(self.window, width, generator=generator)
        for block in range(self.blocks):
            made |= {
                f"block{block}_norm1": torch.ones(width),
                f"block{block}_qkv": fan_in((3 * width, width), generator),
                f"block{block}_out": fan_in((width, width), generator),
                f"block{block}_norm2": torch.ones(width),
                f"block{block}_up": fan_in((4 * width, width), generator),
                f"block{block}_up_bias": torch.zeros(4 * width),
                f"block{block}_down": fan_in((width, 4 * width), generator),
                f"block{block}_down_bias": torch.zeros(width),
            }
        made["norm"] = torch.ones(width)
        made[WEIGHT] = fan_in((self.n_latents, width), generator)
        made[BIAS] = torch.zeros(self.n_latents)
        return made

    def features(
        self, weights: Weights, y: Float[Tensor, "bin lag unit"]
    ) -> Float[Tensor, "shared row feature"]:
        bins, window, _ = y.shape
        models = len(weights["in_weight"])
        h = linear(y.reshape(1, bins * window, -1), weights["in_weight"], weights["in_bias"])
        h = h.view(models, bins, window, self.width) + weights["position"][:, None]
        for block in range(self.blocks):
            named = {
                key.removeprefix(f"block{block}_"): weights[key]
                for key in weights
                if key.startswith(f"block{block}_")
            }
            inside = _normed(h, named["norm1"])
            h = h + self_attention(inside, named["qkv"], named["out"], self.heads)
            inside = _normed(h, named["norm2"]).reshape(models, bins * window, self.width)
            inside = functional.gelu(linear(inside, named["up"], named["up_bias"]))
            h = h + linear(inside, named["down"], named["down_bias"]).view_as(h)
        return _normed(h[:, :, -1], weights["norm"])


class LatentAttention(Encoder):
    """Attention over the latents of each bin, one block (Bhagat et al. 2025, Algorithm 1).

    Every bin of the window is encoded with the same linear map; causal self-attention runs over
    that sequence of pre-activations, and what it says about the last bin is added to that bin's
    own. The ReLU of line 16 is the sparsifier's.
    """

    sparse = False

    def __init__(self, n_latents: int, n_units: int, window: int, *, heads: int) -> None:
        self.head = LinearEncoder(n_latents, n_units, 1)
        self.n_latents, self.window, self.heads = n_latents, window, heads

    def initial(self, tied: Tensor | None, generator: torch.Generator) -> dict[str, Tensor]:
        n = self.n_latents
        return self.head.initial(tied, generator) | {
            "position": 0.02 * torch.randn(self.window, n, generator=generator),
            "norm1": torch.ones(n),
            "qkv": fan_in((3 * n, n), generator),
            "out": 0.1 * fan_in((n, n), generator),
        }

    def features(
        self, weights: Weights, y: Float[Tensor, "bin lag unit"]
    ) -> Float[Tensor, "shared row feature"]:
        return y.reshape(1, len(y), -1)

    def pre_activation(
        self, weights: Weights, features: Float[Tensor, "shared row feature"]
    ) -> Float[Tensor, "model row latent"]:
        models, bins = len(weights[WEIGHT]), features.shape[1]
        y = features.reshape(1, bins * self.window, -1)
        h = self.head.pre_activation(weights, y).view(models, bins, self.window, -1)
        inside = _normed(h + weights["position"][:, None], weights["norm1"])
        attended = self_attention(inside, weights["qkv"], weights["out"], self.heads)
        return (h + attended)[:, :, -1]

    def own_bin(self, features: Tensor) -> Float[Tensor, "shared row feature"]:
        return features[:, :, -self.head.n_features :]


def self_attention(
    h: Float[Tensor, "model bin lag width"],
    qkv: Float[Tensor, "model three_widths width"],
    out: Float[Tensor, "model width width"],
    heads: int,
) -> Float[Tensor, "model bin lag width"]:
    """Causal multi-head attention of each bin of a window to itself and the bins before it."""
    models, bins, window, width = h.shape
    flat = h.reshape(models, bins * window, width)
    made = torch.bmm(flat, qkv.transpose(1, 2)).view(models, bins, window, 3, heads, -1)
    query, key, value = made.permute(3, 0, 1, 4, 2, 5).flatten(1, 2)
    seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    seen = seen.view(models, bins, heads, window, -1).transpose(2, 3).reshape(flat.shape)
    return torch.bmm(seen, out.transpose(1, 2)).view(h.shape)


def _normed(h: Tensor, gain: Float[Tensor, "model width"]) -> Tensor:
    """Layer norm over the last dimension, with a gain per model."""
    shape = (len(gain),) + (1,) * (h.ndim - 2) + (gain.shape[1],)
    return functional.layer_norm(h, h.shape[-1:]) * gain.view(shape)
