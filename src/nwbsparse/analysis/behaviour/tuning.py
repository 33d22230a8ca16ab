"""Latent ↔ covariate: tuning curves with occupancy, and how well a latent predicts behaviour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.activity import Activity, activity_of
from nwbsparse.analysis.association.associate import SHRINK
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.statistics.loops import classes, sum_by_class


def tuning_curves(
    activation: np.ndarray | Activity, variables: Sequence[Coded], bins: np.ndarray
) -> xr.Dataset:
    """Mean activation of every latent in every tuning bin of every covariate, on the given bins.

    ``activation`` is (bin, latent), of these bins. Per covariate ``c``: ``tuning.c(latent, c_bin)``
    or, for a map, ``(latent, c_y, c_x)``; ``occupancy.c`` in seconds is added by the caller's bin
    width, here in bins. NaN where a tuning bin was never visited. Coordinates are bin centres, of
    deciles the medians of their values.
    """
    activity = activity_of(activation)
    made: dict[str, xr.DataArray] = {}
    for variable in variables:
        if variable.kind == names.CATEGORICAL:
            continue
        codes = classes(variable.codes[bins], variable.size)
        total = np.zeros((activity.n_channels, variable.size))
        hits, squares = np.zeros(total.shape, dtype=np.int64), np.zeros(activity.n_channels)
        sum_by_class(activity.indptr, activity.bins, activity.value, codes, total, hits, squares)
        n = np.bincount(codes[codes >= 0], minlength=variable.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / n
        axes = ("y", "x") if len(variable.shape) == 2 else ("bin",)
        dims = tuple(f"{variable.name}_{axis}" for axis in axes)
        at = variable.typical or tuple((edge[:-1] + edge[1:]) / 2 for edge in variable.edges)
        coords = dict(zip(dims, reversed(at), strict=True))
        made[f"tuning.{variable.name}"] = xr.DataArray(
            mean.reshape(-1, *variable.shape).astype(np.float32),
            dims=(names.LATENT, *dims),
            coords=coords,
        )
        made[f"occupancy.{variable.name}"] = xr.DataArray(
            n.reshape(variable.shape), dims=dims, coords=coords
        )
    return xr.Dataset(made)


def behaviour_r2(
    activation: np.ndarray | Activity,
    binned: xr.Dataset,
    covariates: Sequence[str],
    train: np.ndarray,
    test: np.ndarray,
) -> np.ndarray:
    """(latent, covariate): R² on test bins of a line from one latent to a covariate, fitted on train.

    Angles through sine and cosine, positions through their axes; the components' R² are averaged.
    ``activation`` is (time, latent) of the whole recording. NaN where a covariate is constant.
    """
    activity = activity_of(activation)
    out = np.full((activity.n_channels, len(covariates)), np.nan)
    fitted, held = activity.at(np.flatnonzero(train)), activity.at(np.flatnonzero(test))
    for column, name in enumerate(covariates):
        values = binned[name].values.reshape(activity.n_bins, -1).astype(np.float64)
        if binned[name].attrs[names.KIND] == names.CIRCULAR:
            values = np.concatenate([np.cos(values), np.sin(values)], axis=1)
        if min(np.isfinite(values[part]).all(axis=1).sum() for part in (train, test)) < 2:
            continue
        r2 = _line_r2(fitted, values[train], held, values[test])
        said = np.isfinite(r2).any(axis=0)  # not of a component that never changes
        out[:, column] = np.mean(r2[:, said], axis=1) if said.any() else np.nan
    return out


def _line_r2(x: Activity, y: np.ndarray, x_new: Activity, y_new: np.ndarray) -> np.ndarray:
    """(channel, component): R² of new values under lines fitted to the others, from sums alone."""
    n, sums, squares, mean, cross = _line_sums(x, y)
    variance = squares / n - (sums / n) ** 2
    varies = variance > 1e-12 + 1e-9 * squares / n
    slope = np.where(varies, cross / n / np.where(varies, variance, 1.0), 0.0)
    n_new, sums_new, squares_new, mean_new, cross_new = _line_sums(x_new, y_new)
    good = np.isfinite(y_new).all(axis=1)
    total = ((y_new[good] - mean_new) ** 2).sum(axis=0)
    # residual = (y − ȳ') + (ȳ' − ȳ) − b (x − x̄), with ȳ' the mean of the new values
    offset = mean_new - mean
    centred = squares_new - 2 * sums / n * sums_new + n_new * (sums / n) ** 2
    shifted = sums_new - n_new * sums / n
    residual = (
        total + n_new * offset**2 - 2 * slope * (cross_new + offset * shifted) + slope**2 * centred
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 1e-12, 1 - residual / total, np.nan)


def _line_sums(
    x: Activity, y: np.ndarray
) -> tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Bins where y is known; Σx, Σx² (channel, 1); mean of y (component,); Σx(y − ȳ)."""
    good = np.isfinite(y).all(axis=1).reshape(-1, 1)
    mean = y[good[:, 0]].mean(axis=0)
    centred = np.where(good, y - mean, 0.0)
    table = x.table.astype(np.float64)
    known = good.astype(np.float64)
    return int(good.sum()), table.T @ known, table.power(2).T @ known, mean, table.T @ centred


def discounted(curves: np.ndarray, n: np.ndarray, bin_width: float) -> np.ndarray:
    """Curves (…, value) as the test reads them: values known in few bins ``n`` (value) count less."""
    return np.nan_to_num(curves) * n / (n + SHRINK / bin_width)
