"""Checksums of everything we stored: a bit that flips is found, and where it was is said.

They are taken over what pynwb reads, so that they hold for HDF5 and Zarr alike and survive an export
by other programs. Long arrays have one checksum per block of rows: a window can be checked without
reading the rest.
"""

from __future__ import annotations

import hashlib
import json
import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np

from nwbsparse.annotated.elements.storage import CHUNKS_PER_BLOCK, chunk_rows
from nwbsparse.annotated.record import ENVIRONMENT, Record
from nwbsparse.errors import IntegrityError

Manifest = dict[str, Any]
"""Place of an array → {"rows": rows per block, "sha256": one per block}; of words → their sha256."""


def manifest_of(model: Any, record: Record) -> Manifest:
    """The checksums of a model that was read from a file, and of what lies beside it."""
    made: Manifest = {}
    for where, thing in _everything(model, record):
        if _is_array(thing):
            rows = CHUNKS_PER_BLOCK * chunk_rows(thing.shape, thing.dtype.itemsize)
            made[where] = {
                "rows": rows,
                "sha256": [_sha256(block) for _, block in _blocks(thing, rows)],
            }
        else:
            made[where] = _sha256(np.array(json.dumps(thing, sort_keys=True)))
    return made


def stored_manifest(record: Record, name: str) -> Manifest:
    """The checksums that were written with a model of this name.

    Raises:
        IntegrityError: there are none.
    """
    if record.manifest is None:
        raise IntegrityError(
            f"the result '{name}' has no checksums: nwbsparse did not write it, or somebody "
            f"changed its record ({ENVIRONMENT}). pynwb reads it; to use it here, run once more from "
            "the source."
        )
    return dict(record.manifest)


def check_manifest(model: Any, record: Record, manifest: Manifest | None = None) -> None:
    """Compare everything that is stored of a model with the checksums it was written with.

    ``manifest``: these, where they do not stand in its record yet.

    Raises:
        IntegrityError: something changed; the message names it, and the rows of a long array.
    """
    expected = stored_manifest(record, model.name) if manifest is None else manifest
    found = dict(_everything(model, record))
    wrong = [f"{where} is missing" for where in expected.keys() - found.keys()]
    wrong += [f"{where} was added" for where in found.keys() - expected.keys()]
    for where, said in expected.items():
        if where in found and not wrong:
            wrong += _changed(where, found[where], said)
    if wrong:
        raise IntegrityError(
            f"the result '{model.name}' is damaged: {'; '.join(sorted(wrong)[:5])}. Restore the "
            "file from a copy, or run once more from the source."
        )


def check_rows(
    name: str, manifest: Manifest, where: str, array: Any, first: int, stop: int
) -> None:
    """Compare the blocks of one array of a model in which some rows lie with their checksums.

    Raises:
        IntegrityError: they changed, or cannot be read.
    """
    said = manifest.get(where)
    if said is None:
        raise IntegrityError(f"the result '{name}' is damaged: {where} has no checksum")
    wrong = _changed(where, array, said, first, stop)
    if wrong:
        raise IntegrityError(f"the result '{name}' is damaged: {'; '.join(wrong)}")


def _changed(
    where: str, thing: Any, said: Any, first: int = 0, stop: int | None = None
) -> list[str]:
    if not _is_array(thing) or isinstance(said, str):
        whole = None if _is_array(thing) else np.array(json.dumps(thing, sort_keys=True))
        return [] if whole is not None and _sha256(whole) == said else [f"{where} changed"]
    try:
        rows, expected = int(said["rows"]), list(said["sha256"])
        if -(-thing.shape[0] // rows) != len(expected):
            return [f"{where} has another length"]
        for block, values in _blocks(thing, rows, first, stop):
            if _sha256(values) != expected[block]:
                last = min((block + 1) * rows, thing.shape[0])
                return [f"{where} changed in its rows {block * rows} to {last - 1}"]
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        return [f"{where} cannot be read ({error})"]
    return []


def _everything(model: Any, record: Record) -> Iterator[tuple[str, Any]]:
    yield from _within(model, "")
    yield ENVIRONMENT, record.said()
    for name in record.beside:
        if name in model.parent.data_interfaces:
            yield from _within(model.parent[name], f"{name}/")


def _within(container: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Every array of a container and of what it contains, and its words and numbers."""
    said: dict[str, Any] = {}
    fields = dict(container.fields)
    if getattr(container, "data", None) is not None:
        fields["data"] = container.data
    for key, value in fields.items():
        if key == ENVIRONMENT:
            continue
        if _is_array(value):
            yield f"{where}{key}", value
        elif isinstance(value, str | bool):
            said[key] = value
        elif isinstance(value, numbers.Real):
            said[key] = float(value)
        elif isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
            said[key] = list(value)
    yield f"{where}words", said
    for child in container.children:
        yield from _within(child, f"{where}{child.name}/")


def _is_array(thing: Any) -> bool:
    return hasattr(thing, "shape") and len(thing.shape) > 0 and hasattr(thing, "dtype")


def _blocks(
    array: Any, rows: int, first: int = 0, stop: int | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    n = int(array.shape[0])
    stop = n if stop is None else min(stop, n)
    for block in range(first // rows, -(-stop // rows)):
        yield block, np.asarray(array[block * rows : (block + 1) * rows])


def _sha256(values: np.ndarray) -> str:
    if values.dtype.kind in "OSU":
        text = (one.decode() if isinstance(one, bytes) else str(one) for one in values.ravel())
        content = "\0".join(text).encode("utf-8", "surrogateescape")
    else:
        content = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()
    return hashlib.sha256(f"{values.shape}".encode() + content).hexdigest()
