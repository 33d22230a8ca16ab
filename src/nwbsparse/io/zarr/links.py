"""Links and references of a Zarr store: followed inside it, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nwbsparse.errors import BadInput

_WRAPPED = "_REFERENCE"
"""What format 3 puts around a reference that is an attribute."""


def check_references(held: Any, root: Path, where: str) -> None:
    """Refuse metadata in which a link or reference leads out of its store.

    Raises:
        BadInput: one does, and where to.
    """
    waiting = [held]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
            if "path" in one and {"source", "name", "object_id"} & one.keys():
                check_reference(one, root, where)
            if isinstance(one.get(_WRAPPED), dict):
                check_reference(one[_WRAPPED], root, where)
        elif isinstance(one, list):
            waiting += one


def check_reference(reference: Any, root: Path, where: str) -> None:
    """Refuse a reference, as hdmf-zarr resolves it, that leads out of its store.

    It is a table, the same as JSON, or (format 3) the path of something in this store.

    Raises:
        BadInput: it does, or it is no reference.
    """
    if not isinstance(reference, dict):
        said = str(reference)
        try:
            reference = json.loads(said)
        except (ValueError, RecursionError):
            return  # a path, which begins at the root of the store
    if not isinstance(reference, dict) or "path" not in reference:
        raise BadInput(f"{where} in {root} is no reference ({reference!r:.80}).")
    # without a source the path itself is taken for another store
    source = reference.get("source")
    refuse_outside(str(reference["path"] if source is None else source), root, where)


def refuse_outside(target: str, root: Path, where: str) -> None:
    """Refuse a folder that is neither the store nor inside it.

    Raises:
        BadInput: it is not.
    """
    if not (root / target).resolve().is_relative_to(root):
        raise BadInput(
            f"{where} in {root} points to {target}, outside the store; links are "
            "followed only inside it. Ask for a self-contained copy."
        )
