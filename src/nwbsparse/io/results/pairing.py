"""Do the parts of a result belong together, and to the recording beside which they are written?"""

from __future__ import annotations

import contextlib
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from nwbsparse import names
from nwbsparse.errors import raise_together
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.nwb.opening import opened
from nwbsparse.io.results.parse import is_model
from nwbsparse.io.results.populations import digests_of_model
from nwbsparse.io.results.same_units import Digests
from nwbsparse.io.results.stored import StoredResult
from nwbsparse.io.unchanged import digest_of
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
