"""A downloaded Zarr store is untrusted: it may lead out of its folder, and may hold programs.

Stock readers follow its symbolic links and its references to other stores, unpickle what is
stored as pickles, and take chunks that are missing for zeros.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.guard import MAX_DEPTH, MAX_LINKS
from nwbsparse.io.rules.values import BOMB_BYTES, BOMB_RATIO


def check_zarr(path: Path) -> None:
    """Refuse a Zarr store that leaves its own folder, holds pickles, is a bomb, or is incomplete.

    Consolidated metadata are held to the same rules as those of each group: either may be read.

    Raises:
        BadInput: a symbolic link, a reference to another store, an array that is decoded by
            pickle (which runs what the file says), an array that claims far more than is stored,
            metadata that are no JSON, missing chunks of spike times or timestamps, folders more
            than 200 deep or more than 1,000,000 files.
    """
    root = path.resolve()
    metadata: list[tuple[str, str, Any]] = []
    stored: dict[str, tuple[int, int]] = {}  # array → chunks, bytes
    array_of: dict[str, str] = {}
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
        array = where if ".zarray" in files else array_of.get(where.rpartition("/")[0], "")
        array_of[where] = array
        chunks = [Path(folder) / name for name in files if not name.startswith(".")]
        if array:
            n, n_bytes = stored.get(array, (0, 0))
            size = sum(chunk.stat().st_size for chunk in chunks)
            stored[array] = n + len(chunks), n_bytes + size
        for name in {".zarray", ".zattrs", ".zmetadata"}.intersection(files):
            content = zarr_json(Path(folder) / name)
            if name == ".zmetadata":
                held = content.get("metadata", {})
                pairs = ((f"{where}/{key}".rpartition("/"), value) for key, value in held.items())
                metadata += [(parts[0], parts[2], value) for parts, value in pairs]
            else:
                metadata.append((where, name, content))
    attributes = {where: content for where, name, content in metadata if name == ".zattrs"}
    for where, name, content in metadata:
        if name == ".zattrs":
            check_references(content, root, where or "/")
        elif name == ".zarray":
            sizes = stored.get(where, (0, 0))
            _check_array(content, attributes.get(where, {}), where, path, *sizes)


def zarr_json(path: Path) -> dict[str, Any]:
    """The metadata of a Zarr group or array; {} where there are none."""
    try:
        content = json.loads(path.read_bytes()) if path.is_file() else {}
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is damaged ({error}). Copy the store again.") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path} is damaged: it holds no JSON object. Copy the store again.")
    return content


def check_references(held: Any, root: Path, where: str) -> None:
    """Refuse metadata in which a link or reference leads out of its store."""
    waiting = [held]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
            if "path" in one and {"source", "name", "object_id"} & one.keys():
                # without a source the path itself is taken for another store
                target = one.get("source") if one.get("source") is not None else one["path"]
                if not (root / str(target)).resolve().is_relative_to(root):
                    raise BadInput(
                        f"{where} in {root} points to {target}, outside the store; links are "
                        "followed only inside it. Ask for a self-contained copy."
                    )
        elif isinstance(one, list):
            waiting += one


def _only_references(attributes: Any) -> bool:
    """Whether an array holds hdmf-zarr's references, on a machine where they are never unpickled.

    hdmf-zarr stores every column of references with a pickle codec, ``electrodes/group`` among
    them; their targets stand in the metadata as JSON as well. Since numcodecs 0.15 the codec
    refuses to decode unless the user asked for it, so such a column cannot run anything.
    """
    from numcodecs import pickles

    refused = getattr(pickles, "ALLOW_UNSAFE_PICKLE_DECODE", True) is False
    return refused and isinstance(attributes, dict) and attributes.get("zarr_dtype") == "object"


def _check_array(
    held: Any, attributes: Any, where: str, path: Path, n_chunks: int, n_bytes: int
) -> None:
    codecs = [held.get("compressor"), *(held.get("filters") or [])]
    if '"pickle"' in json.dumps(codecs).lower() and not _only_references(attributes):
        raise BadInput(
            f"{where} in {path} is stored as Python pickles, which can run any program when they "
            "are read; such stores are not opened. If you trust who made it, export it as HDF5: "
            "NWBHDF5IO(...).export(src_io=NWBZarrIO(...)), in a process that was started with "
            "NUMCODECS_ALLOW_UNSAFE_PICKLE_DECODE=1."
        )
    try:
        shape, chunks = ([int(n) for n in held[key]] for key in ("shape", "chunks"))
        logical = max(math.prod(shape), math.prod(chunks)) * _itemsize(held["dtype"])
        expected = math.prod(-(-n // chunk) for n, chunk in zip(shape, chunks, strict=True))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise BadInput(
            f"the metadata of {where} in {path} are damaged ({error!r}). Copy the store again."
        ) from None
    if logical > BOMB_BYTES and logical > BOMB_RATIO * n_bytes:
        raise BadInput(
            f"{where} in {path} claims {logical / 2**30:.1f} GiB of which {n_bytes / 2**20:.1f} "
            "MiB are stored: it was never written, or it is a decompression bomb. Get the store "
            "again from its source."
        )
    # Zarr takes a chunk that is not there for zeros: no clock is that
    is_clock = where.endswith(("/spike_times", "/timestamps")) and not held.get("fill_value")
    if is_clock and n_chunks < expected:
        raise BadInput(
            f"{path} is incomplete: {n_chunks:,} of {expected:,} chunks of {where} are there. "
            "Copy it again."
        )


def _itemsize(dtype: Any) -> int:
    if isinstance(dtype, str):
        return np.dtype(dtype).itemsize
    return sum(_itemsize(kind) * math.prod(map(int, *shape)) for _, kind, *shape in dtype)
