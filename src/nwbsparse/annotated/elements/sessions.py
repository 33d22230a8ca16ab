"""The recordings that a model was made from ⇄ a table with a row each."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hdmf.common import DynamicTable

import ndx_sparse_latents as ndx
from nwbsparse.annotated.elements.populations import OUTPUT, recorded_in
from nwbsparse.annotated.stored import StoredResult, TargetSource
from nwbsparse.io.stream import is_address
from nwbsparse.session import Source


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


def source_in(model: Any) -> Source:
    """The recording that a model in a file was made from, and the table of its units."""
    return _source(model, recorded_in(model))


def target_in(model: Any, said: Mapping[str, Any] | None) -> TargetSource | None:
    """The table of the units that are reconstructed, if not that of the units that are read.

    ``said``: the ``target`` of the model's record.
    """
    if said is None:
        return None
    return TargetSource(_source(model, getattr(model, OUTPUT)), str(said["series"]))


def _source(model: Any, population: Any) -> Source:
    row = model.sessions.to_dataframe().iloc[0]
    uri = str(row["uri"])
    return Source(
        path=None,
        sha256=str(row["sha256"]),
        identifier=str(row["nwb_identifier"]),
        object_id=str(row["nwb_object_id"]),
        session_id=str(row["session_id"]),
        units_path=str(population.source_table_path),
        units_object_id=str(population.source_table_object_id),
        uri=uri if is_address(uri) else "",  # of a local file its name stands there
    )
