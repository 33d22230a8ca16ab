"""Smoothing and normalisation of binned activity, fitted on training bins only."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d

from nwbsparse import names
from nwbsparse.binning.split import part
from nwbsparse.errors import BadInput
from nwbsparse.schema import check, with_step

SOFT = 5.0
"""Hz added to the range in soft normalisation, so that weak units do not become loud."""


def smooth(binned: xr.Dataset, sigma: float, *, causal: bool = False) -> xr.Dataset:
    """Smooth the activity of every unit with a Gaussian, never across a gap.

    Args:
        binned: Binned dataset.
        sigma: standard deviation (s).
        causal: use the past only (half a Gaussian, so that no bin knows its future).

    Returns:
        The dataset with float32 ``counts``; edges of segments repeat their last bin, so that the
        mean is kept.

    Raises:
        BadInput: sigma is not > 0.
    """
    check(binned, names.BINNED)
    if not (np.isfinite(sigma) and sigma > 0):
        raise BadInput(f"sigma must be > 0 s; it is {sigma}")
    width = sigma / float(binned.attrs[names.BIN_WIDTH])
    counts = binned[names.COUNTS].values.astype(np.float32)
    out = np.empty_like(counts)
    segment = binned[names.SEGMENT].values
    for run in np.split(np.arange(len(counts)), np.flatnonzero(np.diff(segment)) + 1):
        out[run] = _causal(counts[run], width) if causal else _both(counts[run], width)
    made = binned.assign({names.COUNTS: ((names.TIME, names.UNIT), out)})
    return with_step(made, "smooth", {"sigma": sigma, "causal": causal})


def normalise(binned: xr.Dataset, method: str = "zscore") -> xr.Dataset:
    """Scale the activity of every unit by what it did in the training bins.

    zscore: (x − mean) / sd. minmax: (x − min) / (max − min). soft: x / (range + 5 Hz), which
    keeps weak units weak. Units that never change in training stay 0. Bins where a unit was not
    observed are not used.

    Raises:
        BadInput: not split yet, or no such method.
    """
    check(binned, names.BINNED)
    train = part(binned, "train")
    counts = binned[names.COUNTS].values.astype(np.float64)
    seen = counts[train]
    if names.VALID in binned:
        seen = np.where(binned[names.VALID].values[train], seen, np.nan)
    low, high = np.nanmin(seen, axis=0), np.nanmax(seen, axis=0)
    if method == "zscore":
        offset, scale = np.nanmean(seen, axis=0), np.nanstd(seen, axis=0)
    elif method == "minmax":
        offset, scale = low, high - low
    elif method == "soft":
        constant = SOFT * float(binned.attrs[names.BIN_WIDTH])
        offset, scale = np.zeros_like(low), high - low + constant
    else:
        raise BadInput(f"there is no normalisation '{method}'; choose zscore, minmax or soft")
    out = (counts - offset) / np.where(scale > 0, scale, 1.0)
    out[:, high == low] = 0.0
    made = binned.assign({names.COUNTS: ((names.TIME, names.UNIT), out.astype(np.float32))})
    return with_step(made, "normalise", {"method": method})


def _both(values: np.ndarray, width: float) -> np.ndarray:
    return gaussian_filter1d(values, width, axis=0, mode="nearest")


def _causal(values: np.ndarray, width: float) -> np.ndarray:
    reach = int(np.ceil(4 * width))
    weights = np.exp(-0.5 * (np.arange(reach + 1) / width) ** 2)
    weights /= weights.sum()
    padded = np.concatenate([np.repeat(values[:1], reach, axis=0), values])
    out = np.zeros_like(values)
    for lag, weight in enumerate(weights):
        out += np.float32(weight) * padded[reach - lag : reach - lag + len(values)]
    return out
