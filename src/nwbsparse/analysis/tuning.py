"""Latent ↔ covariate: tuning curves with occupancy, and how well a latent predicts behaviour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import sparse

from nwbsparse import names
from nwbsparse.analysis.coding import Coded


def tuning_curves(
    activation: np.ndarray, variables: Sequence[Coded], bins: np.ndarray
) -> xr.Dataset:
    """Mean activation of every latent in every tuning bin of every covariate, on the given bins.

    ``activation`` is (bin, latent), of these bins. Per covariate ``c``: ``tuning.c(latent, c_bin)``
    or, for a map, ``(latent, c_y, c_x)``; ``occupancy.c`` in seconds is added by the caller's bin
    width, here in bins. NaN where a tuning bin was never visited. Coordinates are bin centres.
    """
    made: dict[str, xr.DataArray] = {}
    for variable in variables:
        if variable.kind == names.CATEGORICAL:
            continue
        codes = variable.codes[bins]
        known = np.flatnonzero(codes >= 0)
        shape = (variable.size, len(bins))
        onehot = sparse.csr_matrix((np.ones(len(known)), (codes[known], known)), shape=shape)
        n = np.bincount(codes[known], minlength=variable.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (onehot @ activation / n[:, None]).T
        axes = ("y", "x") if len(variable.shape) == 2 else ("bin",)
        dims = tuple(f"{variable.name}_{axis}" for axis in axes)
        coords = {
            dim: (edge[:-1] + edge[1:]) / 2
            for dim, edge in zip(dims, reversed(variable.edges), strict=True)
        }
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
    activation: np.ndarray,
    binned: xr.Dataset,
    covariates: Sequence[str],
    train: np.ndarray,
    test: np.ndarray,
) -> np.ndarray:
    """(latent, covariate): R² on test bins of a line from one latent to a covariate, fitted on train.

    Angles through sine and cosine, positions through their axes; the components' R² are averaged.
    ``activation`` is (time, latent) of the whole recording. NaN where a covariate is constant.
    """
    out = np.full((activation.shape[1], len(covariates)), np.nan)
    for column, name in enumerate(covariates):
        values = binned[name].values.reshape(activation.shape[0], -1).astype(np.float64)
        if binned[name].attrs[names.KIND] == names.CIRCULAR:
            values = np.concatenate([np.cos(values), np.sin(values)], axis=1)
        good = np.isfinite(values).all(axis=1)
        fit, held = train & good, test & good
        if fit.sum() < 2 or held.sum() < 2:
            continue
        r2 = [_line_r2(activation[fit], v[fit], activation[held], v[held]) for v in values.T]
        out[:, column] = np.mean(r2, axis=0)
    return out


def _line_r2(x: np.ndarray, y: np.ndarray, x_new: np.ndarray, y_new: np.ndarray) -> np.ndarray:
    x, x_new = x.astype(np.float64), x_new.astype(np.float64)
    mean = x.mean(axis=0)
    variance = ((x - mean) ** 2).mean(axis=0)
    slope = np.divide(
        (x - mean).T @ (y - y.mean()) / len(y),
        variance,
        out=np.zeros(x.shape[1]),
        where=variance > 1e-12,
    )
    total = ((y_new - y_new.mean()) ** 2).sum()
    if total <= 1e-12:
        return np.full(x.shape[1], np.nan)
    residual = y_new[:, None] - (y.mean() + (x_new - mean) * slope)
    return 1 - (residual**2).sum(axis=0) / total
