"""Held-out bins, a few thousand at a time: what was there, and what the coder makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int

from nwbsparse import names
from nwbsparse.analysis.apply.encode import normalised
from nwbsparse.binning.split import part
from nwbsparse.models.coder import SparseCoder, as_tensor
from nwbsparse.population import Population
from nwbsparse.training.bins import whole

CHUNK = 8192
"""Rows (bins, or bins of windows) that are encoded at once."""
ENTRIES = 4_000_000
"""Activations held at once: with many latents fewer rows are taken."""


@dataclass(frozen=True)
class Scored:
    """Some held-out bins in order, each beside its reconstruction by every level."""

    bins: Int[np.ndarray, " bin"]
    seen: Float[np.ndarray, "bin lag unit"]
    """What the coder sees, less what it takes for the mean (``y − b_pre``)."""
    target: Float[np.ndarray, "bin target"]
    """What was to be reconstructed, in the coder's scale; 0 where it was not observed."""
    observed: Bool[np.ndarray, "bin target"]
    predicted: Float[np.ndarray, "level bin target"]
    """0 where it was not observed."""
    pre_activation: Float[np.ndarray, "bin latent"]
    code: Float[np.ndarray, "bin code_lag latent"]
    """Activations (largest level) that the bin is reconstructed from, oldest first."""

    @property
    def activation(self) -> Float[np.ndarray, "bin latent"]:
        """Activations of the bin itself."""
        return self.code[:, -1]

    @property
    def residual(self) -> Float[np.ndarray, "bin target"]:
        """``z − ẑ`` of the largest level; 0 where it was not observed."""
        return self.target - self.predicted[-1]


def whole_bins(coder: SparseCoder, binned: xr.Dataset, split: str) -> Int[np.ndarray, " bin"]:
    """Bins of the part whose window and target stay in one segment and touch no other part."""
    reach = np.array([1 - coder.architecture.window, 0, coder.config.lag])
    reach = np.arange(reach.min(), reach.max() + 1)
    fits = whole(binned[names.SPLIT].values, binned[names.SEGMENT].values, reach=reach)
    return np.flatnonzero(part(binned, split) & fits)


def scored(
    coder: SparseCoder, binned: xr.Dataset, bins: Int[np.ndarray, " bin"]
) -> Iterator[Scored]:
    """Encode and reconstruct bins with whole windows, every bin once for all levels.

    Memory does not grow with the recording.

    Raises:
        BadInput: the units are others than the coder's, or in another order.
    """
    read, written = coder.reads(binned), coder.writes(binned)
    rows_per_bin = coder.architecture.decoder.rows_per_bin
    rows = max(1, min(CHUNK, ENTRIES // max(coder.n_latents, 1)))
    at_once = max(1, rows // max(rows_per_bin, coder.window))
    for start in range(0, len(bins), at_once):
        some = bins[start : start + at_once]
        rows_at = (some[:, None] + np.arange(1 - rows_per_bin, 1)).ravel()
        y = normalised(coder, read, rows_at)
        with torch.no_grad():
            pi = coder.pre_activation(y if coder.window > 1 else y[:, -1])
            active = [coder.activate(pi, level=level) for level in range(len(coder.levels))]
            values = [coder.decode(one).view(len(some), -1, coder.n_targets) for one in active]
        predicted = np.stack([one[:, -1].numpy() for one in values])
        code = active[-1].view(len(some), rows_per_bin, -1).numpy()
        target, observed = _target(coder, written, some)
        own = slice(rows_per_bin - 1, None, rows_per_bin)
        yield Scored(
            bins=some,
            seen=(y - coder.pre_bias)[own].numpy().astype(np.float64),
            target=target,
            observed=observed,
            predicted=np.where(observed, predicted, 0.0).astype(np.float64),
            pre_activation=pi[own].numpy(),
            code=code,
        )


def dictionary_by_lag(coder: SparseCoder) -> Float[np.ndarray, "code_lag latent target"]:
    """What each activation of :attr:`Scored.code` adds to the bin, before the output function."""
    rows = coder.weight.detach().numpy().astype(np.float64)
    if coder.architecture.decoder.rows_per_bin == 1:
        return rows[:, -1:].transpose(1, 0, 2)  # of a window, the block of its last bin
    return rows[:, ::-1].transpose(1, 0, 2)  # the oldest activation stands first


def _target(
    coder: SparseCoder, written: Population, bins: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What was to be reconstructed in these bins, and where it was observed."""
    at = bins + coder.config.lag
    z = coder.normalise_target(as_tensor(written.values(at))).numpy().astype(np.float64)
    observed = written.observed(at)
    return np.where(observed, z, 0.0), observed
