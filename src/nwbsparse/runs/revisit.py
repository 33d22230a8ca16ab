"""A finished run, opened again: its coder, and the recording as the coder saw it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse.binning.with_target import with_target
from nwbsparse.errors import BadInput
from nwbsparse.io.read import read_as
from nwbsparse.models import checkpoint
from nwbsparse.models.coder import SparseCoder
from nwbsparse.results.folder import STABILITY, check_one_session, embedding_in
from nwbsparse.results.results import Results, open_results
from nwbsparse.runs.prepare import prepare

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


def revisit(
    run: str | Path, *, source: Any = None, name: str | None = None, strict: bool = False
) -> Revisited:
    """Open the folder of a run or fit, or an annotated NWB file, and bin its recording again.

    Args:
        run: what ``nwbsparse run`` or ``fit`` wrote, or an annotated file from anywhere.
        source: the recording; by default what the annotated file holds of it, which is everything
            but the raw data.
        name: which result of a file with several.
        strict: refuse what reading would otherwise repair and report.

    Raises:
        BadInput: nothing of the kind there, or a fit without ``source``.
    """
    run = Path(run).expanduser()
    if run.is_dir() and not run.name.endswith(".zarr"):
        return _folder(run, source, name, strict=strict)
    if not run.exists():
        raise BadInput(f"{run} does not exist; give the folder of a run, or an annotated NWB file")
    results = open_results(run, name=name)
    session = results.session
    if source is not None:
        session = read_as(source, results.config, strict=strict)
    binned = prepare(session, results.config, embedding=results.embedding)
    if results.target is not None:
        ids = [one.rpartition(":")[2] for one in results.coder.record.targets]
        binned = with_target(binned, results.target, units=ids)
    return Revisited(results.coder, binned, None, run, results, None)


def annotated_in(run: Path) -> Path:
    """The annotated file of a run: the one in its folder, or the file itself.

    Raises:
        BadInput: there is none, or several.
    """
    run = run.expanduser()
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


def _folder(run: Path, source: Any, name: str | None, *, strict: bool) -> Revisited:
    if not (run / checkpoint.TENSORS).is_file():
        raise BadInput(
            f"{run} holds no coder ({checkpoint.TENSORS}); give the folder of `nwbsparse run` or "
            "`nwbsparse fit`"
        )
    check_one_session(run)
    coder = checkpoint.load(run)
    found = sorted(run.glob(ANNOTATED))
    nwb = found[0] if len(found) == 1 else None
    results = None if nwb is None else open_results(nwb, name=name or coder.config.name)
    if source is None and results is None:
        raise BadInput(
            f"{run} holds no annotated NWB file to read the recording from; name the recording "
            "with --source"
        )
    if source is None:
        assert results is not None
        session = results.session
    else:
        session = read_as(source, coder.config, strict=strict)
    stability = None
    if (run / STABILITY).is_file():
        with xr.open_dataset(run / STABILITY, engine="h5netcdf") as stored:
            stability = stored.load()
    binned = prepare(session, coder.config, embedding=embedding_in(run))
    return Revisited(coder, binned, run, nwb, results, stability)
