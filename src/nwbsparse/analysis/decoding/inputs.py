"""What behaviour is decoded from: counts, smoothed counts, latents, PCA, an embedding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.encode import dense
from nwbsparse.analysis.statistics.components import principal_components
from nwbsparse.binning.split import part
from nwbsparse.errors import BadInput, unknown

COUNTS, SMOOTHED, LATENTS, BEST_LATENT, PCA_INPUT, EMBEDDING = (
    "counts", "smoothed", "latents", "best_latent", "pca", "embedding",
)  # fmt: skip
INPUTS = (COUNTS, SMOOTHED, LATENTS, BEST_LATENT, PCA_INPUT, EMBEDDING)
GIVEN = {LATENTS: LATENTS, BEST_LATENT: LATENTS, EMBEDDING: EMBEDDING}
"""input → what must be given for it."""


@dataclass(frozen=True)
class Inputs:
    """Tables (time, dim) by name, and the bins in which all of them can be used."""

    tables: dict[str, np.ndarray]
    """``best_latent`` is the table of all latents: one of them is chosen per target."""
    usable: np.ndarray
    """(time,) bool."""


def make_inputs(
    data: xr.Dataset,
    wanted: Sequence[str],
    *,
    latents: xr.Dataset | None,
    embedding: Any,
    smooth_bins: int,
) -> Inputs:
    """The asked inputs over all bins; PCA and its scaling are fitted on training bins alone.

    Raises:
        BadInput: an unknown input, one that was not given, or one of another length.
    """
    n = data.sizes[names.TIME]
    counts = _observed(data)
    usable = np.ones(n, dtype=bool)
    tables: dict[str, np.ndarray] = {}
    given = {LATENTS: _latents(latents, n), EMBEDDING: _embedding(embedding, n)}
    for name in wanted:
        if name not in INPUTS:
            raise unknown(name, INPUTS, what="input")
        if name in GIVEN:
            table = given[GIVEN[name]]
            if table is None:
                raise BadInput(f"decoding from '{name}' needs {GIVEN[name]}=")
        elif name == COUNTS:
            table = counts
        elif name == SMOOTHED:
            table = smoothed(counts, data[names.SEGMENT].values, smooth_bins)
            usable &= ~_touches_another_part(data, smooth_bins)
        else:
            partner = next((t for t in given.values() if t is not None), counts)
            table = principal_components(data, most=partner.shape[1])
        tables[name] = table
    if (
        latents is not None
        and names.COMPLETE in latents.coords
        and {LATENTS, BEST_LATENT} & set(wanted)
    ):
        usable &= latents[names.COMPLETE].values
    return Inputs(tables, usable)


def smoothed(counts: np.ndarray, segment: np.ndarray, n_bins: int) -> np.ndarray:
    """Mean over ``n_bins`` bins around each (as many before as after, one more before if even).

    Never across a segment: at its edges the mean is of the bins that are there.
    """
    before, after = n_bins // 2, (n_bins - 1) // 2
    out = np.empty(counts.shape, dtype=np.float32)
    for run in np.split(np.arange(len(counts)), np.flatnonzero(np.diff(segment)) + 1):
        sums = np.concatenate([np.zeros((1, counts.shape[1])), np.cumsum(counts[run], axis=0)])
        at = np.arange(len(run))
        first, stop = np.maximum(at - before, 0), np.minimum(at + after + 1, len(run))
        out[run] = (sums[stop] - sums[first]) / (stop - first)[:, None]
    return out


def _touches_another_part(data: xr.Dataset, n_bins: int) -> np.ndarray:
    """(time,) bool: whether the mean of a bin holds bins of another part (gaps are of none)."""
    parts, segment = data[names.SPLIT].values, data[names.SEGMENT].values
    touches = np.zeros(len(parts), dtype=bool)
    at = np.arange(len(parts))
    for offset in range(-(n_bins // 2), (n_bins - 1) // 2 + 1):
        other = (at + offset).clip(0, len(parts) - 1)
        differs = (parts[other] != parts) & (parts[other] != names.GAP)
        touches |= differs & (segment[other] == segment)
    return touches


def _observed(data: xr.Dataset) -> np.ndarray:
    """Counts as float32; a unit stands at its training mean where it was not observed."""
    counts = data[names.COUNTS].values.astype(np.float32)
    if names.VALID in data:
        seen = data[names.VALID].values
        train = part(data, "train")[:, None] & seen
        mean = np.where(train, counts, 0).sum(axis=0) / np.maximum(train.sum(axis=0), 1)
        counts = np.where(seen, counts, mean.astype(np.float32))
    return counts


def _latents(latents: xr.Dataset | None, n: int) -> np.ndarray | None:
    if latents is None:
        return None
    if latents.sizes[names.TIME] != n:
        raise BadInput(f"latents have {latents.sizes[names.TIME]} bins, the recording {n}")
    return dense(latents)


def _embedding(embedding: Any, n: int) -> np.ndarray | None:
    if embedding is None:
        return None
    if isinstance(embedding, xr.Dataset):
        embedding = embedding[EMBEDDING]
    table = np.asarray(embedding, dtype=np.float32)
    if table.ndim != 2 or len(table) != n:
        raise BadInput(
            f"the embedding has shape {table.shape}; (bins, dims) with {n} bins is needed"
        )
    if not np.isfinite(table).all():
        raise BadInput("the embedding is not finite")
    return table
