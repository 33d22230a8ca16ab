"""Do the parts of a result belong together, and to the recording beside which they are written?"""

from __future__ import annotations

import contextlib
import json
import warnings
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.annotated.elements.populations import digests_of_model
from nwbsparse.annotated.read.parse import is_model
from nwbsparse.annotated.read.same_units import Digests
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.errors import BadInput, raise_together
from nwbsparse.io.digest import digest_of
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.nwb.opening import opened
from nwbsparse.options.earlier import as_meant
from nwbsparse.session import Source


def recording_at(source: Source, target: Path, made_from: str) -> Source:
    """Where a result is written in place into the file that it was made from: that file as its source.

    What is opened again stands on an annotated copy, which is another file. ``made_from``: the SHA-256
    of the recording.
    """
    if not made_from or source.sha256 == made_from or not target.is_file():
        return source
    if digest_of(target) != made_from:
        return source
    return replace(source, path=target.absolute(), sha256=made_from)


def check_pairing(stored: StoredResult, source: Path) -> None:
    """Refuse what was made by another coder, or from another recording.

    Raises:
        BadInput: every part that does not belong here, and what it is of.
    """
    coder = stored.words["id"]
    problems = []
    for part, dataset in stored.parts.items():
        other = dataset.attrs.get(names.CODER_ID, coder)
        if other != coder:
            problems.append(f"the {part} are of the coder {other}, not of {coder}")
        made_from = str(dataset.attrs.get(names.SOURCE_SHA256, ""))
        if not _is_of(made_from, stored, source):
            problems.append(
                f"the {part} were made from another recording (sha256 {made_from[:16]}…) than the "
                f"session was read from ({stored.source.sha256[:16]}…)"
            )
    session = str(stored.words.get("session") or "")
    known = {one["name"]: one["sha256"] for one in stored.words.get("sessions") or ()}
    if session and not _is_of(known.get(session, ""), stored, source):
        problems.append(
            f"the coder is the part for the session '{session}' (sha256 {known[session][:16]}…), and "
            f"this is another recording ({stored.source.sha256[:16]}…)"
        )
    raise_together(problems, heading="these results do not belong together")


def was_made_from(path: Path, sha256: str) -> bool:
    """Whether a file is an annotated copy of the file with this checksum, or a copy of a copy."""
    return digests_then(path, sha256) is not None


def digests_then(path: Path, sha256: str) -> Digests | None:
    """What the units did of which a file holds results that were made from the file with this checksum.

    None where it holds no such results; nothing by which to compare where they are older than that.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with opened(path) as recording:
            module = recording.nwbfile.processing.get(MODULE)
            models: list[Any] = [] if module is None else list(module.data_interfaces.values())
            for model in filter(is_model, models):
                if sha256 in _files_of(model):
                    return digests_of_model(model)
    return None


def _files_of(model: Any) -> set[str]:
    """Checksums of the files that a model, its activations and its coder were made from."""
    found = {str(model.sessions["sha256"][0])}  # the others are other recordings
    with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
        words = json.loads(model.environment)
        parts = words["parts"].values()
        found |= {str(part["attrs"].get(names.SOURCE_SHA256, "")) for part in parts}
        own = words["coder"].get("session")
        found |= {one["sha256"] for one in words["coder"].get("sessions", ()) if one["name"] == own}
    return found


def _is_of(sha256: str, stored: StoredResult, source: Path) -> bool:
    """Whether the recording is the file with this checksum (where it is known), or a copy of it."""
    known = ("", stored.source.sha256, *stored.same_as)
    return sha256 in known or was_made_from(source, sha256)


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
