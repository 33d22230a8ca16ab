"""What simpler models tell of hidden units: components of the same number, and a regression."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import eigh, solve
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from nwbsparse.analysis.quality.hidden_bins import Table

BASELINES = ("pca", "factor_analysis", "nmf", "ridge")
ALPHAS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Ridge penalties, in variances of a unit; the best on validation bins is used."""
UNCHECKED = 0.1
"""The penalty where there are no validation bins."""
MOST_COMPONENTS = 128
LEAST_NOISE = 1e-3
"""Share of a unit's variance that factor analysis always leaves to the unit."""
NMF_ENTRIES = 4_000_000
"""Values of the table that non-negative factors are fitted on; of more, evenly spaced bins."""
NMF_STEPS, FACTOR_STEPS = 100, 100
ENOUGH = 1e-5
"""Gain in log-likelihood per bin below which factor analysis stops."""


@dataclass(frozen=True)
class NonNegative:
    """Non-negative factors: scores from visible units, activity from scores."""

    regression: list[Float[np.ndarray, "unit factor"]]
    """Scores from the units visible in each fold."""
    mean: Float[np.ndarray, " factor"]
    loadings: Float[np.ndarray, "factor unit"]


@dataclass(frozen=True)
class Baselines:
    """Fitted once on training bins; hidden units are told by those of other folds alone."""

    fold: Int[np.ndarray, " unit"]
    maps: dict[str, Float[np.ndarray, "visible hidden"]]
    """Of the linear models: 0 between units that are hidden together."""
    non_negative: NonNegative | None
    """None where activity goes below 0."""
    rank: int
    """Components and factors: as many as latents, but fewer than units that are ever visible."""
    alpha: float
    """The penalty of the regression."""

    @property
    def names(self) -> tuple[str, ...]:
        """The baselines that there are."""
        return (*self.maps, *([] if self.non_negative is None else ["nmf"]))

    def predict(self, x: Float[np.ndarray, "bin unit"]) -> dict[str, Float[np.ndarray, "bin unit"]]:
        """Each unit from the visible ones, in standard deviations about its mean."""
        made = {name: x @ table for name, table in self.maps.items()}
        if self.non_negative is not None:
            made["nmf"] = self._non_negative(self.non_negative, x)
        return made

    def _non_negative(self, model: NonNegative, x: np.ndarray) -> np.ndarray:
        out = np.zeros(x.shape)
        for number, regression in enumerate(model.regression):
            hidden = self.fold == number
            scores = np.maximum(model.mean + x @ regression, 0) - model.mean
            out[:, hidden] = scores @ model.loadings[:, hidden]
        return out


def fit_baselines(
    train: Table, validation: Table, fold: np.ndarray, *, n_latents: int, floor: np.ndarray
) -> Baselines:
    """Fit PCA, factor analysis, non-negative factors and a ridge regression.

    The components are those of all units of the training bins. Of hidden units nothing is known but
    what the scores say, and scores come from visible units: the posterior mean given the loadings of
    the visible units (of PCA with one noise for all, as Tipping & Bishop 1999; of factor analysis
    with each unit's own), and for non-negative factors a ridge regression cut at 0. What units do
    in a bin is regressed on the scores: it is rougher than what is seen, where that is smoothed.

    Args:
        train: at most 20,000 bins.
        validation: bins on which the penalty is chosen; may be empty.
        fold: of each unit of the tables, 0 and up.
        n_latents: of the coder.
        floor: where "no activity" lies in ``x``.
    """
    xx, xy = _products(train)
    folds = range(int(fold.max()) + 1)
    least = min(int((fold != number).sum()) for number in folds)
    rank = max(1, min(n_latents, least - 1, MOST_COMPONENTS, len(train.x)))
    alpha, ridge = _ridge(xx, xy, validation, fold)
    loadings, noise = _principal(xx, rank)
    maps = {"pca": _from_components(xx, xy, fold, loadings, noise)}
    loadings, noise = factors(xx, rank)
    maps["factor_analysis"] = _from_components(xx, xy, fold, loadings, noise)
    maps["ridge"] = ridge
    non_negative = _fit_non_negative(train, xx, fold, rank, alpha, floor)
    return Baselines(fold, maps, non_negative, rank, alpha)


def _products(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Mean products of what is seen with itself, and with what is to be told.

    Of two units over the bins in which both were observed; 0 where there are none.
    """
    if table.observed.all():
        n = np.array(float(max(len(table.x), 1)))
    else:
        there = table.observed.astype(np.float32)
        n = np.maximum((there.T @ there).astype(np.float64), 1)
    xx = (table.x.T @ table.x).astype(np.float64) / n
    return xx, (table.x.T @ table.y).astype(np.float64) / n


def _ridge(
    xx: np.ndarray, xy: np.ndarray, validation: Table, fold: np.ndarray
) -> tuple[float, np.ndarray]:
    """The penalty that tells most on validation bins, and the weights (visible, hidden)."""
    alphas = ALPHAS if len(validation.x) else (UNCHECKED,)
    there_xx, there_xy = _products(validation)
    tried = []
    for alpha in alphas:
        weights = _regressed(xx, xy, fold, alpha)
        # Σy² − Σ(y − ŷ)², from the products alone
        told = 2 * (weights * there_xy).sum() - (weights * (there_xx @ weights)).sum()
        tried.append((told, alpha, weights))
    _, alpha, weights = max(tried, key=lambda one: one[0])
    return alpha, weights


def _regressed(xx: np.ndarray, xy: np.ndarray, fold: np.ndarray, alpha: float) -> np.ndarray:
    weights = np.zeros(xx.shape)
    for number in np.unique(fold):
        seen, hidden = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        table = xx[np.ix_(seen, seen)] + alpha * np.eye(len(seen))
        weights[np.ix_(seen, hidden)] = solve(table, xy[np.ix_(seen, hidden)], assume_a="pos")
    return weights


def _principal(xx: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Loadings of probabilistic PCA (component, unit), and the noise that is the same for all."""
    n = len(xx)
    values, vectors = eigh(xx, subset_by_index=(n - rank, n - 1))
    noise = max((np.trace(xx) - values.sum()) / max(n - rank, 1), LEAST_NOISE)
    return (vectors * np.sqrt(np.maximum(values - noise, 1e-9))).T, np.full(n, noise)


def factors(xx: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Factor analysis of a covariance: loadings (factor, unit) and noise of each unit.

    Maximum likelihood as scikit-learn's ``FactorAnalysis`` (Barber 2012, algorithm 21.1), from the
    covariance alone.
    """
    n, own = len(xx), np.diag(xx).copy()
    noise, before = np.maximum(own, LEAST_NOISE), -np.inf
    loadings = np.zeros((rank, n))
    for _ in range(FACTOR_STEPS):
        root = np.sqrt(noise)
        values, vectors = eigh(xx / np.outer(root, root), subset_by_index=(n - rank, n - 1))
        loadings = (vectors * np.sqrt(np.maximum(values - 1, 0))).T * root
        left = (own / noise).sum() - values.sum()
        likelihood = -(np.log(np.maximum(values, 1e-12)).sum() + left + np.log(noise).sum()) / 2
        noise = np.maximum(own - (loadings**2).sum(axis=0), LEAST_NOISE * np.maximum(own, 1e-9))
        if likelihood - before < ENOUGH:
            break
        before = likelihood
    return loadings, noise


def _from_components(
    xx: np.ndarray, xy: np.ndarray, fold: np.ndarray, loadings: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """(visible, hidden) weights that go through scores of the visible units."""
    scoring = _posterior(loadings, noise)
    between = scoring @ xx @ scoring.T
    steady = between + 1e-9 * max(np.trace(between), 1e-9) * np.eye(len(between))
    regressed = solve(steady, scoring @ xy, assume_a="pos")
    weights = np.zeros(xx.shape)
    for number in np.unique(fold):
        seen, hidden = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        scores = _posterior(loadings[:, seen], noise[seen])
        weights[np.ix_(seen, hidden)] = scores.T @ regressed[:, hidden]
    return weights


def _posterior(loadings: np.ndarray, noise: np.ndarray) -> Float[np.ndarray, "component unit"]:
    """Mean of the scores given the units: (W Ψ⁻¹ Wᵀ + I)⁻¹ W Ψ⁻¹."""
    weighted = loadings / noise
    return solve(weighted @ loadings.T + np.eye(len(loadings)), weighted, assume_a="pos")


def _fit_non_negative(
    train: Table, xx: np.ndarray, fold: np.ndarray, rank: int, alpha: float, floor: np.ndarray
) -> NonNegative | None:
    n_rows = max(1, min(len(train.x), NMF_ENTRIES // train.x.shape[1]))
    rows = np.linspace(0, len(train.x) - 1, n_rows).round().astype(np.int64)
    x, y = train.x[rows], train.y[rows]
    activity = x - floor.astype(np.float32)
    if (activity < -1e-3).any():
        return None
    options: dict[str, Any] = {"n_components": min(rank, n_rows), "init": "nndsvda"}
    model = NMF(**options, max_iter=NMF_STEPS, tol=1e-3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of steps is enough
        scores = model.fit_transform(np.maximum(activity, 0)).astype(np.float64)
    mean = scores.mean(axis=0)
    off = scores - mean
    between = off.T @ off / n_rows
    steady = between + 1e-6 * max(np.trace(between), 1e-9) * np.eye(len(mean))
    loadings = solve(steady, off.T @ y / n_rows, assume_a="pos")
    x_scores = x.T.astype(np.float64) @ off / n_rows
    regression = []
    for number in range(int(fold.max()) + 1):
        seen = np.flatnonzero(fold != number)
        table = xx[np.ix_(seen, seen)] + alpha * np.eye(len(seen))
        one = np.zeros((len(fold), len(mean)))
        one[seen] = solve(table, x_scores[seen], assume_a="pos")
        regression.append(one)
    return NonNegative(regression, mean, loadings)
