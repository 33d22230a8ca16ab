"""The recordings that a model was made from, a row each."""

from __future__ import annotations

from typing import Any

from hdmf.common import DynamicTable

import ndx_sparse_latents as ndx
from nwbsparse.annotated.stored import StoredResult


def sessions_table(stored: StoredResult, nwbfile: Any) -> DynamicTable:
    """The recording the model was trained on; of several, the one in this file is the first."""
    several = bool(stored.words.get("model_id"))
    said = "the recording the model was trained on"
    if several:
        said = "the recordings the model was trained on, the one in this file first"
    table = ndx.SourceSessionsTable(name="sessions", description=said)
    source = stored.source
    subject = nwbfile.subject
    table.add_row(
        nwb_identifier=source.identifier,
        nwb_object_id=source.object_id,
        session_id=source.session_id,
        subject_id=str(subject.subject_id or "") if subject is not None else "",
        uri=source.uri or (source.path.name if source.path else ""),
        sha256=source.sha256,
    )
    if several:
        _add_others(table, stored)
    return table


def _add_others(table: DynamicTable, stored: StoredResult) -> None:
    """The other sessions of a model of several, and what the model calls each."""
    own = stored.words["session"]
    others = [one for one in stored.words["sessions"] if one["name"] != own]
    for one in others:
        table.add_row(
            nwb_identifier=one["identifier"],
            nwb_object_id=one["object_id"],
            session_id=one["session_id"],
            subject_id=one["subject_id"],
            uri=one["uri"],
            sha256=one["sha256"],
        )
    table.add_column(
        name="session",
        description="what the model calls the session",
        data=[own, *(one["name"] for one in others)],
    )
