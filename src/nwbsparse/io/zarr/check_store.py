"""A downloaded Zarr store is untrusted: it may lead out of its folder, and may hold programs.

Stock readers follow its symbolic links and its references to other stores, unpickle what is
stored as pickles, and take chunks that are missing for zeros.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nwbsparse.errors import BadInput
from nwbsparse.io.guard import MAX_DEPTH, MAX_LINKS
from nwbsparse.io.rules.values import BOMB_BYTES, BOMB_RATIO
from nwbsparse.io.zarr.links import check_references
from nwbsparse.io.zarr.metadata import (
    ARRAY_2,
    ATTRIBUTES_2,
    METADATA,
    NODE_3,
    WHOLE_2,
    ZarrArray,
    array_of,
    zarr_json,
)
from nwbsparse.io.zarr.shards import n_missing_chunks

INDEX_BYTES = 16
"""What the index of a shard takes for each of its chunks."""


@dataclass
class _Store:
    """What was found on a walk through a store; the metadata of a place may stand there more than once."""

    arrays: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    attributes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    files: dict[str, list[Path]] = field(default_factory=dict)
    """The files with chunks of each array."""


def check_zarr(path: Path) -> None:
    """Refuse a Zarr store that leaves its own folder, holds pickles, is a bomb, or is incomplete.

    Pickles of references alone are let through: they are read without unpickling.

    Consolidated metadata are held to the same rules as those of each group: either may be read. So
    are the metadata of both formats, whatever the root says of itself.

    Raises:
        BadInput: a symbolic link, a reference to another store, an array that is decoded by
            pickle (which runs what the file says), an array that claims far more than is stored,
            metadata that are no JSON, missing chunks of spike times or timestamps, folders more
            than 200 deep or more than 1,000,000 files.
    """
    root = path.resolve()
    store = _walked(root, path)
    for where, attributes in store.attributes:
        check_references(attributes, root, where or "/")
    of_array = dict(store.attributes)
    for where, content in store.arrays:
        _check_array(content, of_array.get(where, {}), where, path, store.files.get(where, []))


def _walked(root: Path, path: Path) -> _Store:
    store = _Store()
    array_above: dict[str, str] = {}
    n_files = 0
    for folder, folders, files in os.walk(root):
        where = folder.removeprefix(str(root)).replace(os.sep, "/")
        n_files += len(files)
        if n_files > MAX_LINKS or where.count("/") > MAX_DEPTH:
            raise BadInput(
                f"{path} holds more than {MAX_LINKS:,} files or nests more than {MAX_DEPTH} deep."
            )
        for name in (*folders, *files):
            if (Path(folder) / name).is_symlink():
                raise BadInput(
                    f"{where}/{name} in {path} is a symbolic link; a Zarr store is read only "
                    "from its own files. Copy it with its links resolved (cp -rL)."
                )
        known = len(store.arrays)
        for name in sorted(set(METADATA).intersection(files)):
            _take(zarr_json(Path(folder) / name), name, where, store)
        is_array = any(place == where for place, _ in store.arrays[known:])
        array = where if is_array else array_above.get(where.rpartition("/")[0], "")
        array_above[where] = array
        if array:
            chunks = [name for name in files if name not in METADATA and name[0] != "."]
            store.files.setdefault(array, []).extend(Path(folder) / name for name in chunks)
    return store


def _take(content: dict[str, Any], name: str, where: str, store: _Store) -> None:
    """Sort in what a file of metadata says, of its own place and, consolidated, of those below."""
    if name == ARRAY_2:
        store.arrays.append((where, content))
    elif name == ATTRIBUTES_2:
        store.attributes.append((where, content))
    elif name == WHOLE_2:
        for key, held in _items(content.get("metadata")):
            place, _, kind = f"{where}/{key}".rpartition("/")
            _take(held, kind if kind in (ARRAY_2, ATTRIBUTES_2) else "", place, store)
    elif name == NODE_3:
        if isinstance(content.get("attributes"), dict):
            store.attributes.append((where, content["attributes"]))
        if content.get("node_type") == "array" or "data_type" in content:
            store.arrays.append((where, content))
        consolidated = content.get("consolidated_metadata")
        below = consolidated.get("metadata") if isinstance(consolidated, dict) else None
        for key, held in _items(below):
            _take(held, NODE_3, f"{where}/{key}", store)


def _items(stated: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, held in stated.items() if isinstance(stated, dict) else ():
        if isinstance(held, dict):
            yield str(key), held


def _only_references(attributes: dict[str, Any]) -> bool:
    """Whether an array holds hdmf-zarr's references, on a machine where they are never unpickled.

    Before 0.14, hdmf-zarr stores every column of references with a pickle codec, ``electrodes/group``
    among them. They are read without unpickling (io/zarr/references.py); that numcodecs refuses to
    decode pickles unless the user asked for it is the second lock.
    """
    from numcodecs import pickles

    if getattr(pickles, "ALLOW_UNSAFE_PICKLE_DECODE", True) is not False:
        return False
    kind = attributes.get("zarr_dtype")
    fields = kind if isinstance(kind, list) else [{"dtype": kind}]
    return any(isinstance(one, dict) and one.get("dtype") == "object" for one in fields)


def _check_array(
    content: dict[str, Any],
    attributes: dict[str, Any],
    where: str,
    path: Path,
    files: list[Path],
) -> None:
    try:
        array = array_of(content)
    except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise BadInput(
            f"the metadata of {where} in {path} are damaged ({error!r}). Copy the store again."
        ) from None
    # wherever it is named: codecs of format 3 may hold further codecs
    if "pickle" in json.dumps(array.codecs).lower() and not (
        "data_type" not in content and _only_references(attributes)
    ):
        raise BadInput(
            f"{where} in {path} is stored as Python pickles, which can run any program when they "
            "are read; such stores are not opened. If you trust who made it, export it as HDF5: "
            "NWBHDF5IO(...).export(src_io=NWBZarrIO(...)), in a process that was started with "
            "NUMCODECS_ALLOW_UNSAFE_PICKLE_DECODE=1."
        )
    n_bytes = sum(one.stat().st_size for one in files)
    largest = max(math.prod(array.shape), math.prod(array.chunks), math.prod(array.inner))
    logical = max(largest * array.itemsize, array.chunks_per_file * INDEX_BYTES)
    if logical > BOMB_BYTES and logical > BOMB_RATIO * n_bytes:
        raise BadInput(
            f"{where} in {path} claims {logical / 2**30:.1f} GiB of which {n_bytes / 2**20:.1f} "
            "MiB are stored: it was never written, or it is a decompression bomb. Get the store "
            "again from its source."
        )
    # Zarr takes a chunk that is not there for zeros: no clock is that
    if where.endswith(("/spike_times", "/timestamps")) and not array.fill_value:
        leaves_out_zeros = "data_type" in content  # zarr 3 does
        _check_complete(array, where, path, files, leaves_out_zeros=leaves_out_zeros)


def _check_complete(
    array: ZarrArray, where: str, path: Path, files: list[Path], *, leaves_out_zeros: bool
) -> None:
    expected, there = array.n_files, len(files)
    what = "chunks"
    if there >= expected and array.chunks_per_file > 1:
        what = "chunks in its shards"
        lost, expected = n_missing_chunks(array, files)
        there = expected - lost
    elif leaves_out_zeros and there == expected - 1 and _may_be_a_zero(array, files):
        there += 1  # a chunk that holds nothing but a time of 0.0 is not written
    if there < expected:
        raise BadInput(
            f"{path} is incomplete: {there:,} of {expected:,} {what} of {where} are there. "
            "Copy it again."
        )


def _may_be_a_zero(array: ZarrArray, files: list[Path]) -> bool:
    """Whether the one file that is missing is the last, with room for a single value."""
    if len(array.shape) != 1:
        return False
    last_is_missing = str(array.n_files - 1) not in {one.name for one in files}
    return last_is_missing and (array.shape[0] - 1) % array.chunks[0] == 0
