"""The scores of Naik 2025 for any description of an animal's bins: an embedding, latents, counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from sklearn.linear_model import Ridge

from nwbsparse import names
from nwbsparse.analysis.decoding.decode import decode
from nwbsparse.analysis.quality.naik_scores import (
    behaviour_columns,
    behaviour_scores,
    naik_scores,
    neuron_scores,
)
from nwbsparse.analysis.representation import Described, Representation
from nwbsparse.analysis.statistics.correlation import Channels
from nwbsparse.models.coder import SparseCoder
from nwbsparse.runs.papers.naik2025_animals import Animal

RIDGE = 1.0
"""Penalty of the decoders that are fitted to latents which learned nothing."""


def scores(animal: Animal, described: Described, *, decoded: bool) -> dict[str, float]:
    """Every score that this animal allows: what is sparse, and how it goes with units and behaviour.

    Args:
        animal: its bins.
        described: (time, channel) and where it can be used.
        decoded: also read position and direction from all channels together.
    """
    table, usable = described.table, described.usable
    train, held = (animal.part(value) & usable for value in (names.TRAIN, names.TEST))
    found = {
        "nonzero_ratio": float(np.mean(table[held] != 0)),
        "train_nonzero_ratio": float(np.mean(table[train] != 0)),
    }
    if not animal.recorded:
        return found
    x, x_new = Channels(table[train]), Channels(table[held])
    units = animal.binned[names.COUNTS].values.astype(np.float64)
    if names.VALID in animal.binned:
        units = np.where(animal.binned[names.VALID].values, units, np.nan)
    _, behaviour = behaviour_columns(animal.binned, animal.behaviours)
    found |= neuron_scores(x, x_new, units[train], units[held])
    found |= behaviour_scores(x, x_new, behaviour[train], behaviour[held])
    if decoded:
        made = decode(
            animal.binned, list(animal.behaviours), inputs=[Representation("it", described)]
        ).isel(input=0)
        for target, measure, name in (
            (0, "r2", "position_r2"), (1, "accuracy", "direction_accuracy")
        ):  # fmt: skip
            for part in ("", "train_"):
                found[f"{part}{name}"] = float(made[f"{part}{measure}"].values[target])
    return found


def reconstruction(
    animal: Animal, embedding: np.ndarray, predicted: np.ndarray
) -> dict[str, float]:
    """R² of all dims together, on held-out and on training bins."""
    return {
        "r2": _r2(embedding, predicted, animal.part(names.TEST)),
        "train_r2": _r2(embedding, predicted, animal.part(names.TRAIN)),
    }


def fitted_reconstruction(
    animal: Animal, embedding: np.ndarray, described: Described
) -> dict[str, float]:
    """R² of the embedding from any description of the bins, through a decoder fitted on training bins."""
    usable = described.usable
    train, held = (animal.part(value) & usable for value in (names.TRAIN, names.TEST))
    fitted = Ridge(RIDGE).fit(described.table[train], embedding[train])
    predicted = np.full(embedding.shape, np.nan)
    for part in (train, held):
        predicted[part] = fitted.predict(described.table[part])
    return {"r2": _r2(embedding, predicted, held), "train_r2": _r2(embedding, predicted, train)}


def shifted(animal: Animal, embedding: np.ndarray, seed: int) -> np.ndarray:
    """The shuffled embedding: every dim shifted in time by an amount of its own, in each part by itself.

    Each dim keeps its course; what dims have in common with each other, with units and with behaviour
    is gone.
    """
    rng = np.random.default_rng(seed)
    made = embedding.copy()
    for value in (names.TRAIN, names.TEST, names.GAP):
        rows = np.flatnonzero(animal.part(value))
        for dim in range(embedding.shape[1]):
            made[rows, dim] = np.roll(embedding[rows, dim], int(rng.integers(len(rows) or 1)))
    return made


def random_network(animal: Animal, dims: int, hidden_units: int, seed: int) -> np.ndarray:
    """What an embedding network gives that has learned nothing.

    Random weights, one hidden layer, the reach of the paper's (5 bins back, 4 ahead; what would reach
    past an end stays there), and vectors of length 1 as the cosine distance makes them.
    """
    rng = np.random.default_rng(seed)
    counts = animal.binned[names.COUNTS].values.astype(np.float32)
    at = np.arange(len(counts))
    seen = np.concatenate(
        [counts[(at + offset).clip(0, len(counts) - 1)] for offset in range(-5, 5)], axis=1
    )
    spread = np.maximum(seen.std(axis=0), 1e-6)
    first = rng.standard_normal((seen.shape[1], hidden_units)) / np.sqrt(seen.shape[1])
    second = rng.standard_normal((hidden_units, dims)) / np.sqrt(hidden_units)
    hidden = np.maximum((seen - seen.mean(axis=0)) / spread @ first, 0)
    made = (hidden - hidden.mean(axis=0)) @ second
    length = np.linalg.norm(made, axis=1, keepdims=True)
    return (made / np.maximum(length, 1e-6)).astype(np.float32)


def row(part: str, method: str, control: str = "", **values: Any) -> dict[str, Any]:
    """A row of the table: what was fitted, and its scores."""
    return {"part": part, "method": method, "control": control, **values}


def as_described(table: np.ndarray) -> Described:
    """A table that can be used in every bin where it is finite."""
    usable: Any = np.isfinite(table).all(axis=1)
    return Described(np.asarray(table, dtype=np.float32), usable)


def null_scores(
    animal: Animal, coder: SparseCoder, embedded: xr.Dataset, *, n_shifts: int = 100
) -> dict[str, float]:
    """Mean and p of the circular-shift null of the two scores of the paper's formulas."""
    scored = naik_scores(coder, embedded, behaviours=animal.behaviours, n_shifts=n_shifts)
    latents = scored.sel(source="latents")
    return {
        f"{name}_{key}": float(latents[f"{name}_{key}"])
        for name in ("neuron_paper", "behaviour_paper")
        for key in ("null_mean", "p")
        if f"{name}_{key}" in latents
    }


def _r2(embedding: np.ndarray, predicted: np.ndarray, bins: np.ndarray) -> float:
    there = bins & np.isfinite(predicted).all(axis=1) & np.isfinite(embedding).all(axis=1)
    known = embedding[there].astype(np.float64)
    error = ((known - predicted[there]) ** 2).sum()
    total = ((known - known.mean(axis=0)) ** 2).sum()
    return float(1 - error / total) if total > 0 else np.nan
