"""Embeddings that are linear in the activity: PCA, factor analysis, ICA and non-negative factors."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import NMF, PCA, FactorAnalysis, FastICA, non_negative_factorization
from sklearn.exceptions import ConvergenceWarning

from nwbsparse.embedding.embedder import Embedder
from nwbsparse.embedding.rows import Rows
from nwbsparse.embedding.supervision import Covariates
from nwbsparse.errors import BadInput

_CLASSES: dict[str, Any] = {"pca": PCA, "fa": FactorAnalysis, "ica": FastICA, "nmf": NMF}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "pca": {},
    "fa": {"max_iter": 1000},
    "ica": {"max_iter": 1000, "whiten": "unit-variance"},
    # what starts from singular vectors needs no seed and ends where other starts do, or better
    "nmf": {"max_iter": 1000, "init": "nndsvda"},
}
_OURS = {"n_components", "random_state", "copy"}


def settings_of(method: str) -> dict[str, Any]:
    """The settings of a linear method, with their defaults: those of scikit-learn, or ours."""
    known = inspect.signature(_CLASSES[method]).parameters
    plain = {name: one.default for name, one in known.items() if name not in _OURS}
    return {name: value for name, value in (plain | _DEFAULTS[method]).items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def fit(
    method: str,
    rows: Rows,
    dims: int,
    settings: Mapping[str, Any],
    seed: int,
    covariates: Covariates,  # noqa: ARG001  # the signature of every method
) -> Embedder:
    """Fit scikit-learn's estimator on the bins that may be learned from.

    Raises:
        BadInput: more dims than the bins or units allow, values below 0 for NMF, or settings that
            scikit-learn refuses.
    """
    table = rows.table[rows.learned].astype(np.float64)
    most = min(table.shape)
    if dims > most:
        raise BadInput(
            f"embed_dims={dims}: {table.shape[0]:,} training bins of {table.shape[1]} units "
            f"have at most {most}"
        )
    if method == "nmf" and (lowest := float(rows.table[rows.known].min())) < 0:
        raise BadInput(
            f"nmf is of values of 0 and more, and the activity goes down to {lowest:.3g}; try fa or ica"
        )
    seeded = {"random_state": seed} if "random_state" in _parameters(method) else {}
    model = _CLASSES[method](n_components=dims, **settings, **seeded)
    try:
        with warnings.catch_warnings():
            # the best that was reached in max_iter steps is used, as everywhere
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(table)
    except (ValueError, TypeError) as error:
        raise BadInput(f"embedding by {method}: {error}") from None
    return Embedder(method, dict(settings), _arrays(method, model))


def _parameters(method: str) -> Mapping[str, Any]:
    return inspect.signature(_CLASSES[method]).parameters


def _arrays(method: str, model: Any) -> dict[str, np.ndarray]:
    """(unit, dim) that the activity is multiplied with, less the mean; of NMF its components."""
    if method == "nmf":
        return {"components": model.components_.astype(np.float64)}
    if method == "fa":
        # the posterior mean of the factors: scikit-learn's transform, written as one matrix
        scaled = model.components_ / model.noise_variance_
        inverse = np.linalg.inv(np.eye(len(scaled)) + scaled @ model.components_.T)
        return {"mean": model.mean_, "matrix": (inverse @ scaled).T}
    matrix = model.components_.T.astype(np.float64)
    if method == "pca" and model.whiten:
        matrix = matrix / np.sqrt(model.explained_variance_)
    mean = getattr(model, "mean_", None)
    return {"mean": np.zeros(len(matrix)) if mean is None else mean, "matrix": matrix}


def transform(embedder: Embedder, rows: Rows) -> Float[np.ndarray, "time dim"]:
    """The embedding of every bin, float32."""
    table = rows.table.astype(np.float64)
    if embedder.method == "nmf":
        components = embedder.arrays["components"]
        chosen = {
            key: embedder.settings[key]
            for key in ("solver", "beta_loss", "tol", "max_iter", "alpha_W", "alpha_H", "l1_ratio")
        }
        n_components: Any = len(components)  # the hints of scikit-learn know only of "auto"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            made, _, _ = non_negative_factorization(
                table, H=components, n_components=n_components, update_H=False, **chosen
            )
        return np.asarray(made, dtype=np.float32)
    return ((table - embedder.arrays["mean"]) @ embedder.arrays["matrix"]).astype(np.float32)
