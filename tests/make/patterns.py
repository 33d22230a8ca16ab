"""A population in which a few groups of units are active together, with what was planted."""

from __future__ import annotations

import numpy as np
import xarray as xr

from make.sessions import make_binned
from nwbsparse.options.config import Config

N_UNITS, N_PATTERNS = 24, 4


def planted_patterns(
    n_bins: int = 6000, *, n_units: int = N_UNITS, seed: int = 0
) -> tuple[xr.Dataset, np.ndarray]:
    """Counts in 0.1-s bins, split; and (pattern, unit) rates. Each unit has one pattern of four."""
    rng = np.random.default_rng(seed)
    patterns = np.zeros((N_PATTERNS, n_units))
    for unit in range(n_units):
        patterns[unit % N_PATTERNS, unit] = rng.uniform(1.0, 2.0)
    rates = 0.1 + (rng.random((n_bins, N_PATTERNS)) < 0.08) @ patterns
    return make_binned(rng.poisson(rates).astype(np.uint8)), patterns


def shifted_apart(data: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
    """The same counts, each unit moved in time by itself: nothing is shared any more."""
    rng = np.random.default_rng(seed)
    counts = data["counts"].values
    moved = [np.roll(column, rng.integers(100, len(counts))) for column in counts.T]
    return data.assign(counts=(("time", "unit"), np.stack(moved, axis=1)))


def masked_config(**options: object) -> Config:
    """A small consensus of hidden-unit coders in which nothing is left to be chosen."""
    settled = {
        "smoothing": 0.0, "mask": 0.25, "choose": "none", "seeds": 4, "replicates": 2,
        "n_latents": 8, "k": 2, "batch_size": 512,
    }  # fmt: skip
    return Config(**settled | options)


def consensus_config(**options: object) -> Config:
    """The default with everything left open, but for what a test says."""
    return Config(**options)
