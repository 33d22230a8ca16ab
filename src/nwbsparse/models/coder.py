"""SparseCoder: counts in, sparse latents out, counts back again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from nwbsparse.config import Config, parse_levels
from nwbsparse.errors import BadInput
from nwbsparse.models.sparsifiers import threshold_activation

OUTPUTS = {"identity": lambda x: x, "relu": functional.relu, "softplus": functional.softplus}


@dataclass(frozen=True)
class CoderRecord:
    """What a coder must carry to be used again: its options, its units and how it was trained."""

    config: Config
    """Fully resolved: nothing left to be chosen."""
    unit_ids: tuple[str, ...]
    bin_width: float
    """s."""
    source_sha256: str = ""
    history: tuple[dict[str, Any], ...] = ()
    """One row per validation check of the training."""
    software: dict[str, str] = field(default_factory=dict)

    @property
    def unit_hash(self) -> str:
        """Changes when the units are others or in another order."""
        return hashlib.sha256(json.dumps(self.unit_ids).encode()).hexdigest()


class SparseCoder(nn.Module):
    """An autoencoder whose middle is sparse: ``latents = sparsify(W (y − b_pre) + b_enc)``.

    ``y`` are counts, normalised with the mean and standard deviation of the training bins when
    the options say so. Rows of ``dictionary`` have unit length; level ``l`` uses its first
    ``sizes[l]`` rows (Matryoshka). Thresholds are per level, in float32.
    """

    offset: Tensor
    scale: Tensor
    pre_bias: Tensor
    threshold: Tensor

    def __init__(self, record: CoderRecord, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.record = record
        config, n_units = record.config, len(record.unit_ids)
        if config.n_latents is None or config.k is None:
            raise BadInput("a coder needs n_latents and k; nwbsparse.fit fills them in")
        rows = torch.randn(config.n_latents, n_units, generator=generator)
        rows = functional.normalize(rows, dim=1)
        self.dictionary = nn.Parameter(rows)
        # tied at the start: latents begin as detectors of what they write (models.md, "Decoders")
        self.encoder_weight = nn.Parameter(rows.clone())
        self.encoder_bias = nn.Parameter(torch.zeros(config.n_latents))
        self.decoder_bias = nn.Parameter(torch.zeros(n_units))
        self.register_buffer("offset", torch.zeros(n_units))
        self.register_buffer("scale", torch.ones(n_units))
        self.register_buffer("pre_bias", torch.zeros(n_units))
        self.register_buffer("threshold", torch.zeros(len(self.levels)))

    @property
    def config(self) -> Config:
        return self.record.config

    @property
    def levels(self) -> list[tuple[int, int]]:
        """(number of latents, k) of each Matryoshka level, growing; one level when none was asked."""
        config = self.record.config
        return parse_levels(config.levels) or [(config.n_latents or 0, config.k or 0)]

    @property
    def n_latents(self) -> int:
        return self.dictionary.shape[0]

    @property
    def n_units(self) -> int:
        return self.dictionary.shape[1]

    @property
    def level_of_latent(self) -> list[int]:
        """The smallest level each latent belongs to."""
        sizes = [size for size, _ in self.levels]
        return [
            next(i for i, size in enumerate(sizes) if row < size) for row in range(self.n_latents)
        ]

    @property
    def id(self) -> str:
        """A short name that changes with any weight, threshold, unit, level or scaling."""
        # only what changes activations or reconstructions, and no names of options: an option that
        # a later version adds must not change the id of a coder that was stored before
        words = [self.record.unit_hash, self.record.bin_width, self.levels, self.config.target]
        digest = hashlib.sha256(json.dumps(words).encode())
        for name, tensor in sorted(self.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def normalise(
        self, counts: Tensor, valid: Bool[Tensor, "bin unit"] | None = None
    ) -> Float[Tensor, "bin unit"]:
        """Counts as the coder sees them; a unit that was not observed stands at its mean."""
        y = (counts.to(self.scale.dtype) - self.offset) / self.scale
        return y if valid is None else torch.where(valid, y, self.pre_bias)

    def pre_activation(self, y: Float[Tensor, "bin unit"]) -> Float[Tensor, "bin latent"]:
        """``π = W (y − b_pre) + b_enc``."""
        return functional.linear(y - self.pre_bias, self.encoder_weight, self.encoder_bias)

    def activate(
        self, pre_activation: Float[Tensor, "bin latent"], *, level: int = -1
    ) -> Float[Tensor, "bin level_latent"]:
        """Activations of one level under the inference rule."""
        size, _ = self.levels[level]
        return threshold_activation(pre_activation[:, :size], self.threshold[level])

    def decode(self, activation: Float[Tensor, "bin level_latent"]) -> Float[Tensor, "bin unit"]:
        """Activations of a level → the normalised population."""
        rows = self.dictionary[: activation.shape[1]]
        return OUTPUTS[self.output](activation @ rows + self.decoder_bias)

    @property
    def output(self) -> str:
        return self.config.target[1]

    @torch.no_grad()
    def forward(self, counts: Tensor, valid: Bool[Tensor, "bin unit"] | None = None) -> Tensor:
        """Counts (bin, unit) → activations (bin, latent) of the largest level."""
        return self.activate(self.pre_activation(self.normalise(counts, valid)))

    @torch.no_grad()
    def renormalise(self) -> None:
        """Give every dictionary row unit length."""
        self.dictionary.copy_(functional.normalize(self.dictionary, dim=1))

    @torch.no_grad()
    def drop_parallel_gradient(self) -> None:
        """Remove the part of the dictionary's gradient that renormalising would undo."""
        grad = self.dictionary.grad
        if grad is not None:
            grad -= (grad * self.dictionary).sum(dim=1, keepdim=True) * self.dictionary

    def check_units(self, unit_ids: Iterable[object]) -> None:
        """Refuse data whose units are others than those the coder was trained on, or reordered."""
        given = tuple(str(unit_id) for unit_id in unit_ids)
        if given == self.record.unit_ids:
            return
        ours = set(self.record.unit_ids)
        if set(given) == ours and len(given) == len(self.record.unit_ids):
            raise BadInput("the units are those of the coder but in another order; reorder them")
        raise BadInput(
            f"the coder was trained on {len(ours)} units, the data hold {len(given)}, of which "
            f"{len(ours.intersection(given))} are the same; bin the recording with the coder's units"
        )


def as_tensor(counts: object) -> UInt8[Tensor, "bin unit"] | Tensor:
    """Counts of any integer or float type as a tensor that torch can index.

    torch has no arithmetic on uint16 and uint32, so those become int32; values stay the same.
    """
    import numpy as np

    array = np.ascontiguousarray(counts)
    if array.dtype in (np.uint16, np.uint32, np.uint64):
        array = array.astype(np.int32)
    return torch.from_numpy(array if array.flags.writeable else array.copy())
