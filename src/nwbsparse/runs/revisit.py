"""A finished run, opened again: its coder, and the recording as the coder saw it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.annotated.read.same_units import digests_of, file_of, n_changed
from nwbsparse.binning.account import accounted_as
from nwbsparse.binning.with_target import with_target
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput
from nwbsparse.io.read import read_again
from nwbsparse.models import checkpoint
from nwbsparse.models.coder import SparseCoder
from nwbsparse.results.folder import (
    STABILITY,
    check_one_session,
    embedder_in,
    embedding_in,
    load_netcdf,
)
from nwbsparse.results.results import Results, check_recording, open_results
from nwbsparse.runs.prepare import prepare
from nwbsparse.session import Session

ANNOTATED = "*_sparse.nwb"


@dataclass(frozen=True)
class Revisited:
    """What there is of a run."""

    coder: SparseCoder
    binned: xr.Dataset
    """Binned and split as for its training."""
    folder: Path | None
    """Where its results lie; None for an annotated file by itself."""
    nwb: Path | None
    """The annotated file, if there is one."""
    results: Results | None
    """What the annotated file holds."""
    stability: xr.Dataset | None
    """What several seeds said, if there were several."""


@renamed(name="result")
def revisit(
    run: str | Path, *, source: Any = None, result: str | None = None, strict: bool = False
) -> Revisited:
    """Open the folder of a run or fit, or an annotated NWB file, and bin its recording again.

    Args:
        run: what ``nwbsparse run`` or ``fit`` wrote, or an annotated file from anywhere.
        source: the recording, or a copy of it with the same units and spikes; by default what the
            annotated file holds of it, which is everything but the raw data.
        result: which one of a file with several.
        strict: refuse what reading would otherwise repair and report.

    Raises:
        BadInput: nothing of the kind there, a fit without ``source``, another recording than the
            one it was made from, or one whose units changed since.
    """
    run = Path(run).expanduser()
    if run.is_dir() and not run.name.endswith(".zarr"):
        return _folder(run, source, result, strict=strict)
    if not run.exists():
        raise BadInput(f"{run} does not exist; give the folder of a run, or an annotated NWB file")
    results = open_results(run, result=result)
    session = _session_of(results, source, strict=strict)
    binned = prepare(
        session, results.config, embedding=results.embedding, embedder=results.embedder
    )
    if results.target is not None:
        rows, there = results.attribution[names.UNIT_ROW].values, results.target.unit_rows
        binned = with_target(binned, results.target, units=lambda _: np.isin(there, rows))
    binned = _as_made_from(binned, results.coder)
    return Revisited(results.coder, binned, None, run, results, results.stability)


def annotated_in(run: str | Path) -> Path:
    """The annotated file of a run: the one in its folder, or the file itself.

    Raises:
        BadInput: there is none, or several.
    """
    run = Path(run).expanduser()
    if not run.is_dir() or run.name.endswith(".zarr"):
        if not run.exists():
            raise BadInput(
                f"{run} does not exist; give the folder of a run, or an annotated NWB file"
            )
        return run
    found = sorted(run.glob(ANNOTATED))
    if len(found) != 1:
        said = "no annotated NWB file" if not found else f"{len(found)} annotated NWB files"
        raise BadInput(f"{run} holds {said}; name the file instead of the folder")
    return found[0]


def _folder(run: Path, source: Any, result: str | None, *, strict: bool) -> Revisited:
    if not (run / checkpoint.TENSORS).is_file():
        raise BadInput(
            f"{run} holds no coder ({checkpoint.TENSORS}); give the folder of `nwbsparse run` or "
            "`nwbsparse fit`"
        )
    check_one_session(run)
    coder = checkpoint.load(run)
    if coder.record.of_several:
        raise BadInput(
            f"{run} holds a model of several sessions ({', '.join(coder.record.session_names)}) and "
            "results of none; `nwbsparse run` on all of them makes a folder of each, `nwbsparse encode` "
            "applies the model to one"
        )
    found = sorted(run.glob(ANNOTATED))
    nwb = found[0] if len(found) == 1 else None
    results = None if nwb is None else open_results(nwb, result=result or coder.config.name)
    if source is None and results is None:
        raise BadInput(
            f"{run} holds no annotated NWB file to read the recording from; name the recording "
            "with --source"
        )
    if results is None:
        session = recording_of(source, coder, strict=strict)
    else:
        session = _session_of(results, source, strict=strict)
    stability = None if results is None else results.stability
    if stability is None:
        stability = load_netcdf(run / STABILITY)
    binned = prepare(session, coder.config, embedding=embedding_in(run), embedder=embedder_in(run))
    return Revisited(coder, _as_made_from(binned, coder), run, nwb, results, stability)


def recording_of(
    source: Any, coder: SparseCoder, results: Results | None = None, *, strict: bool = False
) -> Session:
    """Read the recording that a coder was trained on, from the file that somebody says it is.

    It is that recording when the file is the same to the byte (SHA-256), or a copy, annotated or
    edited elsewhere, whose units stand in the same table and have the same spikes. Of a coder whose
    record names no file, nothing can be said, and any is taken.

    Args:
        source: what :func:`nwbsparse.read` takes.
        coder: the coder; its record says which file it was trained on.
        results: what the annotated file holds that the coder came from, if it came from one.
        strict: refuse what reading would otherwise repair and report.

    Raises:
        BadInput: it is another recording, or its units changed since.
    """
    session = accounted_as(read_again(source, coder.config, strict=strict), coder.config)
    made_from = coder.record.source_sha256
    if session.source.sha256 == made_from or not made_from:
        return session
    if results is not None and results.digests:
        if session.source.units_object_id == results.session.source.units_object_id:
            check_recording(results, session)
            return session
    elif _is_copy(session, made_from):
        return session
    found = f"its sha256 is {session.source.sha256[:12]}…, not" if session.source.sha256 else "not"
    raise BadInput(
        f"{file_of(session)} is not the recording that '{coder.config.name}' was made from: {found} "
        f"{made_from[:12]}…, and it is no copy of it; for another recording use `nwbsparse transfer`"
    )


def _is_copy(session: Session, made_from: str) -> bool:
    """Whether a file holds results that were made from the file with this checksum, and units as then."""
    from nwbsparse.annotated.read.look import look

    path = session.source.path
    if path is None or not session.source.nwb_version:
        return False
    known = look(path).digests_then(made_from)
    return known is not None and not n_changed(known, digests_of(session))


def _session_of(results: Results, source: Any, *, strict: bool) -> Session:
    """The recording of opened results: what their file holds of it, or the one that is named."""
    if source is not None:
        return recording_of(source, results.coder, results, strict=strict)
    check_recording(results)
    return results.session


def _as_made_from(binned: xr.Dataset, coder: SparseCoder) -> xr.Dataset:
    """Bins of a copy of the recording, saying which recording they are of: what comes from them pairs."""
    made_from = coder.record.source_sha256
    return binned.assign_attrs({names.SOURCE_SHA256: made_from}) if made_from else binned
