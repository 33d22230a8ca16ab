"""What an embedding is worth: whether another seed gives it again, and what shuffled data give."""

from __future__ import annotations

import json
from collections.abc import Mapping

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
    "dims", "seed", "smoothing", "control", "kinds", "saw_behaviour", names.FITTED_ON, names.N_SESSIONS,
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
        BadInput: the embedding was not made here, or together with that of other recordings.
        EnvironmentProblem: the package of the method is not installed.
    """
    return controls_of_sessions({"": binned})[""]


def controls_of_sessions(sessions: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """The same of several recordings that :func:`nwbsparse.embed_sessions` put into one space.

    They are put into one space again from the other seed and from shuffled data. What is decoded is
    decoded within each; the turn of the other seed's space onto this one is one turn for all.

    Args:
        sessions: {name: its bins with the embedding}, all that were embedded together, in their order.

    Returns:
        {name: what :func:`embedding_controls` gives}.

    Raises:
        BadInput, EnvironmentProblem: as there.
    """
    made = _made_again(list(sessions.values()))
    tables = [
        {name: some[at][names.EMBEDDING].values for name, some in made.items()}
        for at in range(len(sessions))
    ]
    there = [
        np.all([np.isfinite(one).all(axis=1) for one in each.values()], axis=0) for each in tables
    ]
    parts = [
        {name: part(binned, name) & known for name in ("train", "test")}
        for binned, known in zip(sessions.values(), there, strict=True)
    ]
    moved, onto = (
        np.concatenate([each[name] for each in tables]) for name in (OTHER_SEED, names.EMBEDDING)
    )
    fitted = np.concatenate([each["train"] for each in parts])
    found = {}
    for at, (name, binned) in enumerate(sessions.items()):
        scored = np.concatenate(
            [each["test"] & (number == at) for number, each in enumerate(parts)]
        )
        consistency = procrustes_r2(moved, onto, fitted, scored)
        found[name] = _scores(binned, tables[at], consistency)
    return found


def _made_again(sessions: list[xr.Dataset]) -> dict[str, list[xr.Dataset]]:
    """{what: the recordings with it}: the embedding, that of another seed, and those of shuffled data."""
    from nwbsparse.embedding.embed import METHODS, embed  # what it needs takes seconds to load
    from nwbsparse.embedding.sessions import embed_sessions

    if any(names.EMBEDDING not in one for one in sessions):
        raise BadInput("there is no embedding; nwbsparse.embed(binned) makes one")
    first = sessions[0][names.EMBEDDING]
    method, said = first.attrs[names.METHOD], json.loads(first.attrs[names.PARAMETERS])
    if method not in METHODS or "seed" not in said:
        raise BadInput(
            f"the embedding was not made by nwbsparse.embed ('{method}'); it cannot be made again"
        )
    together = int(said.get(names.N_SESSIONS, 1))
    if together != len(sessions):
        raise BadInput(
            f"the embedding puts {together} recordings into one space; it can only be made again from "
            "all of them"
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

    def once_more(seed: int, control: str | None = None) -> list[xr.Dataset]:
        if together == 1:
            return [embed(sessions[0], method, seed=seed, control=control, **again)]
        return embed_sessions(sessions, method=method, seed=seed, control=control, **again)

    made = {names.EMBEDDING: sessions, OTHER_SEED: once_more(said["seed"] + 1)}
    for control in ("shuffled_neural", "shuffled_labels") if again["covariates"] else ():
        made[control] = once_more(said["seed"], control)
    return made


def _scores(binned: xr.Dataset, tables: Mapping[str, np.ndarray], consistency: float) -> xr.Dataset:
    """What is decoded from an embedding and from its controls, in one recording."""
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
