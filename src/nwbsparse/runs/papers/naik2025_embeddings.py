"""The embeddings of Naik 2025: made as its section 3.2 says, and what they stand beside in Figure 1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.representation import recorded_units, smoothed_units
from nwbsparse.runs.papers.naik2025_animals import Animal
from nwbsparse.runs.papers.naik2025_scores import (
    as_described,
    fitted_reconstruction,
    random_network,
    row,
    scores,
    shifted,
)
from nwbsparse.runs.papers.naik2025_settings import (
    CEBRA,
    CEBRA_RATES,
    CONTINUOUS,
    HIDDEN_UNITS,
    SMOOTH_BINS,
    Naik2025,
)
from nwbsparse.studies.fits import CHOSEN_CEBRA_RATE, CHOSEN_HIDDEN_UNITS

EMBEDDING, BASELINE = "embedding", "baseline"
METHOD, STORED, COUNTS, SMOOTHED = "cebra", "stored cebra", "counts", "smoothed counts"
SHUFFLED_NEURAL = "shuffled_neural"
Setting = dict[str, Any]


def settings_of(animal: Animal, asked: Naik2025) -> list[Setting]:
    """The embeddings that are made for an animal: 16, and one of shuffled activity of the first size.

    None where they are stored.
    """
    if animal.stored:
        return []
    made: list[Setting] = [
        {"dims": dims, "hidden_units": hidden, "cebra_rate": rate, "control": ""}
        for dims, hidden, rate in product(asked.dims, HIDDEN_UNITS, CEBRA_RATES)
    ]
    return [*made, chosen(asked.dims[0]) | {"control": SHUFFLED_NEURAL}]


def chosen(dims: int) -> Setting:
    """The embedding of this size that coders are trained on."""
    return {
        "dims": dims, "hidden_units": CHOSEN_HIDDEN_UNITS, "cebra_rate": CHOSEN_CEBRA_RATE,
        "control": "",
    }  # fmt: skip


def check_available() -> None:
    """Make sure before hours of work that CEBRA is installed.

    Raises:
        EnvironmentProblem: it is not.
    """
    from nwbsparse.embedding.cebra import package

    package()


def embedding_of(
    animal: Animal, setting: Setting, iterations: int, direction_as: str
) -> np.ndarray:  # fmt: skip
    """(time, dim) the supervised CEBRA embedding of an animal's bins, learned from its training bins.

    As in the paper the labels are the place and one column per direction, 0 or 1, all continuous and as
    they are; ``discrete`` makes the direction a condition that both moments of a pair share.
    """
    from nwbsparse.embedding.embed import embed

    binned, labels = animal.binned, animal.behaviours
    if direction_as == CONTINUOUS:
        binned, labels = with_direction_columns(animal)
    made = embed(
        binned,
        method=METHOD,
        dims=setting["dims"],
        covariates=labels,
        control=setting["control"] or None,
        seed=0,
        num_hidden_units=setting["hidden_units"],
        learning_rate=setting["cebra_rate"],
        max_iterations=iterations,
        standardise=direction_as != CONTINUOUS,
        **CEBRA,
    )
    return np.asarray(made[names.EMBEDDING].values, dtype=np.float32)


def with_direction_columns(animal: Animal) -> tuple[xr.Dataset, tuple[str, ...]]:
    """The bins with a covariate for every direction, 1 where the rat runs there; and the labels' names."""
    place, direction = animal.behaviours
    variable = animal.binned[direction]
    codes = variable.values
    columns = {
        f"{direction} = {label}": (
            names.TIME,
            np.where(codes >= 0, codes == code, np.nan).astype(np.float32),
            {names.ROLE: names.ROLE_COVARIATE, names.KIND: names.CONTINUOUS},
        )
        for code, label in enumerate(json.loads(variable.attrs[names.CATEGORIES]))
    }
    return animal.binned.assign(columns), (place, *columns)


def embedding_rows(animal: Animal, embedding: np.ndarray, setting: Setting) -> list[dict[str, Any]]:
    """An embedding and its scores."""
    known = {key: value for key, value in setting.items() if key != "control"}
    control = "shuffled" if setting["control"] else ""
    method = STORED if animal.stored else METHOD
    return [
        row(EMBEDDING, method, control, **known, seed=0)
        | scores(animal, as_described(embedding), decoded=True)
    ]


def control_rows(animal: Animal, embedding: np.ndarray, seeds: int) -> list[dict[str, Any]]:
    """Networks of random weights, and the embedding with every dim shifted in time."""
    dims = embedding.shape[1]
    rows = []
    for seed in range(seeds):
        if animal.recorded:
            made = random_network(animal, dims, CHOSEN_HIDDEN_UNITS, seed)
            rows.append(
                row(EMBEDDING, "random network", "untrained", seed=seed)
                | scores(animal, as_described(made), decoded=True)
            )
        other = shifted(animal, embedding, seed)
        rows.append(
            row(EMBEDDING, "shifted dims", "shuffled", seed=seed)
            | scores(animal, as_described(other), decoded=True)
        )
    return rows


def baseline_rows(animal: Animal, embeddings: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """The counts themselves, and smoothed over 20 bins: behaviour is read from them too.

    And how much of each embedding a ridge regression makes of the smoothed counts.
    """
    rows = []
    for method, representation in (
        (COUNTS, recorded_units()),
        (SMOOTHED, smoothed_units(SMOOTH_BINS)),
    ):
        described = representation.of(animal.binned)
        found: dict[str, Any] = scores(animal, described, decoded=True)
        rows.append(row(BASELINE, method, **found))
        for embedding in embeddings:
            rows.append(
                row(BASELINE, method, dims=embedding.shape[1], nonzero_ratio=found["nonzero_ratio"],
                    train_nonzero_ratio=found["train_nonzero_ratio"])
                | fitted_reconstruction(animal, embedding, described)
            )  # fmt: skip
    return rows
