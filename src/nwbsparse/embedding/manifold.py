"""UMAP and t-SNE: maps of the bins that they were fitted on."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from nwbsparse.embedding.rows import Rows
from nwbsparse.embedding.supervision import Covariates
from nwbsparse.errors import BadInput, EnvironmentProblem

_OURS = {"n_components", "random_state", "verbose", "n_jobs"}


def _class(method: str) -> Any:
    if method == "tsne":
        from sklearn.manifold import TSNE

        return TSNE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from umap import UMAP
    except ImportError as error:
        raise EnvironmentProblem(
            f"embedding by UMAP needs the package umap-learn ({error}): pip install 'nwbsparse[embed]'"
        ) from None
    return UMAP


def settings_of(method: str) -> dict[str, Any]:
    """The settings of a method, with their defaults."""
    plain = {
        name: one.default
        for name, one in inspect.signature(_class(method)).parameters.items()
        if name not in _OURS and isinstance(one.default, bool | int | float | str | None)
    }
    # more than three dims can only be reached without the tree
    return plain | ({"method": "exact"} if method == "tsne" else {})


def embed(
    method: str,
    rows: Rows,
    dims: int,
    settings: Mapping[str, Any],
    seed: int,
    covariates: Covariates,  # noqa: ARG001  # the signature of every method
) -> Float[np.ndarray, "time dim"]:
    """Fit and embed at once: UMAP is fitted on training bins and places the others, t-SNE cannot.

    Bins in which no unit was observed become NaN.

    Raises:
        BadInput: settings or sizes that the method refuses.
        EnvironmentProblem: umap-learn is not installed.
    """
    kind = _class(method)
    given = dict(settings)
    if method == "tsne" and dims < 4 and given["method"] == "exact":
        given["method"] = "barnes_hut"
    out = np.full((len(rows.table), dims), np.nan, dtype=np.float32)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = kind(n_components=dims, random_state=seed, **given)
            if method == "tsne":
                out[rows.known] = model.fit_transform(rows.table[rows.known])
                return out
            model.fit(rows.table[rows.learned])
            out[rows.learned] = model.embedding_
            others = rows.known & ~rows.learned
            if others.any():
                out[others] = model.transform(rows.table[others])
    except (ValueError, TypeError) as error:
        raise BadInput(f"embedding by {method}: {error}") from None
    return out
