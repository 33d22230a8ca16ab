"""decode(): how well behaviour can be read from counts, latents and what they are compared with."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer, r2_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nwbsparse import names
from nwbsparse.analysis.decoding.inputs import BEST_LATENT, make_inputs
from nwbsparse.analysis.decoding.targets import (
    FOLDS,
    LEAST,
    Target,
    not_assessable,
    targets_of,
    telling,
)
from nwbsparse.analysis.representation import Representation
from nwbsparse.binning.split import part
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput
from nwbsparse.schema import with_step

ALPHAS = tuple(float(10.0**power) for power in range(-1, 6))
"""Ridge penalties tried, for standardised inputs and thousands of bins."""
STRENGTHS = tuple(float(10.0**power) for power in range(-4, 2))
"""Inverse penalties of the logistic regression that are tried."""
MOST = 20_000
"""Training bins that are fitted on, evenly spaced over all there are."""


@dataclass(frozen=True)
class _Fitted:
    """One decoder: what it says on test and on training bins."""

    test: np.ndarray
    train: np.ndarray
    penalty: float
    converged: bool = True


@renamed(data="binned")
def decode(
    binned: xr.Dataset,
    targets: Sequence[str] | None = None,
    *,
    inputs: Sequence[str | Representation] | None = None,
    latents: xr.Dataset | None = None,
    embedding: Any = None,
    smooth_bins: int = 20,
    split: str = "test",
) -> xr.Dataset:
    """Read behaviour from the population in several forms, side by side, on held-out bins.

    Covariates by ridge regression (R²; angles as sine and cosine, positions axis by axis, R² of all
    components together: 1 − mean squared distance / variance), conditions by logistic regression
    (accuracy, and balanced accuracy: the mean over classes of the share that is found). Decoders are
    fitted on the train part: the penalty by five-fold cross-validation over contiguous stretches of
    it, standardisation within each fold. All inputs use the same bins: those in which the target is
    known, windows are complete, and smoothing reaches into no other part. Of more than 20,000
    training bins as many evenly spaced ones are fitted on.

    Args:
        binned: the split Binned dataset with its covariates and conditions.
        targets: their names; default: all of them.
        inputs: of "counts"; "smoothed" (counts averaged over ``smooth_bins``); "latents";
            "best_latent" (one latent per target, chosen on training bins); "pca" (of the counts,
            with as many components as there are latents, or dims of the embedding, at most one per
            unit); "embedding"; or representations of your own
            (:class:`~nwbsparse.Representation`). Default: all names that can be made.
        latents: what :func:`nwbsparse.encode` gave for the same bins.
        embedding: (time, dim) array, or a dataset with ``embedding(time, dim)``; it must have been
            fitted on training bins alone.
        smooth_bins: bins that smoothed counts are averaged over, centred.
        split: the part that is scored, "test" or "validation".

    Returns:
        Dataset over ``input`` and ``target``: ``r2`` (covariates), ``accuracy`` and
        ``balanced_accuracy`` (conditions), each with its in-sample ``train_…``; ``angle_error``
        (median absolute error of angles, rad); ``penalty`` that was chosen and ``converged``;
        ``majority(target)`` and ``chance(target)``, the accuracy of always saying the most frequent
        training class, and balanced accuracy by chance; ``n_train(target)``, ``n_test(target)``,
        ``best_latent(target)``; ``status(target)``, '' or why it was not assessable (all NaN);
        ``n_dims(input)``; per condition ``confusion.NAME(input, NAME_true, NAME_said)`` in bins.

    Raises:
        BadInput: not split, an unknown target or input, or an input that was not given.
    """
    if split not in ("test", "validation"):
        raise BadInput(
            f"decoders are scored on held-out bins, 'test' or 'validation', not '{split}'"
        )
    train, held = part(binned, "train"), part(binned, split)
    wanted = targets_of(binned, targets)
    made = make_inputs(
        binned, inputs, latents=latents, embedding=embedding, smooth_bins=smooth_bins
    )
    named = list(made.tables)
    scores = _empty(named, wanted)
    for target in wanted:
        _decode_one(scores, target, made.tables, train & made.usable, held & made.usable)
    dims = {
        name: 1 if name == BEST_LATENT else table.shape[1] for name, table in made.tables.items()
    }
    scores["n_dims"] = ("input", np.array(list(dims.values())))
    scores.attrs = {names.SPLIT: split, "smooth_bins": smooth_bins}
    parameters = {"inputs": named, "smooth_bins": smooth_bins, "split": split}
    return with_step(scores, "decode", parameters, since=binned)


def _decode_one(
    scores: xr.Dataset,
    target: Target,
    tables: dict[str, np.ndarray],
    train: np.ndarray,
    held: np.ndarray,
) -> None:
    """Fill in one target's column of the scores."""
    at = {"target": list(scores["target"].values).index(target.name)}
    fit, test = np.flatnonzero(train & target.known), np.flatnonzero(held & target.known)
    if target.classes:
        enough = np.bincount(target.values[fit], minlength=len(target.classes)) >= LEAST
        fit, test = (bins[enough[target.values[bins]]] for bins in (fit, test))
    fit = fit[:: max(1, -(-len(fit) // MOST))]
    scores["n_train"][at], scores["n_test"][at] = len(fit), len(test)
    why = not_assessable(target, fit, test)
    scores["status"][at] = why
    if why:
        return
    y, y_new = target.values[fit], target.values[test]
    if not target.classes:
        y, y_new = (part[:, telling(target, fit, test)] for part in (y, y_new))
    for row, (name, table) in enumerate(tables.items()):
        here = {"input": row} | at
        x, x_new = table[fit], table[test]
        if name == BEST_LATENT:
            latent = _most_telling(x, y, categorical=bool(target.classes))
            scores["best_latent"][at] = latent
            x, x_new = x[:, [latent]], x_new[:, [latent]]
        found = (_classes if target.classes else _numbers)(x, y, x_new)
        scores["penalty"][here], scores["converged"][here] = found.penalty, found.converged
        for prefix, truth, said in (("", y_new, found.test), ("train_", y, found.train)):
            if target.classes:
                scores[f"{prefix}accuracy"][here] = np.mean(truth == said)
                scores[f"{prefix}balanced_accuracy"][here] = balanced_accuracy(truth, said)
            else:
                # squared distances, by which the penalty is chosen too: the same however the axes
                # of a place are turned
                scores[f"{prefix}r2"][here] = r2_score(truth, said, multioutput="variance_weighted")
        if target.kind == names.CIRCULAR:
            angles = [np.arctan2(one[:, 1], one[:, 0]) for one in (y_new, found.test)]
            error = np.abs(np.angle(np.exp(1j * (angles[0] - angles[1]))))
            scores["angle_error"][here] = np.median(error)
        if target.classes:
            np.add.at(scores[f"confusion.{target.name}"].values[row], (y_new, found.test), 1)
    if target.classes:
        most = np.bincount(y).argmax()
        scores["majority"][at] = np.mean(y_new == most)
        scores["chance"][at] = 1 / len(np.unique(y_new))


def balanced_accuracy(truth: np.ndarray, said: np.ndarray) -> float:
    """Mean over the classes that occur of the share that is found."""
    return float(np.mean([np.mean(said[truth == one] == one) for one in np.unique(truth)]))


def _numbers(x: np.ndarray, y: np.ndarray, x_new: np.ndarray) -> _Fitted:
    """Ridge regression of (bin, component) on inputs."""
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": ALPHAS}, cv=KFold(FOLDS),
        scoring="neg_mean_squared_error",
    ).fit(x, y)  # fmt: skip
    said = [search.predict(one).reshape(len(one), -1) for one in (x_new, x)]
    return _Fitted(said[0], said[1], float(search.best_params_["ridge__alpha"]))


def _classes(x: np.ndarray, y: np.ndarray, x_new: np.ndarray) -> _Fitted:
    """Logistic regression, every class of the same weight; folds hold a stretch of each class."""
    model = LogisticRegression(class_weight="balanced", max_iter=300)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), model),
        {"logisticregression__C": STRENGTHS},
        cv=StratifiedKFold(FOLDS),
        scoring=make_scorer(balanced_accuracy),
    )
    with warnings.catch_warnings():
        # what did not converge was stopped early, which is a penalty like the others: it is said
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(x, y)
    best = search.best_estimator_[-1]
    converged = bool((best.n_iter_ < best.max_iter).all())
    penalty = 1 / float(search.best_params_["logisticregression__C"])
    return _Fitted(search.predict(x_new), search.predict(x), penalty, converged)


def _most_telling(x: np.ndarray, y: np.ndarray, *, categorical: bool) -> int:
    """The column that explains most of the target by itself on these bins: r², or η² of classes."""
    centred = x - x.mean(axis=0, dtype=np.float64)
    total = (centred**2).sum(axis=0)
    if categorical:
        counts = np.bincount(y)
        onehot = np.eye(len(counts))[y]
        sums = onehot.T @ centred
        explained = (sums**2 / np.maximum(counts, 1)[:, None]).sum(axis=0)
    else:
        standard = (y - y.mean(axis=0)) / np.maximum(y.std(axis=0), 1e-12)
        explained = ((standard.T @ centred) ** 2).sum(axis=0) / standard.size
    share = np.divide(explained, total, out=np.full(len(total), -1.0), where=total > 1e-9)
    return int(share.argmax())


def _empty(inputs: list[str], targets: list[Target]) -> xr.Dataset:
    """The scores, all NaN."""
    both = ("input", "target")
    shape = (len(inputs), len(targets))
    scored = ("r2", "accuracy", "balanced_accuracy")
    of_both = [*scored, *(f"train_{name}" for name in scored), "angle_error", "penalty"]
    made: dict[str, Any] = {name: (both, np.full(shape, np.nan)) for name in of_both}
    made["converged"] = (both, np.ones(shape, dtype=bool))
    for name in ("majority", "chance"):
        made[name] = ("target", np.full(len(targets), np.nan))
    for name in ("n_train", "n_test"):
        made[name] = ("target", np.zeros(len(targets), dtype=np.int64))
    made["best_latent"] = ("target", np.full(len(targets), -1))
    made["status"] = ("target", np.full(len(targets), "", dtype=object))
    coords: dict[str, Any] = {
        "input": np.array(inputs, dtype=object),
        "target": np.array([target.name for target in targets], dtype=object),
        names.KIND: ("target", np.array([target.kind for target in targets], dtype=object)),
    }
    for target in targets:
        if target.classes:
            dims = (f"{target.name}_true", f"{target.name}_said")
            table = np.zeros((len(inputs), len(target.classes), len(target.classes)), np.int64)
            made[f"confusion.{target.name}"] = (("input", *dims), table)
            coords |= dict.fromkeys(dims, np.array(target.classes, dtype=object))
    return xr.Dataset(made, coords=coords)
