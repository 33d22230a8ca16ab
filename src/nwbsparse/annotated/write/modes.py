"""A source and a result → one file: HDF5 with everything in it, HDF5 with links, or Zarr."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from h5py import File
from pynwb import NWBHDF5IO, NWBFile

from nwbsparse.annotated.elements.build import build_model
from nwbsparse.annotated.elements.populations import ELSEWHERE, OUTPUT, populations_of_units
from nwbsparse.annotated.elements.storage import Pack, packed, plain
from nwbsparse.annotated.links import graft, linked_files
from nwbsparse.annotated.read.look import Look, look_at, state_of
from nwbsparse.annotated.record import ENVIRONMENT, Record
from nwbsparse.annotated.safe.hdf5 import steady_hdf5, steady_nwb
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.annotated.write.kept import allow_plain_columns, leave_out_raw
from nwbsparse.annotated.write.verify import Expected, types_in, validation_errors
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.nwb.opening import built
from nwbsparse.io.rules.values import text
from nwbsparse.io.zarr.stack import new_store, written_again, written_store
from nwbsparse.schema import own_version


class OpenedSource:
    """The source of a new file: opened when something is first asked of it, and only once.

    ``for_copy``: without what cannot be written again.
    """

    def __init__(self, path: Path, *, for_copy: bool) -> None:
        self.path, self._for_copy = path, for_copy
        self._held = ExitStack()

    @cached_property
    def _opened(self) -> tuple[Any, Any, Look]:
        state = state_of(self.path)
        io, nwbfile = self._held.enter_context(built(self.path, for_copy=self._for_copy))
        return io, nwbfile, look_at(nwbfile, self.path, state)

    @property
    def io(self) -> Any:
        return self._opened[0]

    @property
    def nwbfile(self) -> Any:
        return self._opened[1]

    def look(self) -> Look:
        """What it held before anything was changed."""
        return self._opened[2]

    def close(self) -> None:
        """Close it: from here on others may write to it."""
        self._held.close()


def export(
    stored: StoredResult,
    source: OpenedSource,
    partial: Path,
    *,
    zarr: bool = False,
    replace: bool = False,
    dense: bool | None = None,
) -> Expected:
    """Write everything of a source, and the result, into a new file.

    What nobody can build cannot be written either: the report of the source names it.
    """
    nwbfile = source.nwbfile
    known_errors = validation_errors(io=source.io)
    source.look().check_units(stored)
    leave_out_raw(nwbfile)
    allow_plain_columns(nwbfile)
    for name in source.look().in_the_way(stored.name, replace=replace):
        nwbfile.processing[MODULE].data_interfaces.pop(name)
    _add(stored, nwbfile, pack=plain if zarr else packed, dense=dense)
    _sign(nwbfile)
    nwbfile.set_modified()
    kept = types_in(nwbfile)
    with new_store(partial) if zarr else steady_nwb(partial, "w") as target_io:
        target_io.export(src_io=source.io, nwbfile=nwbfile, write_args={"link_data": False})
    return Expected(kept, known_errors)


def append(
    stored: StoredResult,
    source: Look,
    partial: Path,
    *,
    replace: bool = False,
    dense: bool | None = None,
) -> Expected:
    """Copy a file byte by byte, and add the result to the copy.

    An export would lose what a file holds against its schema: of five recordings from archives,
    two lost columns or attributes.
    """
    if linked := ", ".join(one.name for one in linked_files(source.path)):
        raise BadInput(
            f"{source.path} links to {linked}, and adding to it could change that; use another mode"
        )
    source.check_units(stored)
    gone = source.in_the_way(stored.name, replace=replace)
    shutil.copyfile(source.path, partial)
    known_errors = validation_errors(path=str(partial))
    with steady_hdf5(partial, "r+") as file:
        for name in gone:
            del file[f"processing/{MODULE}/{name}"]
    with steady_nwb(partial, "a") as io:
        nwbfile = io.read()
        _add(stored, nwbfile, pack=packed, dense=dense)
        _sign(nwbfile)
        kept = types_in(nwbfile)
        io.write(nwbfile)
    return Expected(kept, known_errors)


def link(
    stored: StoredResult,
    source: OpenedSource,
    partial: Path,
    *,
    target: Path,
    replace: bool = False,
    dense: bool | None = None,
) -> Expected:
    """Write the result alone into a new file, with links to everything in the source."""
    nwbfile = source.nwbfile
    known_errors = validation_errors(io=source.io)
    source.look().check_units(stored)
    gone = source.look().in_the_way(stored.name, replace=replace)
    new = NWBFile(
        session_description=nwbfile.session_description,
        identifier=str(uuid4()),
        session_start_time=nwbfile.session_start_time,
        timestamps_reference_time=nwbfile.timestamps_reference_time,
        was_generated_by=nwbfile.was_generated_by,
    )
    _sign(new)
    # links to what is in another file are set when the file is there
    outside = SimpleNamespace(objects={}, subject=nwbfile.subject, **{ELSEWHERE: nwbfile.objects})
    _add(stored, new, pack=packed, dense=dense, source=outside)
    module = nwbfile.processing.get(MODULE)
    for name in gone:
        module.data_interfaces.pop(name)
    kept = types_in(nwbfile) | types_in(new)
    # a table whose columns are linked one by one does not own them
    opened = [*(nwbfile.scratch or {}).values(), *filter(None, [nwbfile.electrodes])]
    linked = [child for one in opened for child in one.children]
    # nor is the module of results that were there the one that holds ours
    for one in (nwbfile, new, *linked, *([] if module is None else [module])):
        kept.pop(one.object_id)
    with steady_nwb(partial, "w") as target_io:
        target_io.write(new)
    units, place = stored.source.units_path, f"processing/{MODULE}/{stored.name}"
    populations = populations_of_units(stored) if units else ()
    tables = {f"{place}/{name}": units for name in populations}
    if stored.target is not None:
        tables[f"{place}/{OUTPUT}"] = stored.target.source.units_path
    graft(source.path, partial, target=target, without=gone, tables=tables)
    return Expected(kept, known_errors)


def seal(name: str, partial: Path, record: Record) -> None:
    """Store the record of a result again, with the checksums of what was written.

    Raises:
        IntegrityError: it is not there then, word for word.
    """
    place, words = f"processing/{MODULE}/{name}/{ENVIRONMENT}", record.to_json()
    if partial.is_dir():
        stands = written_again(partial, place, words)
    else:
        with steady_hdf5(partial, "r+") as file:
            file[place][()] = words
        with File(partial, "r") as file:
            stored: Any = file[place]
            stands = text(stored[()])
    if stands != words:
        raise IntegrityError(f"the checksums of '{name}' do not stand in the file that was written")


@contextmanager
def read_back(path: Path) -> Iterator[tuple[Any, Any]]:
    """A file that was just written, opened with pynwb as anyone else would."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with written_store(path) if path.is_dir() else NWBHDF5IO(path=str(path), mode="r") as io:
            yield io, io.read()


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
