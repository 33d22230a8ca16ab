"""Everything there is to do for Naik 2025, piece by piece: what is done is taken from the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.npy import load_npy
from nwbsparse.options.presets import NAIK_EXPANSIONS
from nwbsparse.progress import Progress
from nwbsparse.runs.papers import naik2025_coders as coders
from nwbsparse.runs.papers import naik2025_embeddings as embeddings
from nwbsparse.runs.papers.naik2025_animals import Animal
from nwbsparse.runs.papers.naik2025_settings import Naik2025
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.task import Task

STAGE = "naik2025"
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class _Piece:
    """A task, and how its result is made."""

    task: Task
    make: Callable[[], Rows | np.ndarray]
    about: dict[str, Any]
    """Columns that all its rows have."""


def all_rows(animals: list[Animal], asked: Naik2025, ledger: Ledger, progress: Progress) -> Rows:
    """Do what is not done yet, and give the rows of everything, always in the same order.

    Raises:
        BadInput: an embedding cannot be made, and why. What fails later becomes a row with its message.
    """
    total = sum(1 for animal in animals for _ in _pieces(animal, asked, {}))
    done = 0
    rows: Rows = []
    for animal in animals:
        tables: dict[str, np.ndarray] = {}
        for piece in _pieces(animal, asked, tables):
            rows += _rows_of(piece, ledger, tables)
            done += 1
            progress(STAGE, done, total)
    return rows


def _pieces(animal: Animal, asked: Naik2025, tables: dict[str, np.ndarray]) -> Iterator[_Piece]:
    """The pieces of an animal in their order; those of coders are made from ``tables``, by setting."""
    own = {"animal": animal.name}
    digest = animal.digest
    depends = {"max_epochs": asked.max_epochs, "seeds": asked.seeds}

    def piece(kind: str, make: Callable[[], Any], suffix: str = ".json", **about: Any) -> _Piece:
        known = {"animal": digest} | about
        columns = own | {k: v for k, v in about.items() if k == "dims"}
        return _Piece(Task(kind, known, suffix=suffix), make, columns)

    for setting in embeddings.settings_of(animal, asked):
        key = json.dumps(setting, sort_keys=True)
        made: dict[str, Any] = {"setting": setting, "iterations": asked.iterations}
        yield piece(
            "embedding", lambda s=setting: embeddings.embedding_of(animal, s, asked), ".npy", **made
        )
        yield piece(
            "embedding scores",
            lambda s=setting, k=key: embeddings.embedding_rows(animal, tables[k], s),
            **made,
        )
    sizes = sorted(animal.stored) or list(asked.dims)

    def table(dims: int) -> np.ndarray:
        if animal.stored:
            return animal.stored[dims]
        return tables[json.dumps(embeddings.chosen(dims), sort_keys=True)]

    made: dict[str, Any] = {} if animal.stored else {"iterations": asked.iterations}
    if animal.recorded:
        yield piece(
            "baselines", lambda: embeddings.baseline_rows(animal, [table(d) for d in sizes]),
            sizes=sizes, **made,
        )  # fmt: skip
    for dims in sizes:
        about: dict[str, Any] = made | {"dims": dims}
        if animal.stored:
            setting = {"dims": dims, "control": ""}
            yield piece(
                "embedding scores",
                lambda s=setting: embeddings.embedding_rows(animal, table(s["dims"]), s),
                **about,
            )
        yield piece(
            "embedding controls",
            lambda d=dims: embeddings.control_rows(animal, table(d), asked.seeds),
            seeds=asked.seeds, **about,
        )  # fmt: skip
        for family in coders.FAMILIES:
            for expansion in NAIK_EXPANSIONS:
                yield piece(
                    "sweep",
                    lambda d=dims, f=family, e=expansion: coders.sweep_rows(
                        animal, table(d), f, e, asked.max_epochs
                    ),
                    family=family, expansion=expansion, max_epochs=asked.max_epochs, **about,
                )  # fmt: skip
        yield piece(
            "sweep controls",
            lambda d=dims: coders.sweep_control_rows(animal, table(d), asked.max_epochs),
            max_epochs=asked.max_epochs, **about,
        )  # fmt: skip
        yield piece(
            "analysis",
            lambda d=dims: coders.analysis_rows(animal, table(d), asked.seeds, asked.max_epochs),
            **depends, **about,
        )  # fmt: skip
        yield piece(
            "analysis untrained",
            lambda d=dims: coders.analysis_untrained_rows(animal, table(d), asked.seeds),
            seeds=asked.seeds, **about,
        )  # fmt: skip
        for seed in range(asked.seeds):
            yield piece(
                "analysis shuffled",
                lambda d=dims, s=seed: coders.analysis_shuffled_rows(
                    animal, table(d), s, asked.max_epochs
                ),
                max_epochs=asked.max_epochs, seed=seed, **about,
            )  # fmt: skip


def _rows_of(piece: _Piece, ledger: Ledger, tables: dict[str, np.ndarray]) -> Rows:
    [task] = ledger.add([piece.task])

    def make(_ledger: Ledger, _task: Task, path: Path) -> None:
        found = piece.make()
        if isinstance(found, np.ndarray):
            with path.open("wb") as file:
                np.save(file, found, allow_pickle=False)
        else:
            path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

    if ledger.run(task, make) == "taken":
        raise BadInput(
            f"another process works in {ledger.folder}; wait for it, or use another --out"
        )
    if (failure := ledger.failure(task)) is not None:
        if task.suffix == ".npy":
            raise BadInput(f"{piece.about['animal']}: {failure.message}")
        about = {key: value for key, value in task.about.items() if key in ("family", "expansion")}
        return [piece.about | _failed(task.kind, about) | {"error": failure.message}]
    if task.suffix == ".npy":
        tables[json.dumps(task.about["setting"], sort_keys=True)] = np.array(
            load_npy(ledger.result(task))
        )
        return []
    rows = json.loads(ledger.result(task).read_text(encoding="utf-8"))
    return [piece.about | one for one in rows]


def _failed(kind: str, about: dict[str, Any]) -> dict[str, Any]:
    method = about.pop("family", "")
    return {"part": kind.split()[0], "method": method, "control": "", **about}


def made_for() -> dict[str, str]:
    """What a ledger of this work is for.

    Animals and settings are not part of it: what a piece of work depends on is in its id, so that one
    more animal or size is added to what is there.
    """
    return {"paper": STAGE}
