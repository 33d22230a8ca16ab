"""Results that a file holds already: whose name is taken, and which belong together."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.earlier_options import as_meant
from nwbsparse.errors import BadInput
from nwbsparse.io.results.stored import StoredResult


def names_of(model: Any) -> set[str]:
    """The names of a model and of everything that lies beside it and belongs to it."""
    try:
        beside = json.loads(model.environment)["beside"]
    except (KeyError, TypeError, ValueError):
        beside = []
    return {model.name, *(name for name in beside if name in model.parent.data_interfaces)}


def check_free(stored: StoredResult, module: Any, path: Path, *, replace: bool) -> set[str]:
    """What must go so that the result finds its name free; nothing, usually.

    Raises:
        BadInput: a result has that name, and it may not be replaced.
    """
    model = module.data_interfaces.get(stored.name)
    if model is None:
        return set()
    if not replace:
        raise BadInput(said_to_exist(model, path))
    return names_of(model)


def said_to_exist(model: Any, path: Path) -> str:
    """That a name is taken, by what, and what to do."""
    made = getattr(model, "created", None) or "earlier"
    words = str(getattr(model, "hyperparameters", ""))
    return (
        f"A result named '{model.name}' exists in {path} (made {made}, config "
        f"{sha256(words.encode()).hexdigest()[:12]}). Use --name or --replace."
    )


def is_same(model: Any, stored: StoredResult) -> bool:
    """Whether a stored model is this one: the same options, weights and recording."""
    try:
        tensors = bytes(np.asarray(model.parameters[:]).tobytes())
        record = json.loads(model.environment)["coder"]
        config = as_meant(json.loads(model.hyperparameters))
        recording = str(model.sessions["nwb_object_id"][0])
    except (KeyError, TypeError, ValueError, OSError, AttributeError, IndexError):
        return False
    return (
        tensors == stored.tensors
        and config == json.loads(json.dumps(stored.words["config"]))
        and record["id"] == stored.words["id"]
        and recording == stored.source.object_id
    )
