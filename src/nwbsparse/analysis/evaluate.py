"""evaluate(): how well a coder does on bins it has never seen."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.inference import batches
from nwbsparse.binning.split import part
from nwbsparse.models.coder import SparseCoder, as_tensor
from nwbsparse.schema import check, with_step
from nwbsparse.training.bins import whole

ALWAYS_ON = 0.5
"""Share of bins above which a latent is active too often to be called sparse."""


def evaluate(coder: SparseCoder, data: xr.Dataset, *, split: str = "test") -> xr.Dataset:
    """Reconstruction and sparsity on held-out bins.

    Definitions (``z`` target as the coder sees it, ``ẑ`` reconstruction, over bins of the part):

    - ``unit_r2(unit)`` = 1 − Σ(z−ẑ)² / Σ(z−z̄)²; NaN for units that are constant there
    - ``r2``: the same with both sums over all units that vary (weighted by variance)
    - ``level_r2(matryoshka_level)``: r2 of each level
    - ``unit_cosine(unit)`` over bins; ``bin_cosine(time)`` over units, NaN in empty bins
    - ``l0(time)``: active latents per bin; ``density(latent)``: share of bins a latent is active
    - ``dead(latent)``: never active in the part; ``always_on(latent)``: in more than half of it

    Bins in which a unit was not observed count neither way. Of a coder that sees several bins or
    looks ahead, only windows that stay in one segment and touch no other part are counted; what is
    compared is the bin of the activation (or that ``lag`` bins later).

    Raises:
        BadInput: not split, or other units than the coder's.
    """
    part(data, split)  # says so when the bins were not split yet
    bins = _whole_bins(coder, data, split)
    n_units, n_levels = coder.n_targets, len(coder.levels)
    residual = np.zeros((n_levels, n_units))
    total = np.zeros((4, n_units))  # n, Σz, Σz², Σzẑ of the largest level
    predicted_square = np.zeros(n_units)
    cosine = np.full(len(bins), np.nan)
    l0 = np.zeros(len(bins), dtype=np.int64)
    used = np.zeros(coder.n_latents)
    for level in range(n_levels):
        done = 0
        for piece in batches(coder, data, bins, decode=True, level=level):
            where = slice(done, done + len(piece.bins))
            done = where.stop
            z, observed = _target(coder, data, piece.bins)
            guess = np.where(observed, piece.predicted, 0.0).astype(np.float64)
            residual[level] += ((z - guess) ** 2).sum(axis=0)
            if level == n_levels - 1:
                total += [observed.sum(0), z.sum(0), (z**2).sum(0), (z * guess).sum(0)]
                predicted_square += (guess**2).sum(axis=0)
                cosine[where] = _cosine((z * guess).sum(1), (z**2).sum(1), (guess**2).sum(1))
                l0[where] = (piece.activation > 0).sum(axis=1)
                used += (piece.activation > 0).sum(axis=0)
    density = used / max(len(bins), 1)
    n, sums, squares, cross = total
    variance = squares - np.divide(sums**2, n, out=np.zeros_like(sums), where=n > 0)
    varies = variance > 1e-9 * np.maximum(squares, 1e-12)
    unit_r2 = np.full(n_units, np.nan)
    unit_r2[varies] = 1 - residual[-1, varies] / variance[varies]
    level_r2 = np.full(n_levels, np.nan)
    if varies.any():
        level_r2 = 1 - residual[:, varies].sum(axis=1) / variance[varies].sum()
    metrics = xr.Dataset(
        {
            "r2": level_r2[-1],
            "unit_r2": (names.UNIT, unit_r2),
            "level_r2": ("matryoshka_level", level_r2),
            "level_size": ("matryoshka_level", np.array([size for size, _ in coder.levels])),
            "unit_cosine": (names.UNIT, _cosine(cross, squares, predicted_square)),
            "bin_cosine": (names.TIME, cosine),
            "l0": (names.TIME, l0),
            "density": (names.LATENT, density),
            "dead": (names.LATENT, density == 0),
            "always_on": (names.LATENT, density > ALWAYS_ON),
        },
        coords={
            names.TIME: data[names.TIME].values[bins],
            names.LATENT: np.arange(coder.n_latents),
            **_target_names(coder, data),
        },
        attrs={
            names.SCHEMA: names.METRICS,
            names.SPLIT: split,
            "n_bins": len(bins),
            names.CODER_ID: coder.id,
            "target": coder.config.scaling[0],
        },
    )
    return check(with_step(metrics, "evaluate", {"split": split}, since=data), names.METRICS)


def unit_names(data: xr.Dataset) -> dict[str, object]:
    """The coordinates that say which unit is which; without rows of a table, their order."""
    rows = np.arange(data.sizes[names.UNIT])
    table_rows = data[names.UNIT_ROW].values if names.UNIT_ROW in data.coords else rows
    return {
        names.UNIT: rows,
        names.UNIT_ID: (names.UNIT, data[names.UNIT_ID].values),
        names.UNIT_ROW: (names.UNIT, table_rows),
    }


def _target_names(coder: SparseCoder, data: xr.Dataset) -> dict[str, object]:
    """The coordinates of the units that are reconstructed."""
    _, targets = coder.record.columns(data[names.UNIT_ID].values)
    return unit_names(data.isel({names.UNIT: targets}))


def _whole_bins(coder: SparseCoder, data: xr.Dataset, split: str) -> np.ndarray:
    """Bins of the part whose window and target belong to no other part."""
    lag = coder.config.lag
    reach = np.array([1 - coder.architecture.window, 0, lag])
    reach = np.arange(reach.min(), reach.max() + 1)
    fits = whole(data[names.SPLIT].values, data[names.SEGMENT].values, reach=reach)
    return np.flatnonzero(part(data, split) & fits)


def _target(
    coder: SparseCoder, data: xr.Dataset, bins: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What was to be reconstructed in these bins, and where it was observed."""
    _, targets = coder.record.columns(data[names.UNIT_ID].values)
    at = bins + coder.config.lag
    counts = data[names.COUNTS][at].values[:, targets]
    z = coder.normalise_target(as_tensor(counts)).numpy().astype(np.float64)
    observed = np.ones(z.shape, dtype=bool)
    if names.VALID in data:
        observed = data[names.VALID][at].values[:, targets]
    return np.where(observed, z, 0.0), observed


def _cosine(cross: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    length = np.sqrt(first * second)
    return np.divide(cross, length, out=np.full(length.shape, np.nan), where=length > 0)
