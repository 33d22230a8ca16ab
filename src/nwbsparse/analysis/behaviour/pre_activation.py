"""How well pre-activations tell conditions apart: what the choice of the largest throws away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float
from scipy.stats import rankdata

from nwbsparse.analysis.apply.encode import normalised
from nwbsparse.analysis.apply.heldout import whole_bins
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.behaviour.conditions import auroc
from nwbsparse.models.coder import SparseCoder

VALUES = 50_000_000
"""Pre-activations held at once: with many latents evenly spaced bins are looked at."""
CHUNK = 4096


def pre_activation_auroc(
    coder: SparseCoder, binned: xr.Dataset, variables: Sequence[Coded]
) -> Float[np.ndarray, "latent condition"]:
    """AUROC of each latent's pre-activation for each condition, on held-out bins.

    An activation is zero in most bins, so its AUROC stays near 0.5 for a latent that is rarely
    chosen; the pre-activation says what its direction alone could tell. Ties count half. "Outside"
    are the bins in which the variable is known but has another value.

    Args:
        coder: a trained coder.
        binned: the split Binned dataset.
        variables: whose conditions; columns follow their labels.

    Returns:
        NaN where a condition does not occur or fills everything. Of more than 50 million values
        evenly spaced bins are used.
    """
    bins = whole_bins(coder, binned, "test")
    bins = bins[:: max(1, -(-len(bins) * coder.n_latents // VALUES))]
    table = _pre_activations(coder, binned, bins)
    everywhere = None
    columns = [np.empty((coder.n_latents, 0))]
    for variable in variables:
        codes = variable.codes[bins]
        known = codes >= 0
        if known.all():
            everywhere = rankdata(table, axis=0) if everywhere is None else everywhere
            ranks = everywhere
        else:
            ranks = rankdata(table[known], axis=0) if known.any() else table[:0]
        inside = codes[known][:, None] == np.arange(variable.size)
        sums = ranks.T @ inside.astype(np.float64)
        columns.append(auroc(sums, inside.sum(axis=0), int(known.sum())))
    return np.concatenate(columns, axis=1)


@torch.no_grad()
def _pre_activations(
    coder: SparseCoder, binned: xr.Dataset, bins: np.ndarray
) -> Float[np.ndarray, "bin latent"]:
    read = coder.reads(binned)
    made = np.empty((len(bins), coder.n_latents), dtype=np.float32)
    for start in range(0, len(bins), CHUNK):
        y = normalised(coder, read, bins[start : start + CHUNK])
        made[start : start + len(y)] = coder.pre_activation(y).numpy()
    return made
