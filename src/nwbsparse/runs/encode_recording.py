"""A coder in a folder, applied to a recording: its latents as netCDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse.analysis.apply.encode import encode
from nwbsparse.errors import BadInput
from nwbsparse.io.read import read_again
from nwbsparse.models import checkpoint
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.session_part import coder_of_session
from nwbsparse.results.folder import check_one_session, embedder_in, embedding_in, save_netcdf
from nwbsparse.runs.asked import source_name
from nwbsparse.runs.prepare import prepare
from nwbsparse.session import Session


def encode_recording(
    model: str | Path,
    source: Any,
    out: str | Path,
    *,
    embedding: Any = None,
    overwrite: bool = False,
    strict: bool = False,
) -> xr.Dataset:
    """Bin a recording as a coder's training was, and write its latents as netCDF.

    Args:
        model: folder of a coder. Of a coder of several recordings the part for this one is taken.
        source: what :func:`nwbsparse.read` takes.
        out: the file.
        embedding: for a coder of an embedding that of the recording; by default the one it
            learned from, or of another recording of the same units what made that makes of it.
        overwrite: replace the file.
        strict: refuse what reading would otherwise repair and report.

    Returns:
        What was written.

    Raises:
        BadInput: no coder in the folder, other units or another recording, or the file exists.
        EnvironmentProblem: it cannot be written.
    """
    model, out = Path(model).expanduser(), Path(out).expanduser()
    if out.exists() and not overwrite:
        raise BadInput(f"{out} exists; use --overwrite or another --out")
    check_one_session(model)
    coder = checkpoint.load(model)
    session = read_again(source, coder.config, strict=strict)
    if coder.record.of_several:
        coder = _part_for(coder, session)
        model /= coder.record.session  # where what it read of this one is kept
    latents = encode(coder, _prepared(session, coder, model, embedding))
    save_netcdf(latents, out)
    return latents


def _prepared(session: Session, coder: SparseCoder, model: Path, embedding: Any) -> xr.Dataset:
    """The bins, with the embedding that is given, or was learned from, or that what made that makes."""
    held, same = embedder_in(model), session.source.sha256 == coder.record.source_sha256
    if embedding is None and (same or held is None):
        embedding = embedding_in(model)
    return prepare(
        session, coder.config, embedding=embedding, embedder=held, applied=embedding is None
    )


def _part_for(coder: SparseCoder, session: Session) -> SparseCoder:
    """The part of a coder of several recordings for one of them, known by its SHA-256."""
    for one in coder.record.sessions:
        if one.sha256 and one.sha256 == session.source.sha256:
            return coder_of_session(coder, one.name)
    raise BadInput(
        f"{source_name(session)} is none of the recordings that the coder was made from: "
        + ", ".join(f"{one.name} (sha256 {one.sha256[:16]}…)" for one in coder.record.sessions)
    )
