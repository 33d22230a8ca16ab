"""Do the parts of a result belong together, and to the recording beside which they are written?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nwbsparse import names
from nwbsparse.annotated.read.look import Look
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.errors import raise_together
from nwbsparse.io.digest import digest_of
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


def check_pairing(stored: StoredResult, source: Callable[[], Look]) -> None:
    """Refuse what was made by another coder, or from another recording.

    ``source``: a look at the file that the session was read from, taken where it is needed.

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


def _is_of(sha256: str, stored: StoredResult, source: Callable[[], Look]) -> bool:
    """Whether the recording is the file with this checksum (where it is known), or a copy of it."""
    known = ("", stored.source.sha256, *stored.same_as)
    return sha256 in known or source().was_made_from(sha256)
