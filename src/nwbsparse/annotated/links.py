"""A small file whose recording is another file: external links, and what they must lead to."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
from pynwb import NWBHDF5IO

from nwbsparse.annotated.safe.hdf5 import steady_hdf5
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.io.check import open_checked
from nwbsparse.io.guard import external_links
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.rules.values import text
from nwbsparse.session import Source

_SPECIFICATIONS = "specifications"
_COPIED = ("/general/subject",)
"""Typed groups that pynwb builds only where it can reach the version of the file above them."""
_OPENED = ("/general/extracellular_ephys/electrodes",)
"""Typed groups that pynwb takes no link for: their columns are linked one by one."""
_NOT_LINKED = ("/scratch",)
"""Groups in which pynwb passes over links: of the groups in them what they hold is linked, and arrays
and text are copied."""


def graft(
    source: Path, into: Path, *, target: Path, without: set[str], tables: dict[str, str]
) -> None:
    """Link every object of a source into a new file, except the results named in ``without``.

    ``tables``: populations in the new file, and the path of the table in the source of each.

    Objects with a type are linked whole, so that all references between them stay inside the
    source; the groups above them, plain metadata and the definitions of types are copied. Links
    are relative to the ``target`` that the new file will become.
    """
    relative = os.path.relpath(source, target.parent).replace(os.sep, "/")
    with h5py.File(source, "r") as held, steady_hdf5(into, "r+") as file:
        # through a file that is open for writing, HDF5 opens what it links to for writing as well:
        # from here on no link is followed from it
        for population, table in tables.items():
            if table in held and "colnames" in held[table].attrs:
                file[population]["source_table"] = h5py.SoftLink(table)
        known: Any = held.get(_SPECIFICATIONS, {})
        for name in known:
            if name not in file[_SPECIFICATIONS]:
                held.copy(known[name], file[_SPECIFICATIONS], name)
        _graft(held["/"], file["/"], relative, {f"/processing/{MODULE}/{one}" for one in without})


def _graft(source: Any, target: Any, relative: str, without: set[str]) -> None:
    for name in source:
        path = f"{source.name.rstrip('/')}/{name}"
        if path == f"/{_SPECIFICATIONS}" or path in without:
            continue
        if name in target:
            hard = isinstance(target.get(name, getlink=True), h5py.HardLink)
            if (
                hard
                and isinstance(target[name], h5py.Group)
                and isinstance(source[name], h5py.Group)
            ):
                _graft(source[name], target[name], relative, without)
            continue
        link = source.get(name, getlink=True)
        thing = source.get(name)
        if thing is None:
            continue
        typed = "neurodata_type" in thing.attrs
        apart = source.name in _NOT_LINKED
        if path in _OPENED or (apart and isinstance(thing, h5py.Group)):
            _graft(thing, _same_group(thing, target, name), relative, without)
        elif apart:
            source.copy(thing, target, name)
        elif (
            source.parent.name in _NOT_LINKED
            or not isinstance(link, h5py.HardLink)
            or (typed and path not in _COPIED)
        ):
            target[name] = h5py.ExternalLink(relative, path)
        elif typed or isinstance(thing, h5py.Dataset):
            source.copy(thing, target, name)
        else:
            _graft(thing, _same_group(thing, target, name), relative, without)


def _same_group(source: Any, target: Any, name: str) -> Any:
    group = target.create_group(name)
    for key, value in source.attrs.items():
        group.attrs[key] = value
    return group


def can_link(source: Path, target: Path) -> None:
    """Refuse a place from which links to the source would not be followed.

    Raises:
        BadInput: the source does not lie in the folder of the target, or below.
    """
    if not source.resolve().is_relative_to(target.parent.resolve()):
        raise BadInput(
            f"links are followed only inside the folder of a file: write {target.name} to "
            f"{source.parent} (or a folder above it), or use mode='derived'"
        )


def linked_files(path: Path) -> dict[Path, bool]:
    """The files that a file links to, and whether they are there; no link is followed.

    None of a file that no reader should walk: opening it says why.
    """
    try:
        return {target: target.is_file() for target in external_links(path)}
    except (OSError, BadInput):
        return {}


def check_linked(path: Path, source: Source) -> None:
    """Make sure that what a file links to is the recording that its result was made from.

    HDF5 looks for a link in more than one place, and takes any file of that name.

    Raises:
        IntegrityError: it is another recording; both object ids are said.
    """
    for target in linked_files(path):
        with h5py.File(target, "r") as file:
            found = text(file.attrs.get("object_id"))
        if source.object_id and found != source.object_id:
            raise IntegrityError(
                f"{path} links to {target.name}, which is another recording (object id {found}) than that "
                f"the result was made from ({source.object_id}); put the right file there"
            )


@contextmanager
def results_alone(path: Path) -> Iterator[Any]:
    """What a file holds itself, as an NWBFile, without following any link out of it."""
    stream = BytesIO(path.read_bytes())
    with h5py.File(stream, "r+") as file:
        external: list[str] = []

        def look(name: str, link: Any) -> None:
            if isinstance(link, h5py.ExternalLink):
                external.append(name)

        file.visititems_links(look)
        for name in external:
            del file[name]
        dangling: list[str] = []

        def look_again(name: str, link: Any) -> None:
            if isinstance(link, h5py.SoftLink) and name not in file:
                dangling.append(name)

        file.visititems_links(look_again)
        for name in dangling:
            del file[name]
    stream.seek(0)
    file = open_checked(stream, path=path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with NWBHDF5IO(file=file, mode="r", load_namespaces=True) as io:
                yield io.read()
    finally:
        file.close()
