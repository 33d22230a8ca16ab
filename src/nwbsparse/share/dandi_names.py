"""What a file is called on the DANDI archive: ``sub-X/sub-X_ses-Y_desc-Z_ecephys.nwb``."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from nwbsparse.errors import BadInput

_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9+]+")
_LONGEST = 64
"""Characters of one label: three of them and the words between fit into a file name anywhere."""


def label(text: str, *, what: str) -> str:
    r"""A text as part of a DANDI file name: ASCII letters, digits, + and -.

    The archive refuses ``_ * \ / < > : | " ' ? % @ ; .`` in a label; spaces, control characters
    and letters outside ASCII trip other programs. Accents are dropped, everything else becomes one
    hyphen.

    Raises:
        BadInput: nothing is left of it.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    made = _NOT_ALLOWED.sub("-", plain).strip("-+")[:_LONGEST].rstrip("-+")
    if not made:
        raise BadInput(
            f"{what} {text!r} holds no letter or digit that can stand in a file name on DANDI"
        )
    return made


def dandi_path(
    *, subject_id: str, session_id: str | None, result: str, modality: str
) -> PurePosixPath:
    """Where a bundle lies in a Dandiset: exactly one folder deep, named after the subject.

    ``session_id`` may be absent; ``modality`` is "ecephys" or "ophys".

    Raises:
        BadInput: an id or name has no character that may stand in a file name.
    """
    subject = f"sub-{label(subject_id, what='the subject id')}"
    parts = [subject]
    if session_id:
        parts.append(f"ses-{label(session_id, what='the session id')}")
    parts += [f"desc-{label(result, what='the name of the result')}", modality]
    return PurePosixPath(subject) / f"{'_'.join(parts)}.nwb"
