"""What training reads: counts as stored, on the device once; batches are gathered by index."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nwbsparse import names
from nwbsparse.binning.smoothing import smoothed_bins
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder, as_tensor
from nwbsparse.models.record import CoderRecord
from nwbsparse.options.config import Config
from nwbsparse.options.legality import takes_any_number
from nwbsparse.population import Population, as_read

CHECKED = 4096
"""Validation windows that a check looks at, spread evenly over all there are."""


@dataclass(frozen=True)
class Batch:
    """Some windows: what is seen and what is to be reconstructed."""

    y: Float[Tensor, "bin lag unit"]
    target: Float[Tensor, "bin value"]
    valid: Bool[Tensor, "bin value"] | None
    """Where the target was observed, and is asked for."""
    weight: float = 1.0
    """Of the reconstruction's loss: one over the share that is asked for."""


@dataclass(frozen=True)
class Windows:
    """A recording as windows, each named by the bin of its activation.

    Counts stay as they are stored (mostly one byte); nothing is copied but the current batch.
    """

    counts: Tensor
    target_counts: Tensor
    """The same tensor, unless the target is another recording."""
    valid: Tensor | None
    target_valid: Tensor | None
    seen: Tensor
    """Offsets of the bins of a window, oldest first."""
    decoded: Tensor
    """Offsets of the reconstructed bins."""
    train: Int[Tensor, " train_window"]
    validation: Int[Tensor, " validation_window"]

    def batch(self, coder: SparseCoder, index: Int[Tensor, " window"]) -> Batch:
        """Gather, densify and normalise the windows of these bins."""
        y = _gather(self.counts, index, self.seen)
        observed = None
        if self.valid is not None:
            observed = _gather(self.valid, index, self.seen)
        y = coder.normalise(y, observed)
        valid = None
        if self.target_valid is not None:
            valid = _gather(self.target_valid, index, self.decoded).flatten(1)
        if self._reconstructs_itself and not coder.record.scales_target:
            # the plain autoencoder: what is seen is what is reconstructed, unseen units and all
            return Batch(y, y.flatten(1), valid)
        target = coder.normalise_target(_gather(self.target_counts, index, self.decoded))
        return Batch(y, target.flatten(1), valid)

    @cached_property
    def _reconstructs_itself(self) -> bool:
        """Whether the very bins and units that are seen are reconstructed.

        Asked once: on a GPU the comparison of offsets would be waited for in every batch.
        """
        return self.target_counts is self.counts and torch.equal(self.seen, self.decoded)

    def checked(self) -> Int[Tensor, " window"]:
        """The validation windows of a check."""
        return evenly(self.validation, CHECKED)

    @property
    def n_bytes(self) -> int:
        held = [self.counts, self.valid, self.target_valid, self.train, self.validation]
        if self.target_counts is not self.counts:
            held.append(self.target_counts)
        return sum(tensor.nbytes for tensor in held if tensor is not None)

    def to(self, device: torch.device) -> Windows:
        """The same recording on a device; what is one tensor here is one there."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        there = {id(one): one.to(device) for one in set(own.values()) if one is not None}
        moved: dict[str, Any] = {name: there.get(id(one)) for name, one in own.items()}
        return Windows(**moved)


def evenly(index: Int[Tensor, " window"], most: int) -> Int[Tensor, " chosen"]:
    """So many of some windows at the most, evenly spaced."""
    if len(index) <= most:
        return index
    at = torch.linspace(0, len(index) - 1, most, dtype=torch.float64).round().long()
    return index[at.to(index.device)]


def rows_seen(coder: SparseCoder, y: Float[Tensor, "bin lag unit"]) -> Tensor:
    """What a coder's encoder takes of windows: bins one by one, or windows as they are."""
    return y if coder.window > 1 else y.reshape(-1, y.shape[2])


def smoothed_input(
    config: Config, binned: Any, first: int = 0, stop: int | None = None
) -> np.ndarray:
    """(bin, unit) what a coder reads of some bins: counts as they are, or smoothed over time.

    Args:
        config: its options.
        binned: the dataset as the coder reads it.
        first, stop: the bins; all of them unless said. What stands outside still has its part in them.
    """
    stop = int(binned.sizes[names.TIME]) if stop is None else stop
    if not config.smoothing:
        return np.asarray(binned[names.COUNTS][first:stop].values)
    sigma = config.smoothing / float(binned.attrs[names.BIN_WIDTH])
    return smoothed_bins(binned, first, stop, sigma, causal=config.smoothing_kernel == "causal")


def _gather(table: Tensor, index: Tensor, offsets: Tensor) -> Tensor:
    """(bin, lag, unit) of a table (time, unit)."""
    bins = index[:, None] + offsets
    return table.index_select(0, bins.flatten()).view(*bins.shape, -1)


def windows_of(record: CoderRecord, binned: Any, *, target: Any = None) -> Windows:
    """A binned recording as the windows that a coder of this record sees.

    A window belongs to a part when the bin of its activation does; it is left out when it would
    reach across a segment's edge or into another part.

    Raises:
        BadInput: not split, not finite, or a target of another length.
    """
    binned = as_read(binned, record.config.reads)
    read = record.reads(binned)
    written = record.writes(binned if target is None else target)
    same = written.data is read.data
    counts = read.values()
    target_counts = counts if same else written.values()
    check_counts(read.data, counts)
    if len(target_counts) != len(counts):
        raise BadInput(
            f"the target has {len(target_counts)} bins, the recording {len(counts)}; both must "
            "be binned on the same grid"
        )
    if not same:
        _check_finite(target_counts)
    window, decoded = _offsets(record)
    parts = np.asarray(binned[names.SPLIT].values)
    segments = np.asarray(binned[names.SEGMENT].values) if names.SEGMENT in binned.coords else None
    fits = whole(parts, segments, reach=np.concatenate([window, decoded]))
    raw, valid = as_tensor(counts), _valid(read)
    smooth = record.config.smoothing
    return Windows(
        counts=as_tensor(smoothed_input(record.config, read.data)) if smooth else raw,
        target_counts=raw if same else as_tensor(target_counts),
        valid=valid,
        target_valid=valid if same else _valid(written),
        seen=torch.from_numpy(window),
        decoded=torch.from_numpy(decoded),
        train=torch.from_numpy(np.flatnonzero(fits & (parts == names.TRAIN))),
        validation=torch.from_numpy(np.flatnonzero(fits & (parts == names.VALIDATION))),
    )


def _offsets(record: CoderRecord) -> tuple[np.ndarray, np.ndarray]:
    config = record.config
    seen = np.arange(1 - (config.window or 1), 1)
    decoded = seen if config.decoded == "all" else seen[-1:]
    return seen, decoded + config.lag


def whole(parts: np.ndarray, segments: np.ndarray | None, *, reach: np.ndarray) -> np.ndarray:
    """(time,) where a window that reaches these offsets stays in one segment and one part.

    Bins of the gaps between parts belong to no part: a window may reach into them.
    """
    n = len(parts)
    own = np.arange(n)
    fits = np.ones(n, dtype=bool)
    for offset in np.unique(reach):
        other = own + offset
        inside = (other >= 0) & (other < n)
        other = other.clip(0, n - 1)
        fits &= inside & ((parts[other] == parts) | (parts[other] == names.GAP))
        if segments is not None:
            fits &= segments[other] == segments
    return fits


def check_counts(binned: Any, counts: np.ndarray) -> None:
    """Refuse what cannot be learned from.

    Raises:
        BadInput: not split yet, no bins or units, or counts that are not finite.
    """
    if names.SPLIT not in binned.coords:
        raise BadInput("the bins were not split yet; call nwbsparse.split(binned) first")
    if counts.ndim != 2 or 0 in counts.shape:
        raise BadInput(f"counts have shape {counts.shape}; bins and units are needed")
    _check_finite(counts)


def check_loss(config: Config, values: np.ndarray) -> None:
    """Refuse values for which the loss, or what is made of them, is not defined.

    Raises:
        BadInput: a loss of counts or their roots, and values below 0.
    """
    if config.transform == "sqrt" and values.min(initial=0) < 0:
        raise BadInput(
            f"transform=sqrt is for counts, and there are values down to {values.min():.3g}; use "
            "transform=none"
        )
    if config.reads != names.EMBEDDING or takes_any_number(config.loss):
        return
    if (below := values < 0).any():
        dim = int(below.any(axis=0).argmax())
        raise BadInput(
            f"loss={config.loss} is for values of 0 and more, and the embedding goes down to "
            f"{values.min():.3g} (dim {dim} is the first below 0); use loss=mse"
        )


def _check_finite(counts: np.ndarray) -> None:
    if counts.dtype.kind == "f" and not np.isfinite(counts).all():
        bad = np.flatnonzero(~np.isfinite(counts).all(axis=1))
        raise BadInput(f"counts are not finite in {len(bad)} bins, the first is bin {bad[0]}")


def _valid(population: Population) -> Tensor | None:
    return None if population.valid is None else torch.from_numpy(population.observed())
