"""Doing what there is to do for Naik 2025, here or by others: what is done is taken from the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.npy import load_npy
from nwbsparse.progress import Progress
from nwbsparse.runs.papers import naik2025_coders as coders
from nwbsparse.runs.papers import naik2025_embeddings as embeddings
from nwbsparse.runs.papers import naik2025_pieces as pieces
from nwbsparse.runs.papers.naik2025_animals import Animal
from nwbsparse.runs.papers.naik2025_pieces import Piece, pieces_of
from nwbsparse.runs.papers.naik2025_settings import Naik2025
from nwbsparse.runs.papers.naik2025_stored import store_animal, stored_animal
from nwbsparse.studies.ledger import Ledger, Outcome
from nwbsparse.studies.perform import perform
from nwbsparse.studies.task import Task
from nwbsparse.studies.work import Executor, work_through

STAGE = "naik2025"
ANIMALS, KEPT = "animals", "kept"
Rows = list[dict[str, Any]]


def all_rows(
    animals: list[Animal],
    asked: Naik2025,
    ledger: Ledger,
    executor: Executor | None,
    progress: Progress,
) -> Rows:
    """Do what is not done yet, and give the rows of everything, always in the same order.

    Raises:
        BadInput: an embedding cannot be made, and why. What fails later becomes a row with its message.
    """
    listed = [
        piece
        for animal in animals
        for piece in pieces_of(animal, asked, store_animal(animal, ledger.folder / ANIMALS))
    ]
    tasks = ledger.add(one.task for one in listed)
    how = {task.kind: do_piece for task in tasks}

    def report(_stage: str, done: int, total: int, /, **about: Any) -> None:
        progress(STAGE, done + len(tasks) - total, len(tasks), **about)

    # embeddings first: without one nothing else can be, and it is known at once
    made = [one for one in listed if one.task.kind == pieces.EMBEDDING]
    work_through(
        ledger, [one.task for one in made], how, executor,
        progress=lambda stage, done, _, /, **about: progress(stage, done, len(tasks), **about),
    )  # fmt: skip
    for one in made:
        if (failure := ledger.failure(one.task)) is not None:
            raise BadInput(f"{one.animal}: {failure.message}")
    work_through(ledger, tasks, how, executor, progress=report)
    return [row for one in listed for row in _rows_of(one, ledger)]


def chosen_embeddings(
    animals: list[Animal], asked: Naik2025, ledger: Ledger
) -> dict[str, np.ndarray]:  # fmt: skip
    """{"NAME-DIMS": (time, dim)}: those that coders were trained on, of everything that is done."""
    found = {f"{one.name}-{n}": table for one in animals for n, table in one.stored.items()}
    for animal in animals:
        stored = store_animal(animal, ledger.folder / ANIMALS)
        for one in pieces_of(animal, asked, stored):
            setting = one.task.about.get("setting", {})
            if one.task.kind == pieces.EMBEDDING and setting == embeddings.chosen(setting["dims"]):
                found[f"{animal.name}-{setting['dims']}"] = np.array(
                    load_npy(ledger.result(one.task))
                )
    return found


def do_piece(path: str | Path) -> Outcome:
    """Do the piece that a file of a ledger describes, in whichever process."""
    return perform(path, _make)


def made_for() -> dict[str, str]:
    """What a ledger of this work is for.

    Animals and settings are not part of it: what a piece of work depends on is in its id, so that one
    more animal or size is added to what is there.
    """
    return {"paper": STAGE}


def _make(ledger: Ledger, task: Task, path: Path) -> None:
    animal = stored_animal(task.paths["animal"])
    tables = [np.array(load_npy(ledger.result(ledger.task(need)))) for need in task.needs]
    if task.kind == pieces.EMBEDDING:
        found = embeddings.embedding_of(animal, **_but_animal(task))
        with path.open("wb") as file:
            np.save(file, found, allow_pickle=False)
        return
    about = _but_animal(task)
    if "keep" in about:
        folder = ledger.folder / KEPT / f"{animal.name}-{about['dims']}"
        about["keep"] = coders.Keep(tuple(about["keep"]), folder)
    rows = _found(animal, task.kind, about, tables)
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _found(
    animal: Animal, kind: str, about: dict[str, Any], tables: list[np.ndarray]
) -> Rows:  # fmt: skip
    """What a piece finds of an animal, with the embeddings it needs or those that are stored."""
    if kind == pieces.BASELINES:
        tables = tables or [animal.stored[dims] for dims in about["sizes"]]
        return embeddings.baseline_rows(animal, tables)
    dims = about.pop("dims", None)
    [table] = tables or [animal.stored[dims]]
    make = {
        pieces.EMBEDDING_SCORES: embeddings.embedding_rows,
        pieces.EMBEDDING_CONTROLS: embeddings.control_rows,
        pieces.SWEEP: coders.sweep_rows,
        pieces.SWEEP_CONTROLS: coders.sweep_control_rows,
        pieces.ANALYSIS: coders.analysis_rows,
        pieces.UNTRAINED: coders.analysis_untrained_rows,
        pieces.SHUFFLED: coders.analysis_shuffled_rows,
    }[kind]
    return make(animal, table, **about)


def _but_animal(task: Task) -> dict[str, Any]:
    return {key: value for key, value in task.about.items() if key != "animal"}


def _rows_of(piece: Piece, ledger: Ledger) -> Rows:
    task = piece.task
    if task.kind == pieces.EMBEDDING:
        return []
    if (failure := ledger.failure(task)) is not None:
        about = {key: value for key, value in task.about.items() if key in ("family", "expansion")}
        return [piece.columns | _failed(task.kind, about) | {"error": failure.message}]
    rows = json.loads(ledger.result(task).read_text(encoding="utf-8"))
    return [piece.columns | one for one in rows]


def _failed(kind: str, about: dict[str, Any]) -> dict[str, Any]:
    method = about.pop("family", "")
    return {"part": kind.split()[0], "method": method, "control": "", **about}
