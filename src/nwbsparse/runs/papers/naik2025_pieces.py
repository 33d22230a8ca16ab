"""Everything there is to do for Naik 2025 as tasks of a ledger, in the order of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nwbsparse.options.presets import NAIK_EXPANSIONS
from nwbsparse.runs.papers import naik2025_coders as coders
from nwbsparse.runs.papers import naik2025_embeddings as embeddings
from nwbsparse.runs.papers.naik2025_animals import Animal
from nwbsparse.runs.papers.naik2025_settings import Naik2025
from nwbsparse.studies.task import Task

EMBEDDING, EMBEDDING_SCORES, BASELINES = "embedding", "embedding scores", "baselines"
EMBEDDING_CONTROLS, SWEEP, SWEEP_CONTROLS = "embedding controls", "sweep", "sweep controls"
ANALYSIS, UNTRAINED, SHUFFLED = "analysis", "analysis untrained", "analysis shuffled"


@dataclass(frozen=True)
class Piece:
    """A task, and what is to be known of its rows."""

    task: Task
    animal: str
    columns: dict[str, Any]
    """That all its rows have."""


def pieces_of(animal: Animal, asked: Naik2025, stored: Path) -> Iterator[Piece]:
    """The pieces of an animal in their order.

    What a result depends on is in the id of its task: the bins, the settings, and the embeddings that it
    is made of. So an animal or a size that is added later does not change what is done.

    Args:
        animal: one of them.
        asked: where it differs from the paper.
        stored: where its bins lie for the processes that do the work.
    """

    def piece(kind: str, *needs: Task, **about: Any) -> Piece:
        known = {"animal": animal.digest, **about}
        task = Task(
            kind, known, needs=tuple(one.id for one in needs), paths={"animal": str(stored)},
            suffix=".npy" if kind == EMBEDDING else ".json",
        )  # fmt: skip
        columns = {"animal": animal.name}
        return Piece(task, animal.name, columns | {k: v for k, v in about.items() if k == "dims"})

    made: dict[int, Task] = {}
    for setting in embeddings.settings_of(animal, asked):
        one = piece(
            EMBEDDING, setting=setting, iterations=asked.iterations, direction_as=asked.direction_as
        )
        yield one
        yield piece(EMBEDDING_SCORES, one.task, setting=setting)
        if setting == embeddings.chosen(setting["dims"]):
            made[setting["dims"]] = one.task
    sizes = sorted(animal.stored) or list(asked.dims)
    if animal.recorded:
        yield piece(BASELINES, *(made[dims] for dims in sizes if dims in made), sizes=sizes)
    for dims in sizes:
        needs = [made[dims]] if dims in made else []
        if animal.stored:
            yield piece(
                EMBEDDING_SCORES, dims=dims, setting={"dims": dims, "control": ""},
            )  # fmt: skip
        yield piece(EMBEDDING_CONTROLS, *needs, dims=dims, seeds=asked.seeds)
        trained: dict[str, Any] = {"dims": dims, "max_epochs": asked.max_epochs}
        kept = {"keep": asked.keep} if asked.keep else {}
        for family in coders.FAMILIES:
            for expansion in NAIK_EXPANSIONS:
                yield piece(SWEEP, *needs, **trained, family=family, expansion=expansion, **kept)
        yield piece(SWEEP_CONTROLS, *needs, **trained)
        yield piece(ANALYSIS, *needs, **trained, seeds=asked.seeds, **kept)
        yield piece(UNTRAINED, *needs, dims=dims, seeds=asked.seeds)
        for seed in range(asked.seeds):
            yield piece(SHUFFLED, *needs, **trained, seed=seed)
