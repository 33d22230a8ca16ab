"""What a folder says in words of the model in it, whose numbers lie beside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nwbsparse.errors import BadInput, IntegrityError


def stored_words(folder: Path, *, tensors: str, words: str, what: str) -> dict[str, Any]:
    """The JSON file that describes a model; the file of its tensors must be there too.

    Args:
        folder: where both lie.
        tensors: the name of the file of tensors.
        words: the name of the JSON file.
        what: what should be there: coder, decoder.

    Raises:
        BadInput: one of the two files is not there.
        IntegrityError: the words are no JSON, or no table.
    """
    if not (folder / tensors).is_file() or not (folder / words).is_file():
        raise BadInput(f"{folder} holds no {what} ({tensors} and {words})")
    try:
        found = json.loads((folder / words).read_text(encoding="utf-8"))
    except ValueError as error:
        raise IntegrityError(f"{folder / words} is damaged: {error}") from error
    if not isinstance(found, dict):
        raise IntegrityError(f"{folder / words} is damaged: it holds no table")
    return found
