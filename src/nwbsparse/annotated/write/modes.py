"""A source and a result → one file: HDF5 with everything in it, HDF5 with links, or Zarr."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from pynwb import NWBHDF5IO, NWBFile

from nwbsparse.annotated.elements.build import build_model
from nwbsparse.annotated.elements.populations import OUTPUT, populations_of_units
from nwbsparse.annotated.elements.storage import Pack, packed, plain
from nwbsparse.annotated.links import graft, linked_files
from nwbsparse.annotated.read.checksums import manifest_of, with_manifest
from nwbsparse.annotated.safe.hdf5 import steady_hdf5, steady_nwb
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.annotated.write.kept import allow_plain_columns, leave_out_raw
from nwbsparse.annotated.write.pairing import check_free
from nwbsparse.annotated.write.verify import types_in, validation_errors
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.nwb.opening import built
from nwbsparse.schema import own_version


def export(
    stored: StoredResult,
    source: Path,
    partial: Path,
    *,
    zarr: bool = False,
    replace: bool = False,
    dense: bool | None = None,
) -> tuple[dict[str, str], set[str]]:
    """Write everything of a source, and the result, into a new file.

    Returns what must be in it (object id → type), and the source's own validation errors. What
    nobody can build cannot be written either: the report of the source names it.
    """
    with built(source, for_copy=True) as (source_io, nwbfile):
        known_errors = validation_errors(io=source_io)
        check_units(stored, nwbfile, source)
        leave_out_raw(nwbfile)
        allow_plain_columns(nwbfile)
        module = nwbfile.processing.get(MODULE)
        if module is not None:
            for name in check_free(stored, module, source, replace=replace):
                module.data_interfaces.pop(name)
        _add(stored, nwbfile, pack=plain if zarr else packed, dense=dense)
        _sign(nwbfile)
        nwbfile.set_modified()
        kept = types_in(nwbfile)
        with new_zarr(partial) if zarr else steady_nwb(partial, "w") as target_io:
            target_io.export(src_io=source_io, nwbfile=nwbfile, write_args={"link_data": False})
    return kept, known_errors


def append(
    stored: StoredResult,
    source: Path,
    partial: Path,
    *,
    replace: bool = False,
    dense: bool | None = None,
) -> tuple[dict[str, str], set[str]]:
    """Copy a file byte by byte, and add the result to the copy.

    An export would lose what a file holds against its schema: of five recordings from archives,
    two lost columns or attributes.
    """
    if linked := ", ".join(one.name for one in linked_files(source)):
        raise BadInput(
            f"{source} links to {linked}, and adding to it could change that; use another mode"
        )
    shutil.copyfile(source, partial)
    with read_back(partial) as (io, nwbfile):
        known_errors = validation_errors(io=io)
        check_units(stored, nwbfile, source)
        module = nwbfile.processing.get(MODULE)
        gone = set() if module is None else check_free(stored, module, source, replace=replace)
    with steady_hdf5(partial, "r+") as file:
        for name in gone:
            del file[f"processing/{MODULE}/{name}"]
    with steady_nwb(partial, "a") as io:
        nwbfile = io.read()
        _add(stored, nwbfile, pack=packed, dense=dense)
        _sign(nwbfile)
        kept = types_in(nwbfile)
        io.write(nwbfile)
    return kept, known_errors


def link(
    stored: StoredResult,
    source: Path,
    partial: Path,
    *,
    target: Path,
    replace: bool = False,
    dense: bool | None = None,
) -> tuple[dict[str, str], set[str]]:
    """Write the result alone into a new file, with links to everything in the source."""
    gone: set[str] = set()
    with built(source) as (source_io, nwbfile):
        known_errors = validation_errors(io=source_io)
        check_units(stored, nwbfile, source)
        module = nwbfile.processing.get(MODULE)
        if module is not None:
            gone = check_free(stored, module, source, replace=replace)
        new = NWBFile(
            session_description=nwbfile.session_description,
            identifier=str(uuid4()),
            session_start_time=nwbfile.session_start_time,
            timestamps_reference_time=nwbfile.timestamps_reference_time,
            was_generated_by=[("nwbsparse", own_version())],
        )
        # links to what is in another file are set when the file is there
        outside = SimpleNamespace(objects={}, subject=nwbfile.subject)
        _add(stored, new, pack=packed, dense=dense, source=outside)
        if module is not None:
            for name in gone:
                module.data_interfaces.pop(name)
        kept = types_in(nwbfile) | types_in(new)
        # a table whose columns are linked one by one does not own them
        electrodes = () if nwbfile.electrodes is None else nwbfile.electrodes.children
        # nor is the module of results that were there the one that holds ours
        for one in (nwbfile, new, *electrodes, *([] if module is None else [module])):
            kept.pop(one.object_id)
    with steady_nwb(partial, "w") as target_io:
        target_io.write(new)
    units, place = stored.source.units_path, f"processing/{MODULE}/{stored.name}"
    populations = populations_of_units(stored) if units else ()
    tables = {f"{place}/{name}": units for name in populations}
    if stored.target is not None:
        tables[f"{place}/{OUTPUT}"] = stored.target.source.units_path
    graft(source, partial, target=target, without=gone, tables=tables)
    return kept, known_errors


def seal(stored: StoredResult, partial: Path) -> None:
    """Store the checksums of what was written with it."""
    place = f"processing/{MODULE}/{stored.name}/environment"
    with read_back(partial) as (_, nwbfile):
        model = nwbfile.processing[MODULE][stored.name]
        words = with_manifest(model.environment, manifest_of(model))
    if partial.is_dir():
        import_module("zarr").open(str(partial), mode="r+")[place][0] = words
    else:
        with steady_hdf5(partial, "r+") as file:
            file[place][()] = words


@contextmanager
def read_back(path: Path) -> Iterator[tuple[Any, Any]]:
    """A file that was just written, opened with pynwb as anyone else would."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make = _zarr_io() if path.is_dir() else NWBHDF5IO
        with make(path=str(path), mode="r") as io:
            yield io, io.read()


def new_zarr(path: Path) -> Any:
    """An open new Zarr store, in which references stand as JSON: pickles can run programs."""
    from numcodecs import JSON

    io = _zarr_io()(path=str(path), mode="w")
    io._ZarrIO__codec_cls = JSON  # NWBZarrIO does not pass its argument for this on
    return io


def _zarr_io() -> Any:
    try:
        return import_module("hdmf_zarr").NWBZarrIO
    except ImportError:
        raise EnvironmentProblem(
            "NWB Zarr needs hdmf-zarr: pip install 'nwbsparse[zarr]'"
        ) from None


def check_units(stored: StoredResult, nwbfile: Any, source: Path) -> None:
    """Refuse a file whose units are others than those of the result.

    Raises:
        BadInput: they are.
    """
    sources = [stored.source, *([stored.target.source] if stored.target is not None else [])]
    wanted = {one.units_object_id for one in sources} - {""}
    if not wanted <= set(nwbfile.objects):
        raise BadInput(f"the units in {source} are others than those the result was made from")


def _add(
    stored: StoredResult, nwbfile: Any, *, pack: Pack, dense: bool | None, source: Any = None
) -> None:
    module = nwbfile.processing.get(MODULE)
    if module is None:
        module = nwbfile.create_processing_module(MODULE, "sparse latents learned by nwbsparse")
    for thing in build_model(stored, source or nwbfile, pack=pack, dense=dense):
        if thing.name in module.data_interfaces:
            raise BadInput(
                f"'{thing.name}' exists in {MODULE} and belongs to another result; use --name"
            )
        module.add(thing)


def _sign(nwbfile: Any) -> None:
    """Say that nwbsparse had a part in the file, besides what had before."""
    ours = ("nwbsparse", own_version())
    before = nwbfile.was_generated_by
    if before is None:
        nwbfile.was_generated_by = [ours]
        return
    said = [tuple(str(word) for word in row) for row in before[:]]
    if ours not in said:
        nwbfile.fields["was_generated_by"] = [*said, ours]
