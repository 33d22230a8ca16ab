"""Smoothing of activity over time, never across the edge of a stretch of bins."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import convolve1d, gaussian_filter1d

from nwbsparse import names

REACH = 4.0
"""Standard deviations at which the kernel is cut."""


def stretches(data: Any) -> Int[np.ndarray, " time"]:
    """(time,) number of the stretch each bin is in: neighbours of one segment and one part.

    Smoothing, like everything that looks at several bins, stays inside a stretch: held-out bins
    must not be told by training bins, nor bins before a gap by those behind it. Of a dataset that
    was never split, stretches are segments.
    """
    n = data.sizes[names.TIME]
    new = np.zeros(n, dtype=bool)
    for name in (names.SEGMENT, names.SPLIT):
        if name in data.coords:
            new[1:] |= np.diff(np.asarray(data[name].values)) != 0
    return np.cumsum(new)


def smoothed(
    table: np.ndarray,
    stretch: Int[np.ndarray, " time"],
    sigma: float,
    *,
    valid: Bool[np.ndarray, "time unit"] | None = None,
    causal: bool = False,
) -> Float[np.ndarray, "time unit"]:
    """Activity smoothed over time with a Gaussian, as float32.

    Near the edge of a stretch, and where units were not observed, the kernel is what is left of it,
    scaled to 1. A bin in whose reach nothing was observed is 0.

    Args:
        table: (time, unit) counts or traces.
        stretch: as :func:`stretches` numbers them.
        sigma: standard deviation in bins; 0 leaves the table as it is.
        valid: where units were observed; everywhere when absent.
        causal: with the half of the Gaussian that looks back, so that no bin knows its future.
    """
    out = np.asarray(table, dtype=np.float32)
    if not sigma:
        return out
    out = out.copy() if valid is None else np.where(valid, out, np.float32(0))
    edges = np.flatnonzero(np.diff(stretch, prepend=-1, append=-1))
    for first, stop in pairwise(edges):
        there = np.ones((stop - first, 1), np.float32)
        if valid is not None:
            there = valid[first:stop].astype(np.float32)
        share = _filtered(there, sigma, causal)
        with np.errstate(invalid="ignore", divide="ignore"):
            part = _filtered(out[first:stop], sigma, causal) / share
        out[first:stop] = np.where(share > 0, part, 0)
    return out


def smoothed_bins(
    data: Any,
    first: int,
    stop: int,
    sigma: float,
    *,
    stretch: np.ndarray | None = None,
    causal: bool = False,
) -> Float[np.ndarray, "bin unit"]:
    """Bins ``first`` to ``stop`` of the smoothed counts of a Binned dataset: those of the whole.

    Only the bins in reach are read, so that a recording of any length can be gone through piece by
    piece. ``sigma`` is in bins; ``stretch`` saves finding the stretches again for every piece.
    """
    reach = int(REACH * sigma + 0.5)
    low, high = max(first - reach, 0), min(stop + reach, data.sizes[names.TIME])
    stretch = stretches(data) if stretch is None else stretch
    valid = data[names.VALID][low:high].values if names.VALID in data else None
    counts = data[names.COUNTS][low:high].values
    table = smoothed(counts, stretch[low:high], sigma, valid=valid, causal=causal)
    return table[first - low : stop - low]


def _filtered(table: np.ndarray, sigma: float, causal: bool) -> np.ndarray:
    if causal:
        reach = int(REACH * sigma + 0.5)
        weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        weights[:reach] = 0.0  # a convolution turns them around: these would be bins to come
        return convolve1d(table, weights / weights.sum(), axis=0, mode="constant")
    return gaussian_filter1d(table, sigma, axis=0, mode="constant", truncate=REACH)
