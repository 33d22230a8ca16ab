"""Results: everything about one model of one recording, written to NWB and opened again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import torch
import xarray as xr

from nwbsparse import names
from nwbsparse.annotated.elements.digests import Digests
from nwbsparse.annotated.read.same_units import check_units, digests_of, file_of
from nwbsparse.annotated.recording.stage import refuse_fields, stands_as_it_is
from nwbsparse.annotated.stored import StoredResult, TargetSource
from nwbsparse.binning.account import accounted_as
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.io.digest import digest_of
from nwbsparse.io.stops import stops_are_heard
from nwbsparse.models.checkpoint import from_parts, to_bytes, to_words
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.device import pick_device
from nwbsparse.options.config import Config
from nwbsparse.options.nwb_fields import NwbFields
from nwbsparse.session import Session, Source

Mode = Literal["derived", "link", "in_place", "zarr"]
Notify = Callable[[str], None]

_log = logging.getLogger("nwbsparse")


@dataclass(frozen=True)
class Results:
    """A recording, the coder learned from it, its latents, how good they are, what they mean."""

    session: Session
    coder: SparseCoder
    latents: xr.Dataset
    metrics: xr.Dataset
    attribution: xr.Dataset
    environment: Mapping[str, Any] = field(default_factory=dict)
    """When, where and with what it was made."""
    embedding: xr.DataArray | None = None
    """(time, dim): what a coder of an embedding read; None for one that reads counts."""
    embedder: bytes | None = None
    """What made it, as safetensors (:class:`nwbsparse.Embedder`), where it was made here."""
    target: Session | None = None
    """The session of the units that are reconstructed, where they are of another table of the same
    file than those that are read (:func:`nwbsparse.with_target`)."""
    stability: xr.Dataset | None = None
    """How the latents come back in other seeds (:func:`nwbsparse.stability`); None for one seed."""
    digests: Digests = field(default_factory=dict)
    """Of what was opened from a file: checksums of what each unit did when the results were made."""

    def __repr__(self) -> str:
        coder = self.coder
        learned = f"{coder.n_latents} latents of {coder.n_units} units"
        return f"Results({self.name!r}: {learned}; {self.session!r})"

    @property
    def config(self) -> Config:
        return self.coder.config

    @property
    def name(self) -> str:
        return self.coder.config.name


def environment(coder: SparseCoder) -> dict[str, Any]:
    """Versions, device, threads and time: what a reader needs to make the result again."""
    return {
        **coder.record.software,
        "device": str(pick_device(coder.config.device)),
        "threads": torch.get_num_threads(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def derived_name(source: Path, name: str) -> str:
    """File name of the annotated copy of a recording: a file without its ending, a folder as it is."""
    called = source.name if source.is_dir() else source.stem
    called = called.removesuffix(".zarr").removesuffix(".nwb")
    return f"{called or 'recording'}_desc-{name}_sparse.nwb"


@renamed(say="notify")
def write(
    results: Results,
    to: str | Path,
    mode: Mode = "derived",
    *,
    replace: bool = False,
    overwrite: bool = False,
    dense: bool | None = None,
    backup: bool = False,
    fields: NwbFields | Mapping[str, str] | None = None,
    notify: Notify | None = None,
) -> Path:
    """Write the latents and their meaning into an NWB file, beside the recording they came from.

    Model, weights, latents, activations, attributions, metrics and splits stand in
    ``/processing/sparse_latents``; anyone can read them, with pynwb alone. The file is reopened,
    compared and validated before it gets its name: at every moment there is the file that was
    there before, or the complete new one. ``docs/reference/writing.md`` says more.

    Of a session that is no NWB file (HDF5) on this machine (a sorting, traces, arrays, a stream, a
    Zarr store) the file holds the recording as it was read: a copy of a Zarr store without raw data,
    else a new recording with units, behaviour, trials and events.

    Args:
        results: what :func:`nwbsparse.run` made, or was put together from the single steps.
        to: the file to write.
        mode: ``derived``: a new file with the recording, without raw data. ``link``: a new small
            file with links to the recording, which must stay beside it. ``in_place``: ``to`` is
            the recording itself (or an annotated copy), and is replaced by one that also holds
            the results. ``zarr``: as ``derived``, as an NWB Zarr store.
        replace: replace a result of the same name.
        overwrite: replace the file ``to``, if there is one.
        dense: store activations as a full table (True) or only those that are not zero (False);
            None: a full table for up to 256 latents.
        backup: with ``in_place``, keep what was there before as ``<to>.bak``.
        fields: what only a person can say about a session that comes from no NWB file: when it began,
            the subject, who recorded it (:class:`nwbsparse.NwbFields`, or {field: text}).
        notify: called with a line of text when there is something to know.

    Returns:
        The path of the file. Where it holds the very same result already (same options, weights
        and recording), nothing is written, and that is said.

    Raises:
        BadInput: the file exists (``overwrite``), a result of this name exists (``replace``), the
            units changed since the results were made, or the mode needs a file and there is none.
        EnvironmentProblem: it cannot be written there, or another program holds it.
        IntegrityError: what was read back differs; nothing is left behind.
    """
    from nwbsparse.annotated.write.pairing import recording_at
    from nwbsparse.annotated.write.write import MODES, WriteOptions, write_result
    from nwbsparse.results.placement import in_file, with_recording

    if mode not in MODES:
        raise BadInput(f"mode is {mode!r}; choose one of {', '.join(MODES)}")
    check_recording(results)
    target, told = Path(to).expanduser(), notify or _log.info
    options = WriteOptions(mode, replace, overwrite, dense, backup)
    asked = NwbFields.of(fields)
    if stands_as_it_is(results.session):
        refuse_fields(results.session, asked)
        source = results.session.source
        assert source.path is not None
        path, made_from = source.path, results.coder.record.source_sha256
        if mode == "in_place":
            source = recording_at(source, target, made_from)
        same_as = (made_from,) if results.digests else ()
        return write_result(_stored(results, source, same_as), path, target, options, notify=told)
    if mode == "link":
        raise BadInput(
            "mode='link' needs the recording as an NWB file (HDF5) on this machine that stays where it "
            "is, with nothing joined to it; use mode='derived'"
        )
    if mode == "in_place":
        placed = in_file(results, target)
        same_as = (digest_of(target), results.coder.record.source_sha256)
        stored = _stored(placed, placed.session.source, same_as)
        return write_result(stored, target, target, options, notify=told)
    with with_recording(results, asked, target, notify=told) as (placed, path, sha256):
        same_as = (sha256, results.coder.record.source_sha256)
        stored = _stored(placed, placed.session.source, same_as)
        return write_result(stored, path, target, options, notify=told)


def _stored(results: Results, source: Source, same_as: tuple[str, ...]) -> StoredResult:
    """Results as files hold them; ``same_as``: checksums of what ``source`` is a copy of."""
    coder = results.coder
    return StoredResult(
        name=results.name,
        words=to_words(coder),
        tensors=to_bytes(coder),
        weights={name: one.detach().cpu().numpy() for name, one in coder.state_dict().items()},
        latents=results.latents,
        metrics=results.metrics,
        attribution=results.attribution,
        source=source,
        environment=dict(results.environment) or environment(coder),
        embedding=_embedding(results),
        embedder=results.embedder,
        target=_target(results),
        stability=results.stability,
        digests=results.digests or digests_of(results.session, results.target),
        same_as=same_as,
    )


def check_recording(results: Results, session: Session | None = None) -> None:
    """Make sure that the units of a recording are those that opened results were made from.

    Results that come from no file, or from one of before checksums were kept, are not looked at.

    Args:
        results: what :func:`open_results` gave.
        session: the recording; that of the results when absent.

    Raises:
        BadInput: spikes (or samples) of some units differ; how many.
    """
    session = session or results.session
    if results.digests and session.source.path is not None:
        where = file_of(session)
        check_units(results.digests, session, results.target, name=results.name, where=where)


def _target(results: Results) -> TargetSource | None:
    """Where the units stand that are reconstructed, if not in the table of those that are read.

    Raises:
        BadInput: they are of another file.
    """
    if results.target is None:
        return None
    first, second = results.session.source, results.target.source
    if not first.sha256 or first.sha256 != second.sha256:
        raise BadInput(
            "the units that are reconstructed are of another file than those that are read; a file "
            "holds results of its own units only"
        )
    traces = results.target.traces
    return TargetSource(second, traces.name if traces is not None else "")


def _embedding(results: Results) -> xr.DataArray | None:
    """The embedding that is to be stored.

    Raises:
        BadInput: the coder reads one, and there is none, or one of other bins or dims.
    """
    if results.coder.record.of_units:
        return None
    wanted = (results.latents.sizes[names.TIME], results.coder.n_units)
    if results.embedding is None or results.embedding.shape != wanted:
        given = "there is none" if results.embedding is None else f"it is {results.embedding.shape}"
        raise BadInput(
            f"the coder reads an embedding of {wanted[0]:,} bins and {wanted[1]} dims, and {given}; "
            "give Results(…, embedding=binned['embedding'])"
        )
    return results.embedding


@renamed(name="result")
@stops_are_heard()
def open_results(path: str | Path, *, result: str | None = None) -> Results:
    """Open an annotated NWB file: the datasets and a working coder, from the file alone.

    Everything is compared with the checksums it was written with. Of a file that was written with
    ``mode="link"`` and whose recording is not there, the results open with a warning and with a
    session that holds the units and no spikes.

    Args:
        path: what :func:`write` or ``nwbsparse run`` wrote, HDF5 or Zarr.
        result: its name, when the file holds several.

    Raises:
        BadInput: no sparse latents in the file, or several and no name.
        IntegrityError: the stored coder or datasets are damaged (the message names what changed),
            or the file links to another recording.
    """
    from nwbsparse.annotated.read.opened import opened_result, source_is_here, without_recording
    from nwbsparse.io.read import read_opened

    path = Path(path).expanduser()
    other: Session | None = None
    with opened_result(path, result, alone=not source_is_here(path)) as (stored, recording):
        coder = from_parts(stored.tensors, dict(stored.words))
        if recording is None:
            session = without_recording(path, stored)
        else:
            session = accounted_as(read_opened(recording, coder.config), coder.config)
        if recording is not None and stored.target is not None:
            series = stored.target.series or None
            other = read_opened(recording, coder.config.replace(series=series, band=()))
    if stored.latents.attrs.get("coder_id") != coder.id:
        raise IntegrityError(f"{path}: the activations were not made by the stored coder")
    return Results(
        session=session,
        coder=coder,
        latents=stored.latents,
        metrics=stored.metrics,
        attribution=stored.attribution,
        environment=stored.environment,
        embedding=stored.embedding,
        embedder=stored.embedder,
        target=other,
        stability=stored.stability,
        digests=stored.digests,
    )
