"""The sparse autoencoders of Naik 2025: the grid of its section 3.3, and those that it analyses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.encode import encode, reconstruct
from nwbsparse.analysis.representation import Described, Representation
from nwbsparse.models.checkpoint import save
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.config import Config
from nwbsparse.options.presets import (
    NAIK_EXPANSIONS,
    NAIK_PENALTIES,
    NAIK_RATES,
    naik_grid,
    preset,
)
from nwbsparse.runs.papers.naik2025_animals import Animal
from nwbsparse.runs.papers.naik2025_scores import (
    fitted_reconstruction,
    null_scores,
    reconstruction,
    row,
    scores,
    shifted,
)
from nwbsparse.runs.papers.naik2025_settings import CHOSEN_EXPANSION, CHOSEN_RATE, KS
from nwbsparse.studies.datasets import save_whole
from nwbsparse.training.engine import TrainingDiverged
from nwbsparse.training.fit import fit_many
from nwbsparse.training.prepare import new_coders
from nwbsparse.training.start import untrained_control

STANDARD, TOPK, EXPONENTIAL, JUMPRELU = "standard", "topk", "exponential", "jumprelu"
FAMILIES = (STANDARD, TOPK, EXPONENTIAL, JUMPRELU)
"""The paper's three (what it calls JumpReLU is a ReLU with a penalty that saturates: ``exponential``),
and the real JumpReLU beside them."""
SWEEP, ANALYSIS = "sweep", "analysis"
UNTRAINED, SHUFFLED = "untrained", "shuffled"
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Keep:
    """What of every trained coder is kept beside its row, as ``models/ID`` and ``latents/ID.nc``."""

    what: tuple[str, ...]
    folder: Path

    def of(self, coder: SparseCoder, embedded: xr.Dataset) -> None:
        """Keep a coder, and its latents of all bins."""
        if "models" in self.what:
            save(coder, self.folder / "models" / coder.id)
        if "latents" in self.what:
            save_whole(encode(coder, embedded), self.folder / "latents" / f"{coder.id}.nc")


def family_of(config: Config) -> str:
    """Which architecture of the paper these options are."""
    if config.sparsifier == "l1":
        return EXPONENTIAL if config.penalty == "exponential" else STANDARD
    return config.sparsifier


def grid_of(family: str, expansion: int) -> list[Config]:
    """The options of one architecture and size: a ninth of its part of the grid per step size.

    The real JumpReLU has the steps and weights of the standard coder.
    """
    if family == JUMPRELU:
        options: dict[str, Any] = preset("naik2025") | {
            "sparsifier": JUMPRELU,
            "expansion": expansion,
        }
        del options["k"]
        base = Config(**options)
        return [
            base.replace(learning_rate=rate, penalty_weight=weight)
            for rate, weight in product(NAIK_RATES, NAIK_PENALTIES)
        ]
    return [one for one in naik_grid() if (family_of(one), one.expansion) == (family, expansion)]


def chosen(k: int, seed: int) -> Config:
    """The model that the paper analyses."""
    return Config(
        **(
            preset("naik2025")
            | {"expansion": CHOSEN_EXPANSION, "learning_rate": CHOSEN_RATE, "k": k, "seed": seed}
        )
    )


def sweep_rows(
    animal: Animal,
    embedding: np.ndarray,
    family: str,
    expansion: int,
    max_epochs: int,
    keep: Keep | None = None,
) -> Rows:
    """One architecture and size of the grid, trained and scored."""
    grid = grid_of(family, expansion)
    return _trained_rows(animal, embedding, grid, max_epochs, SWEEP, keep=keep)


def sweep_control_rows(animal: Animal, embedding: np.ndarray, max_epochs: int) -> Rows:
    """What the reconstructions of the grid stand beside.

    Untrained: encoders that learned nothing, with a decoder fitted to them (one per size and k, and
    per size for the rectified ones). Shuffled: TopK coders of the shuffled embedding.
    """
    embedded = animal.embedded(embedding)
    topk = [
        one for one in naik_grid() if family_of(one) == TOPK and one.learning_rate == CHOSEN_RATE
    ]
    plain = [grid_of(STANDARD, expansion)[-1] for expansion in NAIK_EXPANSIONS]
    rows: Rows = []
    for asked, coder in _untrained(embedded, [*topk, *plain]):
        described = latents_of(coder, embedded)
        rows.append(
            _about(asked, coder, SWEEP, UNTRAINED)
            | fitted_reconstruction(animal, embedding, described)
            | scores(animal, described, decoded=False)
        )
    other = shifted(animal, embedding, 0)
    return rows + _trained_rows(animal, other, topk, max_epochs, SWEEP, control=SHUFFLED)


def analysis_rows(
    animal: Animal,
    embedding: np.ndarray,
    seeds: int,
    max_epochs: int,
    keep: Keep | None = None,
) -> Rows:
    """The analysed coders of every k and seed, trained."""
    grid = [chosen(k, seed) for k in KS for seed in range(seeds)]
    return _trained_rows(animal, embedding, grid, max_epochs, ANALYSIS, decoded=True, keep=keep)


def analysis_untrained_rows(animal: Animal, embedding: np.ndarray, seeds: int) -> Rows:
    """The same coders before their first update."""
    embedded = animal.embedded(embedding)
    rows: Rows = []
    for asked, coder in _untrained(
        embedded, [chosen(k, seed) for k in KS for seed in range(seeds)]
    ):
        described = latents_of(coder, embedded)
        rows.append(
            _about(asked, coder, ANALYSIS, UNTRAINED)
            | fitted_reconstruction(animal, embedding, described)
            | scores(animal, described, decoded=True)
        )
    return rows


def analysis_shuffled_rows(
    animal: Animal, embedding: np.ndarray, seed: int, max_epochs: int
) -> Rows:
    """The same coders of a shuffled embedding, one shuffle per seed."""
    grid = [chosen(k, seed) for k in KS]
    other = shifted(animal, embedding, seed)
    return _trained_rows(animal, other, grid, max_epochs, ANALYSIS, control=SHUFFLED, decoded=True)


def latents_of(coder: SparseCoder, embedded: xr.Dataset) -> Described:
    """Activations of a coder in every bin."""
    return Representation("latents", encode(coder, embedded)).of(embedded)


def _trained_rows(
    animal: Animal,
    embedding: np.ndarray,
    grid: Sequence[Config],
    max_epochs: int,
    part: str,
    *,
    control: str = "",
    decoded: bool = False,
    keep: Keep | None = None,
) -> Rows:
    embedded = animal.embedded(embedding)
    rows: Rows = []
    for asked, coder in zip(grid, fit_many(embedded, _as_run(grid, max_epochs)), strict=True):
        if isinstance(coder, TrainingDiverged):
            about = _about(asked, coder.coder, part, control)
            rows.append(about | {"error": str(coder).splitlines()[0]})
            continue
        described = latents_of(coder, embedded)
        made = _about(asked, coder, part, control)
        made |= reconstruction(animal, embedding, reconstruct(coder, embedded).values)
        made |= scores(animal, described, decoded=decoded)
        if decoded and animal.recorded and asked.seed == 0 and not control:
            made |= null_scores(animal, coder, embedded)
        if keep is not None:
            keep.of(coder, embedded)
        rows.append(made)
    return rows


def _untrained(
    embedded: xr.Dataset, grid: Sequence[Config]
) -> Iterator[tuple[Config, SparseCoder]]:
    for asked, coder in zip(grid, new_coders(embedded, _as_run(grid, 1)), strict=True):
        yield asked, untrained_control(coder, embedded)


def _as_run(grid: Sequence[Config], max_epochs: int) -> list[Config]:
    # a coder of one process and of another: what they are must not depend on the machine
    return [one.replace(reads=names.EMBEDDING, max_epochs=max_epochs, device="cpu") for one in grid]


def _about(asked: Config, coder: SparseCoder | None, part: str, control: str) -> dict[str, Any]:
    """The columns that say which coder it is."""
    known = {
        "expansion": asked.expansion, "learning_rate": asked.learning_rate, "k": asked.k,
        "penalty_weight": asked.penalty_weight, "bandwidth": asked.bandwidth, "seed": asked.seed,
    }  # fmt: skip
    if coder is not None:
        known |= {"n_latents": coder.n_latents, "k_used": coder.config.k, "model_id": coder.id}
    if family_of(asked) != TOPK:
        del known["k"]
        known.pop("k_used", None)
    return row(part, family_of(asked), control, **{k: v for k, v in known.items() if v is not None})
