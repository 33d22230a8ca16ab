"""bundle(): an annotated file as DANDI takes it."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
from pynwb import NWBHDF5IO

from nwbsparse.annotated.elements.populations import recorded_in
from nwbsparse.annotated.read.checksums import check_manifest
from nwbsparse.annotated.read.opened import models_in
from nwbsparse.annotated.record import read_record
from nwbsparse.annotated.safe.publish import check_space, partial_of, publish
from nwbsparse.annotated.write import verify
from nwbsparse.annotated.write.kept import allow_plain_columns, leave_out_films, leave_out_raw
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput, EnvironmentProblem, IntegrityError, unknown
from nwbsparse.io.check import check_readable
from nwbsparse.io.digest import digest_of
from nwbsparse.io.nwb.opening import built
from nwbsparse.share.dandi_names import dandi_path
from nwbsparse.share.flatten import flatten, has_external_links
from nwbsparse.share.subject import SubjectFields, complete_subject


@dataclass(frozen=True)
class Bundle:
    """A self-contained file in a Dandiset folder, ready for ``dandi upload``."""

    path: Path
    left_out: tuple[str, ...]
    """Raw series of acquisition that are not in it."""
    films: tuple[str, ...]
    """Stimuli that are not in it because their frames lie in films outside the file."""
    added: Mapping[str, str]
    """What was said about the subject by whoever made it."""
    linked: bool
    """Whether parts of it came from other files."""


@renamed(name="result")
def bundle(
    file: str | Path,
    out: str | Path,
    *,
    result: str | None = None,
    subject: SubjectFields = SubjectFields(),  # noqa: B008  (frozen)
    session_id: str | None = None,
) -> Bundle:
    """Make an annotated file ready for DANDI: one HDF5 file without raw data, under DANDI's name.

    The file lies in ``out/sub-X/sub-X_ses-Y_desc-Z_ecephys.nwb`` (``ophys`` when the units are
    ROIs): X and Y are the subject's and the session's ids, Z the name of the result. Raw series in
    acquisition are left out unless something kept refers to them, and so are stimuli that are films
    outside the file; parts that lie in other files are copied in. The file is verified before it
    gets its name, and the source is only read.

    Args:
        file: an annotated NWB file (HDF5), self-contained or linking to its source.
        out: folder of the Dandiset (made when absent).
        result: the one that names the file, when it holds several; all of them stay in it.
        subject: what the file does not say about its subject.
        session_id: likewise; a file without one is named without ``ses-``.

    Raises:
        BadInput: no results in the file, something DANDI asks is neither in the file nor given, or
            the bundle exists: it is never overwritten.
        EnvironmentProblem: the folder cannot be written to.
        IntegrityError: what was read back is not what was written; nothing is left behind.
    """
    source, out = check_readable(file).resolve(), Path(out).expanduser()
    if source.is_dir():
        raise BadInput(
            f"{source} is Zarr; `nwbsparse bundle` makes HDF5 files from HDF5 files: write the "
            "results with mode='derived' and bundle that file"
        )
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; --out must be a folder")
    before = digest_of(source)
    with _quiet(), built(source, for_copy=True) as (_, nwbfile):
        complete_subject(nwbfile, subject)  # all that is missing is said before anything is made
        place = _place(nwbfile, source, result, session_id)
        raw, films = _raw_of(nwbfile), leave_out_films(nwbfile)
        size = _size_of(nwbfile)
    target = out.resolve() / place
    if os.path.lexists(target):
        raise BadInput(
            f"{target} exists and is never overwritten; move it away, or change --result"
        )
    check_space(out, size)
    with (
        _folder(target.parent),
        partial_of(target, unchanged=source, notify=lambda _: None) as partial,
    ):
        linked = has_external_links(source)
        if linked:
            whole = partial.with_suffix(".whole")
            try:
                gone = {f"/acquisition/{one}" for one in raw}
                gone |= {f"/stimulus/presentation/{one}" for one in films}
                flatten(source, whole, without=frozenset(gone))
                added = _export(whole, partial, subject, session_id, like=source)
            finally:
                whole.unlink(missing_ok=True)
        else:
            added = _export(source, partial, subject, session_id, like=source)
        if digest_of(source) != before:
            raise BadInput(f"{source} changed while it was bundled; try again")
        publish(partial, target, new=True)
    return Bundle(target, raw, films, added, linked)


def _place(nwbfile: Any, source: Path, result: str | None, session_id: str | None) -> Any:
    models = models_in(nwbfile)
    if not models:
        raise BadInput(
            f"{source} holds no sparse latents; `nwbsparse run {source.name}` makes them"
        )
    if result is not None and result not in models:
        raise unknown(result, sorted(models), what="result", where=source)
    held = nwbfile.session_id
    if held and session_id not in (None, held):
        raise BadInput(f"the file says session_id {held!r}; leave out --session-id {session_id!r}")
    chosen = [models[result]] if result else list(models.values())
    return dandi_path(
        subject_id=str(nwbfile.subject.subject_id),
        session_id=held or session_id,
        result=result or "+".join(sorted(models)),
        modality=_modality(chosen[0]),
    )


def _modality(model: Any) -> str:
    population = recorded_in(model)
    path = str(getattr(population, "source_table_path", "") or "")
    table = getattr(population, "source_table", None)
    kind = str(getattr(table, "neurodata_type", ""))
    series = str(getattr(getattr(population, "source_series", None), "neurodata_type", ""))
    imaging = kind == "PlaneSegmentation" or series == "RoiResponseSeries" or "/ophys/" in path
    return "ophys" if imaging else "ecephys"


def _raw_of(nwbfile: Any) -> tuple[str, ...]:
    """Names of the raw series that go; the object in memory loses them."""
    before = set(nwbfile.acquisition)
    leave_out_raw(nwbfile)
    return tuple(sorted(before - set(nwbfile.acquisition)))


def _size_of(nwbfile: Any) -> int:
    """Bytes that the bundle may take: what is kept, twice where it lies in other files."""
    stored = 0
    for thing in nwbfile.objects.values():
        for value in thing.fields.values():
            if isinstance(value, h5py.Dataset):
                stored += value.id.get_storage_size()
    return 2 * stored + 10 * 2**20


def _export(
    whole: Path, partial: Path, subject: SubjectFields, session_id: str | None, *, like: Path
) -> dict[str, str]:
    with _quiet():
        with built(whole, for_copy=True) as (io, nwbfile):
            known = verify.validation_errors(io=io)
            added = complete_subject(nwbfile, subject)
            if session_id and not nwbfile.session_id:
                nwbfile.fields["session_id"] = session_id
            leave_out_raw(nwbfile)
            leave_out_films(nwbfile)
            allow_plain_columns(nwbfile)
            nwbfile.set_modified()
            kept = verify.types_in(nwbfile)
            with NWBHDF5IO(path=str(partial), mode="w") as target:
                target.export(src_io=io, nwbfile=nwbfile, write_args={"link_data": False})
        check_readable(partial)
        with NWBHDF5IO(path=str(partial), mode="r") as io:
            written: Any = io.read()
            there = verify.types_in(written)
            lost = [f"{kind} {key}" for key, kind in kept.items() if there.get(key) != kind]
            if lost:
                raise IntegrityError(f"{len(lost)} objects are missing: {', '.join(lost[:5])}")
            if any(getattr(written.subject, key) != value for key, value in added.items()):
                raise IntegrityError("what was said about the subject is not in the file")
            for model in models_in(written).values():
                check_manifest(model, read_record(model))
        verify.check_validation(known, path=str(partial))
    _check_data(like, partial)
    if has_external_links(partial):
        raise IntegrityError(f"{partial.name} still leads to other files")
    return added


def _check_data(source: Path, written: Path) -> None:
    """Every dataset of the bundle that the source has must hold the same values."""
    changed: list[str] = []
    with h5py.File(source, "r") as old, h5py.File(written, "r") as new:

        def look(path: str, thing: Any) -> None:
            if path.startswith(_RENEWED) or not isinstance(thing, h5py.Dataset):
                return
            if path in old and not verify.same_data(old[path], thing):
                changed.append(f"/{path}")

        new.visititems(look)
    if changed:
        raise IntegrityError(
            f"after writing, these differ from the source: {', '.join(changed[:5])}"
        )


_RENEWED = ("specifications", "file_create_date", "general/subject", "general/was_generated_by")


@contextlib.contextmanager
def _folder(folder: Path) -> Any:
    """A folder that is there; gone again if it is still empty at the end."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(f"{folder} cannot be made: {error.strerror}") from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


@contextlib.contextmanager
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the source; `nwbsparse validate` says them
        yield
