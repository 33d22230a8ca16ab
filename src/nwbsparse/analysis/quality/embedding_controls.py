"""What an embedding is worth: whether another seed gives it again, and what shuffled data give."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from scipy.linalg import orthogonal_procrustes

from nwbsparse import names
from nwbsparse.analysis.decoding.decode import decode
from nwbsparse.analysis.representation import Representation
from nwbsparse.binning.split import part
from nwbsparse.errors import BadInput

OTHER_SEED = "other_seed"
_NOT_SETTINGS = {
    "dims", "seed", "smoothing", "control", "kinds", "fitted_on", "saw_behaviour", "n_sessions",
}  # fmt: skip


def embedding_controls(binned: xr.Dataset) -> xr.Dataset:
    """Make an embedding again from another seed and, where it has seen behaviour, from shuffled data.

    A supervised embedding of shuffled activity can look as orderly, and be as consistent over seeds, as
    a real one. So what can be decoded from it on test bins stands beside what can be from embeddings that
    were trained alike on activity, or on covariates, that are dealt anew among the training bins.

    Args:
        binned: a dataset whose embedding :func:`nwbsparse.embed` made.

    Returns:
        Dataset over ``embedded`` ("embedding", "other_seed", and for supervised ones "shuffled_neural"
        and "shuffled_labels") and ``embedded_target``: ``embedded_r2`` and ``embedded_accuracy`` on test
        bins, each with its in-sample ``embedded_train_…``, and ``embedded_chance(embedded_target)``; and
        ``embedding_consistency``: the R² on test bins of the other seed's embedding turned, scaled and
        moved onto this one (Procrustes, fitted on training bins).

    Raises:
        BadInput: the embedding was not made here.
        EnvironmentProblem: the package of the method is not installed.
    """
    from nwbsparse.embedding.embed import METHODS, embed  # what it needs takes seconds to load

    if names.EMBEDDING not in binned:
        raise BadInput("there is no embedding; nwbsparse.embed(binned) makes one")
    method = binned[names.EMBEDDING].attrs[names.METHOD]
    said = json.loads(binned[names.EMBEDDING].attrs[names.PARAMETERS])
    if method not in METHODS or "seed" not in said:
        raise BadInput(
            f"the embedding was not made by nwbsparse.embed ('{method}'); it cannot be made again"
        )
    known = METHODS[method].settings_of(method)
    again = {
        "dims": said["dims"],
        "smoothing": said["smoothing"],
        "covariates": tuple(said.get("kinds", {})),
        **{
            name: value
            for name, value in said.items()
            if name in known and name not in _NOT_SETTINGS
        },
    }
    made = {
        names.EMBEDDING: binned,
        OTHER_SEED: embed(binned, method, seed=said["seed"] + 1, **again),
    }
    for control in ("shuffled_neural", "shuffled_labels") if again["covariates"] else ():
        made[control] = embed(binned, method, seed=said["seed"], control=control, **again)
    tables = {name: one[names.EMBEDDING].values for name, one in made.items()}
    there = np.all([np.isfinite(table).all(axis=1) for table in tables.values()], axis=0)
    train, test = (part(binned, name) & there for name in ("train", "test"))
    consistency = procrustes_r2(tables[OTHER_SEED], tables[names.EMBEDDING], train, test)
    others = [
        Representation(name, np.nan_to_num(table))
        for name, table in tables.items()
        if name != names.EMBEDDING
    ]
    scores = decode(binned, inputs=[names.EMBEDDING, *others], embedding=binned)
    kept = {
        f"embedded_{name}": ((names.EMBEDDED, "embedded_target"), scores[name].values)
        for name in ("r2", "accuracy", "train_r2", "train_accuracy")
    }
    return xr.Dataset(
        {
            **kept,
            "embedded_chance": ("embedded_target", scores["majority"].values),
            "embedding_consistency": consistency,
        },
        coords={
            names.EMBEDDED: list(tables),
            "embedded_target": scores["target"].values.astype(str),
        },
    )


def procrustes_r2(
    moved: np.ndarray, onto: np.ndarray, fitted: np.ndarray, scored: np.ndarray
) -> float:
    """R² of one table (bin, dim) turned, scaled and moved onto another; NaN where that never changes.

    Args:
        moved, onto: the tables, of as many dims.
        fitted: (bin,) bool, where the turn is found.
        scored: (bin,) bool, where the R² is of.
    """
    x, y = moved[fitted].astype(np.float64), onto[fitted].astype(np.float64)
    at, to = x.mean(axis=0), y.mean(axis=0)
    x, y = x - at, y - to
    power, total = (x**2).sum(), ((onto[scored] - onto[scored].mean(axis=0)) ** 2).sum()
    if not power or not total:
        return float("nan")
    turn, size = orthogonal_procrustes(x, y)
    said = (moved[scored] - at) @ turn * (size / power) + to
    return float(1 - ((onto[scored] - said) ** 2).sum() / total)
