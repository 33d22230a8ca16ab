"""Populations in which units share something or nothing, and coders that know it, for hidden units."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from make.sessions import make_binned
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import CoderRecord
from nwbsparse.options.config import Config

N_UNITS, N_EVENTS = 24, 4


def patterns() -> np.ndarray:
    """(event, unit): four assemblies of six units each."""
    return np.kron(np.eye(N_EVENTS), np.ones((1, N_UNITS // N_EVENTS)))


def shared(n_bins: int = 4000, *, seed: int = 0) -> np.ndarray:
    """Counts of assemblies that are active in a tenth of the bins."""
    rng = np.random.default_rng(seed)
    events = rng.random((n_bins, N_EVENTS)) < 0.1
    return rng.poisson(0.2 + 1.5 * events @ patterns()).astype(np.uint8)


def independent(n_bins: int = 4000, *, seed: int = 0) -> np.ndarray:
    """Counts as frequent as those of ``shared``, each unit by itself."""
    rng = np.random.default_rng(seed)
    events = rng.random((n_bins, N_UNITS)) < 0.1
    return rng.poisson(0.2 + 1.5 * events).astype(np.uint8)


def scaled_coder(data: Any, rows: np.ndarray, *, gain: float, bias: float = 0.0) -> SparseCoder:
    """A coder with these rows, scaled as training scales the recipe's: nothing was trained.

    It activates a latent by ``gain`` times its row's match, and decodes that onto the units' mean.
    """
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    config = Config(
        n_latents=len(rows), k=len(rows), normalisation="scaled", output="identity", smoothing=0.0
    )
    ids = tuple(str(one) for one in data["unit_id"].values)
    coder = SparseCoder(CoderRecord(config, ids, bin_width=0.1))
    train = data["counts"].values[data["split"].values == 0].astype(np.float64)
    sd = np.maximum(train.std(axis=0), 1e-6)
    with torch.no_grad():
        coder.offset.copy_(torch.from_numpy(train.mean(axis=0)))
        coder.scale.copy_(torch.from_numpy(sd))
        coder.target_scale.copy_(torch.from_numpy(sd))
        coder.dictionary.copy_(torch.from_numpy(rows))
        weight = torch.from_numpy(gain * rows).to(coder.encoder_weight.dtype)
        coder.encoder_weight.copy_(weight.view(coder.encoder_weight.shape))
        coder.encoder_bias.fill_(bias)
        # what is decoded on average is taken off, so that units stand at their mean
        z = (train - train.mean(axis=0)) / sd
        mean = np.maximum(gain * z @ rows.T + bias, 0).mean(axis=0) @ rows
        coder.decoder_bias.copy_(torch.from_numpy(train.mean(axis=0) / sd - mean))
    return coder.eval()


def knowing(data: Any) -> SparseCoder:
    """One latent per assembly."""
    return scaled_coder(data, patterns(), gain=0.6, bias=-0.5)


def copying(data: Any) -> SparseCoder:
    """Two latents per unit, above and below its mean: it reconstructs everything."""
    unit = np.eye(data.sizes["unit"])
    return scaled_coder(data, np.concatenate([unit, -unit]), gain=1.0)


def two_sessions(n_bins: int = 3000) -> Any:
    """Two sessions of other units behind one another, none observed while the other's are."""
    n = N_UNITS
    counts = np.zeros((2 * n_bins, 2 * n), np.uint8)
    valid = np.zeros(counts.shape, bool)
    for at in (0, 1):
        own = slice(at * n_bins, (at + 1) * n_bins), slice(at * n, (at + 1) * n)
        counts[own], valid[own] = shared(n_bins, seed=at), True
    return make_binned(counts, valid=valid, test=0.3)
