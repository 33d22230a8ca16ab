"""Where each part of a recording came from, said in the file itself."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from typing import Any

from hdmf.common import DynamicTable, VectorData

from nwbsparse.io.nwb.marks import BEHAVIOUR, ORIGIN, RECORDING
from nwbsparse.session import Session


def add_origin(nwbfile: Any, session: Session, *, made: bool) -> None:
    """Say in a table of /scratch what the recording was read from, and what was joined to it.

    ``made``: the recording was made anew, not copied: it says so itself then, and reading it leaves no
    option open.
    """
    rows: list[tuple[str, str, str]] = []
    source = session.source
    if made:
        rows.append((RECORDING, _recording_said(session), source.sha256))
    if session.joined is not None:
        rows.append((BEHAVIOUR, session.joined.said, session.joined.sha256))
    if not rows or ORIGIN in (nwbfile.scratch or {}):
        return
    heads = ("part", "said", "sha256")
    words = ("part of the recording", "where it came from", "SHA-256 of that source")
    columns = [
        VectorData(name=name, description=word, data=[row[at] for row in rows])
        for at, (name, word) in enumerate(zip(heads, words, strict=True))
    ]
    nwbfile.add_scratch(
        DynamicTable(name=ORIGIN, description="where this recording came from", columns=columns)
    )


def left_out(session: Session) -> tuple[str, ...]:
    """What a recording that was NWB holds besides what was read of it: raw data, images, other tables."""
    if not session.source.nwb_version:
        return ()
    return tuple(
        line.name
        for line in session.report.of_kind("other")
        if not line.kept and line.name.startswith("/")
    )


def _recording_said(session: Session) -> str:
    source = session.source
    where = source.uri or (source.path.name if source.path else "") or source.identifier
    return f"{where or 'arrays in memory'} (sha256 {source.sha256})"
