"""An animal of a reproduction as a folder: what a process that works on a piece of it reads."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from nwbsparse import names
from nwbsparse.files.whole import whole_file, write_whole
from nwbsparse.io.npy import load_npy
from nwbsparse.runs.papers.naik2025_animals import Animal
from nwbsparse.studies.datasets import load_dataset, save_whole

BINS, ABOUT = "bins.nc", "animal.json"


def store_animal(animal: Animal, folder: Path) -> Path:
    """Write an animal into a folder of its own; the path of what says that it is whole."""
    own = folder / animal.digest[:20]
    if (about := own / ABOUT).exists():
        return about
    save_whole(animal.binned, own / BINS)
    for dims, table in animal.stored.items():
        with whole_file(own / f"{dims}.npy") as fresh, fresh.open("wb") as file:
            np.save(file, table, allow_pickle=False)
    content = {
        "name": animal.name, "behaviours": animal.behaviours, "stored": sorted(animal.stored),
    }  # fmt: skip
    write_whole(about, json.dumps(content) + "\n")
    return about


@lru_cache(maxsize=2)  # a worker does many pieces of one animal after another
def stored_animal(about: str) -> Animal:
    """What :func:`store_animal` wrote.

    Raises:
        BadInput: it is gone, or damaged.
    """
    path = Path(about)
    said = json.loads(path.read_text(encoding="utf-8"))
    return Animal(
        said["name"],
        load_dataset(path.parent / BINS).set_coords([names.SPLIT]),
        tuple(said["behaviours"]),
        {dims: np.array(load_npy(path.parent / f"{dims}.npy")) for dims in said["stored"]},
    )
