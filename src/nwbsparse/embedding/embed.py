"""embed(): a few numbers per bin that say where the population is, by CEBRA or a classical method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.embedding import cebra, linear, manifold
from nwbsparse.embedding.attach import TRAIN, with_embedding
from nwbsparse.embedding.embedder import Embedder, with_embedder
from nwbsparse.embedding.rows import Rows, rows_of
from nwbsparse.embedding.supervision import Covariates, covariates_for
from nwbsparse.errors import did_you_mean, raise_together, unknown
from nwbsparse.schema import check

METHODS: dict[str, Any] = {
    "cebra": cebra, "pca": linear, "fa": linear, "ica": linear, "nmf": linear,
    "umap": manifold, "tsne": manifold,
}  # fmt: skip
"""{method: the module that knows it}."""
DIMS = 8
"""Dims where nobody says how many: CEBRA's default, and the size that Naik (2025) shows most."""
CONTROLS = ("shuffled_neural", "shuffled_labels")


def embed(
    binned: xr.Dataset,
    method: str | Embedder = "cebra",
    *,
    dims: int | None = None,
    covariates: Sequence[str] = (),
    smoothing: float = 0.0,
    seed: int = 0,
    control: str | None = None,
    **settings: Any,
) -> xr.Dataset:
    """Say where the population is in each bin with a few numbers, learned on training bins alone.

    Nothing is seen across the edges of segments and parts: a method that looks at several bins
    (CEBRA's ``offset10-model``: five before and four after) meets the edge of a stretch with the bin at
    the edge, and learns only from windows that lie inside. Held-out bins are transformed by what was
    fitted; t-SNE has no transform and is fitted on all bins, which ``parameters`` say.

    Args:
        binned: Binned dataset that went through ``split``. A unit that was not observed in a bin stands
            at its mean; bins in which none was are NaN in the embedding.
        method: ``cebra``, ``pca``, ``fa`` (factor analysis), ``ica``, ``nmf``, ``umap`` or ``tsne``; or
            the :class:`Embedder` of another dataset of the same units, which is applied as it is.
        dims: how many numbers per bin; 8 when absent.
        covariates: names of covariates (continuous) and conditions (discrete) that CEBRA is to be
            trained by; without any it is trained by time. What has seen the behaviour of training bins
            is assessed on test bins only.
        smoothing: standard deviation (s) of a Gaussian that counts are smoothed with first.
        seed: of the method's random start.
        control: ``shuffled_neural`` learns from training bins whose activity is dealt anew, bin by bin;
            ``shuffled_labels`` from the covariates of other training bins. What a supervised embedding
            shows is worth what it shows more than these.
        settings: of the method, in its own words: of CEBRA :data:`nwbsparse.embedding.cebra.SETTINGS`,
            else of scikit-learn's and umap-learn's classes.

    Returns:
        The dataset with ``embedding(time, dim)`` (:func:`nwbsparse.with_embedding`) and, of a method
        that can embed other bins, ``embedder(embedder_byte)``: its safetensors.

    Raises:
        BadInput: not split, an unknown method, setting, covariate or control, behaviour that never
            changes or is not known, covariates for a method that takes none, fewer bins than needed.
        EnvironmentProblem: the package of the method is not installed.
    """
    check(binned, names.BINNED)
    if isinstance(method, Embedder):
        return attached(binned, method, rows_of(binned, smoothing=_smoothing(method)))
    rows, behaviour, given = asked(binned, method, dims, covariates, smoothing, control, settings)
    rows, behaviour = controlled(rows, behaviour, control, seed)
    said = {"dims": dims or DIMS, "seed": seed, "smoothing": smoothing, "control": control}
    known = METHODS[method]
    if known is manifold:
        table = manifold.embed(method, rows, dims or DIMS, given, seed, behaviour)
        on = "all bins" if method == "tsne" else TRAIN
        return with_embedding(
            binned, table, method=method, parameters={**said, **given, names.FITTED_ON: on}
        )
    made = known.fit(method, rows, dims or DIMS, given, seed, behaviour)
    embedder = Embedder(made.method, {**made.settings, **said}, made.arrays, made.receptive_field)
    # what was learned from dealt bins is shown of the recording as it is
    return attached(binned, embedder, rows_of(binned, smoothing=smoothing))


def reach_of(method: str, settings: dict[str, Any]) -> int:
    """Bins around its own that a method sees: what keeps parts apart must be as wide.

    Raises:
        BadInput, EnvironmentProblem: as :func:`embed`.
    """
    if method != "cebra":
        return 0
    return sum(cebra.receptive_field(cebra.settings_of(method) | settings)) - 1


def asked(
    binned: xr.Dataset,
    method: str,
    dims: int | None,
    covariates: Sequence[str],
    smoothing: float,
    control: str | None,
    settings: dict[str, Any],
) -> tuple[Rows, Covariates, dict[str, Any]]:
    """The rows, the behaviour and every setting; whatever cannot be is refused together."""
    if method not in METHODS:
        raise unknown(method, METHODS, what="embedding method")
    known = METHODS[method].settings_of(method)
    problems = [
        f"{method} has no setting '{name}'{did_you_mean(name, known)}"
        for name in settings
        if name not in known
    ]
    if dims is not None and dims < 1:
        problems.append(f"dims is {dims}; it must be 1 or more")
    if not (np.isfinite(smoothing) and smoothing >= 0):
        problems.append(f"smoothing is {smoothing}; it must be 0 s or more")
    if covariates and method != "cebra":
        problems.append(
            f"{method} sees the activity alone; covariates ({', '.join(covariates)}) are for cebra"
        )
    if control is not None and control not in CONTROLS:
        problems.append(str(unknown(control, CONTROLS, what="control")))
    if control == "shuffled_labels" and not covariates:
        problems.append("control='shuffled_labels' is of an embedding that is made with covariates")
    raise_together(problems, heading="this embedding cannot be made")
    rows = rows_of(binned, smoothing=smoothing)
    behaviour = covariates_for(binned, covariates, rows.learned) if covariates else Covariates()
    return rows, behaviour, known | settings


def controlled(
    rows: Rows, behaviour: Covariates, control: str | None, seed: int
) -> tuple[Rows, Covariates]:
    """Activity and behaviour, of which one is dealt anew among the training bins."""
    if control is None:
        return rows, behaviour
    at = np.flatnonzero(rows.learned)
    order = np.arange(len(rows.table))
    order[at] = np.random.default_rng(seed).permutation(at)
    if control == "shuffled_labels":
        return rows, behaviour.dealt(order)
    return Rows(rows.table[order], rows.stretch, rows.learned, rows.known), behaviour


def attached(binned: xr.Dataset, embedder: Embedder, rows: Rows) -> xr.Dataset:
    """The dataset with what an embedder makes of its rows."""
    table = METHODS[embedder.method].transform(embedder, rows)
    table[~rows.known] = np.nan
    supervised = bool(embedder.settings.get("kinds"))
    made = with_embedding(
        binned,
        table,
        method=embedder.method,
        parameters={**embedder.settings, names.FITTED_ON: TRAIN},
        saw_behaviour=TRAIN if supervised else None,
    )
    return with_embedder(made, embedder.to_bytes())


def _smoothing(embedder: Embedder) -> float:
    return float(embedder.settings.get("smoothing", 0.0))
