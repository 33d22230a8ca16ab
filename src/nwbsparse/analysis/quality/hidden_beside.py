"""What other methods tell of hidden units: each made anew without them, then a regression."""

from __future__ import annotations

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from nwbsparse.analysis.quality.hidden_baselines import ALPHAS, UNCHECKED
from nwbsparse.analysis.quality.hidden_bins import Table
from nwbsparse.analysis.representation import Representation


class Beside:
    """One method: for each fold of units its channels without them, and weights to what is hidden."""

    def __init__(
        self,
        method: Representation,
        binned: xr.Dataset,
        folds: list[Int[np.ndarray, " hidden"]],
        train: tuple[np.ndarray, Table],
        validation: tuple[np.ndarray, Table],
    ) -> None:
        """Make and fit it.

        Args:
            method: a function of the recording; its channels are regressed on, with the ridge penalty
                that tells most on validation bins.
            binned: the recording.
            folds: columns of the units that are hidden together.
            train, validation: bins, and what is to be told in them.
        """
        self.name, self.folds = method.name, folds
        self.n_units = train[1].y.shape[1]
        self.told = []
        for columns in folds:
            hidden = np.isin(np.arange(self.n_units), columns)
            described = method.unseen(binned, hidden)
            x = np.where(described.usable[:, None], described.table, 0).astype(np.float64)
            here = x[train[0]]
            mean, spread = here.mean(axis=0), here.std(axis=0)
            x = (x - mean) / np.where(spread > 0, spread, 1)
            x[~described.usable] = 0
            told = _regressed(x, columns, train, validation)
            self.told.append(told.astype(np.float32))

    def predict(self, bins: Int[np.ndarray, " bin"]) -> Float[np.ndarray, "bin unit"]:
        """Each unit in some bins, in standard deviations about its mean."""
        out = np.zeros((len(bins), self.n_units))
        for columns, told in zip(self.folds, self.told, strict=True):
            out[:, columns] = told[bins]
        return out


def _regressed(
    x: Float[np.ndarray, "time channel"],
    columns: np.ndarray,
    train: tuple[np.ndarray, Table],
    validation: tuple[np.ndarray, Table],
) -> Float[np.ndarray, "time hidden"]:
    bins, fitted = train
    n = np.maximum(fitted.observed[:, columns].sum(axis=0), 1)
    xx = x[bins].T @ x[bins] / max(len(bins), 1)
    xy = x[bins].T @ fitted.y[:, columns] / n
    checked_bins, checked = validation
    tried = []
    for alpha in ALPHAS if len(checked_bins) else (UNCHECKED,):
        weights = np.linalg.solve(xx + alpha * np.eye(len(xx)), xy)
        there = checked.observed[:, columns]
        error = np.square((checked.y[:, columns] - x[checked_bins] @ weights) * there).sum()
        tried.append((error, alpha, weights))
    return x @ min(tried, key=lambda one: one[:2])[2]
