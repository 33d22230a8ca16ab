"""Explained deviance: what R² is for rates, Poisson or negative binomial."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.special import xlog1py, xlogy

from nwbsparse import names
from nwbsparse.analysis.apply.heldout import Scored
from nwbsparse.models.architecture import DISPERSION
from nwbsparse.models.coder import SparseCoder

LOSSES = ("poisson", "negative_binomial")
"""Losses whose reconstruction is a rate with a likelihood."""
LEAST_RATE = 1e-8
"""Spikes per bin: what a rate of zero is taken for, as in the loss."""


class ExplainedDeviance:
    """``1 − D(z, ẑ)/D(z, z̄)``, per unit and over all units, with z̄ the mean of the scored bins.

    ``D`` is twice the log-likelihood that is missing to a model whose rates equal the counts:
    Poisson ``2 Σ z·log(z/μ) − (z − μ)``; negative binomial (variance ``μ + αμ²``)
    ``2 Σ z·log(z/μ) − (z + 1/α)·log((1 + αz)/(1 + αμ))`` with the α that the coder learned.
    """

    def __init__(self, coder: SparseCoder) -> None:
        alpha = torch.zeros(coder.n_targets)
        if coder.config.loss == "negative_binomial":
            alpha = coder.get_parameter(DISPERSION).detach().exp()
        self.alpha = alpha.numpy().astype(np.float64)
        self.n, self.sum, self.saturated, self.deviance = np.zeros((4, coder.n_targets))

    def add(self, piece: Scored) -> None:
        z, observed = piece.target, piece.observed
        self.n += observed.sum(axis=0)
        self.sum += z.sum(axis=0)
        self.saturated += (_own(z, self.alpha) * observed).sum(axis=0)
        rate = np.maximum(piece.predicted[-1], LEAST_RATE)
        of_rate = _own(z, self.alpha) - _of_rate(z, rate, self.alpha)
        self.deviance += 2 * (of_rate * observed).sum(axis=0)

    def more_variables(self) -> dict[str, Any]:
        mean = np.maximum(self.sum / np.maximum(self.n, 1), LEAST_RATE)
        # the likelihood is linear in the counts once the rate is constant
        at_mean = self.n * _of_rate(self.sum / np.maximum(self.n, 1), mean, self.alpha)
        null = 2 * (self.saturated - at_mean)
        fires = (self.sum > 0) & (null > 1e-9 * self.sum)
        per_unit = np.full(len(null), np.nan)
        per_unit[fires] = 1 - self.deviance[fires] / null[fires]
        whole = 1 - self.deviance[fires].sum() / null[fires].sum() if fires.any() else np.nan
        return {
            "explained_deviance": whole,
            "unit_explained_deviance": (names.UNIT, per_unit),
        }


def _of_rate(z: np.ndarray, rate: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The part of the log-likelihood that depends on the rate."""
    over = _over(z, rate, alpha)
    return xlogy(z, rate) - np.where(alpha > 0, over, rate)


def _own(z: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The same for the rate that equals the count."""
    return xlogy(z, z) - np.where(alpha > 0, _over(z, z, alpha), z)


def _over(z: np.ndarray, rate: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    safe = np.where(alpha > 0, alpha, 1.0)
    return xlog1py(z + 1 / safe, safe * rate)
