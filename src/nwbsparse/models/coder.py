"""SparseCoder: counts in, sparse latents out, counts back again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from nwbsparse.models.architecture import Architecture, build, of_first_latents
from nwbsparse.models.decoders import Convolution
from nwbsparse.models.record import CoderRecord
from nwbsparse.options.config import Config
from nwbsparse.options.facts import facts_of
from nwbsparse.population import Population

DTYPES = {"float32": torch.float32, "bfloat16": torch.float32, "float64": torch.float64}
"""precision → type of the weights; under bfloat16 only the products are short."""

NO_PART = 1e30
"""The scale of a unit that takes no part: it is read, and to be reconstructed, as nothing."""


class SparseCoder(nn.Module):
    """An autoencoder whose middle is sparse: ``latents = sparsifier(encoder(y − b_pre))``.

    ``y`` are counts, smoothed and normalised with the mean and standard deviation of the training
    bins when the options say so; what is reconstructed may be scaled otherwise than what is read.
    Rows of ``dictionary`` (latent, lag · target unit) have unit length unless the options free
    them; level ``l`` uses the first ``levels[l]`` rows (Matryoshka). Thresholds are per level, in
    float32.
    """

    dictionary: Tensor
    decoder_bias: Tensor
    encoder_weight: Tensor
    encoder_bias: Tensor
    offset: Tensor
    scale: Tensor
    target_offset: Tensor
    target_scale: Tensor
    pre_bias: Tensor
    threshold: Tensor

    def __init__(self, record: CoderRecord, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.record = record
        n_units, n_targets = len(record.unit_ids), len(record.targets)
        self.architecture: Architecture = build(
            record.config, n_units=n_units, n_targets=n_targets, same_units=not record.apart
        )
        dtype = DTYPES[record.config.precision]
        made = self.architecture.initial(generator or torch.Generator().manual_seed(0))
        for name, tensor in made.items():
            self.register_parameter(name, nn.Parameter(tensor.to(dtype)))
        buffers = {
            "offset": torch.zeros(n_units),
            "scale": torch.ones(n_units),
            "pre_bias": torch.zeros(n_units),
        }
        if record.scales_target:
            buffers |= {
                "target_offset": torch.zeros(n_targets),
                "target_scale": torch.ones(n_targets),
            }
        for name, tensor in buffers.items():
            self.register_buffer(name, tensor.to(dtype))
        self.register_buffer("threshold", torch.zeros(len(self.levels)))

    @property
    def config(self) -> Config:
        return self.record.config

    @property
    def levels(self) -> list[tuple[int, int]]:
        """(number of latents, k) of each Matryoshka level, growing; one level when none was asked."""
        return self.record.config.level_sizes

    @property
    def n_latents(self) -> int:
        return self.dictionary.shape[0]

    @property
    def n_units(self) -> int:
        """Units that are encoded."""
        return self.offset.shape[0]

    @property
    def n_targets(self) -> int:
        """Units that are reconstructed."""
        return len(self.record.targets)

    @property
    def window(self) -> int:
        """Bins that the encoder sees at once, the last being the activation's own."""
        return 1 if isinstance(self.architecture.decoder, Convolution) else self.architecture.window

    @property
    def lags(self) -> list[int]:
        """Bin of each block of a dictionary row, relative to the bin of the activation."""
        return [lag + self.config.lag for lag in self.architecture.decoder.lags]

    @property
    def weight(self) -> Float[Tensor, "latent lag unit"]:
        """The dictionary with its lags apart."""
        return self.dictionary.view(self.n_latents, len(self.lags), self.n_targets)

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
        # only what changes activations or reconstructions, and an option only where it is not what
        # it always was: one that a later version adds must not change the id of a stored coder
        words = [self.record.unit_hash, self.record.bin_width, self.levels, self.config.scaling]
        words += [
            [name, getattr(self.config, name)]
            for name, facts in facts_of(self.config)
            if facts.shapes_unless is not None
            and getattr(self.config, name) not in (None, facts.shapes_unless)
        ]
        digest = hashlib.sha256(json.dumps(words).encode())
        for name, tensor in sorted(self.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def reads(self, binned: object) -> Population:
        """What the coder reads of a Binned dataset: its units (or dims) in its order.

        Raises:
            BadInput: the units are others than the coder's, or in another order.
        """
        return self.record.reads(binned)

    def writes(self, binned: object) -> Population:
        """What the coder reconstructs of a Binned dataset: what it reads, or other units.

        Raises:
            BadInput: the units are others than the coder's, or in another order.
        """
        return self.record.writes(binned)

    @property
    def model_id(self) -> str:
        """The same for all parts of a coder of several sessions; for any other coder its id."""
        return self.record.model_id or self.id

    def normalise(
        self, counts: Tensor, valid: Bool[Tensor, "*bin unit"] | None = None
    ) -> Float[Tensor, "*bin unit"]:
        """Counts as the coder sees them; a unit that was not observed stands at its mean."""
        y = self._scaled(counts, self.offset, self.scale)
        return y if valid is None else torch.where(valid, y, self.pre_bias)

    def normalise_target(self, counts: Tensor) -> Float[Tensor, "*bin unit"]:
        """Counts of the target units in the scale in which they are reconstructed."""
        return self._scaled(counts, *self.target_scaling)

    @property
    def target_scaling(self) -> tuple[Float[Tensor, " unit"], Float[Tensor, " unit"]]:
        """Offset and scale of what is reconstructed, where it has its own; else those of what is read."""
        if self.record.scales_target:
            return self.target_offset, self.target_scale
        return self.offset, self.scale

    def _scaled(self, counts: Tensor, offset: Tensor, scale: Tensor) -> Tensor:
        scaled = (transformed(counts.to(scale.dtype), self.config) - offset) / scale
        if self.config.normalisation != "scaled":
            return scaled
        return torch.where(scale < NO_PART, scaled, 0.0)  # a little would do: Adam makes it much

    def counts_of(self, reconstruction: Float[Tensor, "*bin unit"]) -> Float[Tensor, "*bin unit"]:
        """What was reconstructed, in counts (or whatever was read) per bin."""
        offset, scale = self.target_scaling
        made = reconstruction * scale + offset
        return made.clamp(min=0).square() if self.config.transform == "sqrt" else made

    def pre_activation(self, y: Float[Tensor, "bin *lag unit"]) -> Float[Tensor, "bin latent"]:
        """``π``: from single bins (bin, unit), or from windows (bin, lag, unit)."""
        windows = y - self.pre_bias
        if windows.ndim == 2:
            windows = windows[:, None]
        weights = self._weights()
        features = self.architecture.encoder.features(weights, windows)
        return self.architecture.encoder.pre_activation(weights, features)[0]

    def activate(
        self, pre_activation: Float[Tensor, "bin latent"], *, level: int = -1
    ) -> Float[Tensor, "bin level_latent"]:
        """Activations of one level under the inference rule."""
        size, k = self.levels[level]
        nested = self.config.nesting == "nested"
        seen = pre_activation if nested else pre_activation[:, :size]
        sparsifier = self.architecture.sparsifier
        threshold = self.threshold[-1 if nested else level].view(1)
        own = self.architecture.own(pre_activation)
        of_latents = of_first_latents(self._weights(), seen.shape[1], self.n_latents)
        return sparsifier.infer(seen[None], of_latents, own, k=k, threshold=threshold)[0][:, :size]

    def decode(self, activation: Float[Tensor, "row level_latent"]) -> Float[Tensor, "bin value"]:
        """Activations of a level → the normalised population, lag after lag.

        A decoder with time courses takes the rows of whole windows, oldest bin first, after each
        other, and gives the last bin of each.
        """
        n_bins = len(activation) // self.architecture.decoder.rows_per_bin
        return self.architecture.decode(self._weights(), activation[None], n_bins)[0]

    @property
    def output(self) -> str:
        return self.config.scaling[1]

    @torch.no_grad()
    def forward(self, counts: Tensor, valid: Bool[Tensor, "*bin unit"] | None = None) -> Tensor:
        """Counts (bin, unit), or windows (bin, lag, unit) → activations (bin, latent)."""
        return self.activate(self.pre_activation(self.normalise(counts, valid)))

    @torch.no_grad()
    def renormalise(self) -> None:
        """Give every dictionary row unit length."""
        self.dictionary.copy_(functional.normalize(self.dictionary, dim=1))

    def check_units(self, unit_ids: Iterable[object]) -> None:
        """Refuse data whose units are others than those the coder was trained on, or reordered."""
        self.record.check_units(unit_ids)

    def _weights(self) -> dict[str, Tensor]:
        return {name: parameter[None] for name, parameter in self.named_parameters()}


def transformed(counts: Any, config: Config) -> Any:
    """Counts, or their square roots where the options say so."""
    return counts**0.5 if config.transform == "sqrt" else counts


def as_tensor(counts: object) -> UInt8[Tensor, "bin unit"] | Tensor:
    """Counts of any integer or float type as a tensor that torch can index.

    torch has no arithmetic on uint16 and uint32, so those become int32; values stay the same.
    """
    array = np.ascontiguousarray(counts)
    if array.dtype in (np.uint16, np.uint32, np.uint64):
        array = array.astype(np.int32)
    return torch.from_numpy(array if array.flags.writeable else array.copy())
