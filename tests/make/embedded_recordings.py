"""Recordings with an embedding for tests: a few random directions of their counts."""

from __future__ import annotations

import numpy as np
import xarray as xr

import nwbsparse as ns

WIDTH = 0.1
N_DIMS = 5
QUICK = {"bin_width": WIDTH, "max_epochs": 4, "batch_size": 100, "n_shifts": 50}
"""Options of a quick run."""


def projected(binned: xr.Dataset, *, n_dims: int = N_DIMS, seed: int = 0) -> np.ndarray:
    """(time, dim) float32: what a method that is linear makes of the counts."""
    directions = np.random.default_rng(seed).standard_normal((binned.sizes["unit"], n_dims))
    return (binned["counts"].values.astype(float) @ directions).astype(np.float32)


def embedded(path, *, n_dims: int = N_DIMS, **options) -> xr.Dataset:
    """A recording binned, split, and with an embedding."""
    binned = ns.split(ns.to_bins(ns.read(str(path)), WIDTH))
    values = projected(binned, n_dims=n_dims)
    return ns.with_embedding(binned, values, method="projection", **options)
