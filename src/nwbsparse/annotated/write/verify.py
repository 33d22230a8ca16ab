"""Is what was written what should be there, and is nothing lost? Asked before a file gets its name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pynwb

from nwbsparse.annotated.read.checksums import manifest_of
from nwbsparse.annotated.read.parse import find_model, parse_model
from nwbsparse.annotated.record import Record, read_record
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.rules.values import text

_OURS = f"/processing/{MODULE}"
_RENEWED = ("/specifications", "/file_create_date", "/general/was_generated_by")
"""What a program that writes a file is expected to renew."""


def types_in(nwbfile: Any) -> dict[str, str]:
    """Object id → type of everything in a file."""
    nwbfile.all_children()  # `objects` is otherwise what it was when first asked for
    return {
        object_id: str(getattr(thing, "neurodata_type", type(thing).__name__))
        for object_id, thing in nwbfile.objects.items()
    }


@dataclass(frozen=True)
class Expected:
    """What must be in a file that was written."""

    kept: dict[str, str]
    """Object id → type of everything."""
    errors: set[str]
    """The validation errors of its source, which it may have as well."""


def verify(stored: StoredResult, nwbfile: Any, expected: Expected, *, path: Path) -> Record:
    """Compare a file that was opened again: every object, and every number of the result.

    Returns the record of the result with the checksums of what was read.

    Raises:
        IntegrityError: what differs.
    """
    there = types_in(nwbfile)
    lost = [f"{kind} {key}" for key, kind in expected.kept.items() if there.get(key) != kind]
    if lost:
        raise IntegrityError(
            f"{len(lost)} objects are missing after writing: {', '.join(lost[:5])}"
        )
    model = find_model(nwbfile, stored.name, path=path)
    record = read_record(model)
    manifest = manifest_of(model, record)
    again = parse_model(model, manifest=manifest)
    wrong = [] if again.tensors == stored.tensors else ["parameters"]
    read = again.parts
    for part, written in stored.parts.items():
        wrong += _differences(written, read[part], part) if part in read else [part]
    if stored.embedding is not None:
        read = np.zeros(0) if again.embedding is None else again.embedding.values
        wrong += [] if _same(stored.embedding.values, read) else ["embedding"]
        wrong += [] if stored.embedder == again.embedder else ["embedder"]
    if wrong:
        raise IntegrityError(
            f"after writing, these differ from what was computed: {', '.join(wrong)}"
        )
    return record.with_manifest(manifest)


def _differences(written: Any, read: Any, part: str) -> list[str]:
    wrong = []
    for name, variable in written.variables.items():
        if name not in read.variables:
            wrong.append(f"{part}.{name} (missing)")
        elif not _same(variable.values, read[name].values):
            wrong.append(f"{part}.{name}")
    return wrong


def _same(written: np.ndarray, read: np.ndarray) -> bool:
    if written.shape != read.shape:
        return False
    if written.dtype.kind in "OU":
        return list(map(str, written.flat)) == list(map(str, read.flat))
    if written.dtype.kind != "f":
        return bool(np.array_equal(written, read))
    return bool(np.allclose(read, written, rtol=2e-7, atol=1e-7, equal_nan=True))


def check_validation(known_errors: set[str], **opened: Any) -> None:
    """The new file may have the validation errors that its source has, and no others.

    Raises:
        IntegrityError: it has others.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        added = validation_errors(**opened) - known_errors
    if added:
        raise IntegrityError(
            "the written file has new validation errors: " + "; ".join(sorted(added)[:5])
        )


def validation_errors(**opened: Any) -> set[str]:
    """What ``pynwb.validate`` says about a path or an open io, against the schemas installed here."""
    return {str(error) for error in pynwb.validate(**opened, use_cached_namespaces=False)}


def check_nothing_lost(source: Path, written: Path, *, replaced: set[str]) -> None:
    """Compare every dataset of a file with that in the file that is to take its place.

    ``replaced`` are the names of results that are meant to go.

    Raises:
        BadInput: something is not there, or not the same; the paths are named.
    """
    skipped = (*_RENEWED, *(f"{_OURS}/{name}" for name in replaced))
    lost = []
    with h5py.File(source, "r") as old, h5py.File(written, "r") as new:
        for path, thing in _walk(old):
            if path.startswith(skipped):
                continue
            if path not in new:
                lost.append(f"{path} (missing)")
            elif isinstance(thing, h5py.Dataset) and not same_data(thing, new[path]):
                lost.append(path)
            else:
                gone = set(thing.attrs) - set(new[path].attrs)
                lost += [f"the attribute {name} of {path}" for name in sorted(gone)]
    if lost:
        raise BadInput(
            f"annotating {source} in place would lose or change {len(lost)} of its parts "
            f"({', '.join(lost[:5])}), so it is left as it is; use mode='derived'"
        )


def _walk(file: Any) -> Iterator[tuple[str, Any]]:
    """Every object under each of its names; links are followed inside the file."""
    waiting, seen = [("", file)], set()
    while waiting:
        prefix, group = waiting.pop()
        for name in group:
            path, thing = f"{prefix}/{name}", group.get(name)
            if thing is None:  # a link that dangled before
                continue
            yield path, thing
            if isinstance(thing, h5py.Group) and path not in seen:
                seen.add(path)
                if isinstance(group.get(name, getlink=True), h5py.HardLink):
                    waiting.append((path, thing))


def same_data(old: Any, new: Any) -> bool:
    """Whether two datasets hold the same values; references are compared by their shape alone."""
    if not isinstance(new, h5py.Dataset) or old.shape != new.shape:
        return False
    if h5py.check_ref_dtype(old.dtype) is not None or old.dtype.kind == "V":
        return len(old.dtype) == len(new.dtype)  # references lead to other addresses
    if old.shape == ():
        return _equal(old[()], new[()])
    if old.shape is None:
        return new.shape is None
    rows = max(1, 2**22 // max(1, old.dtype.itemsize * int(np.prod(old.shape[1:]))))
    return all(_equal(old[at : at + rows], new[at : at + rows]) for at in range(0, len(old), rows))


def _equal(old: Any, new: Any) -> bool:
    old, new = np.asarray(old), np.asarray(new)
    if old.dtype.kind in "OSU" or new.dtype.kind in "OSU":
        return [text(one) for one in old.flat] == [text(one) for one in new.flat]
    if old.dtype.kind == "f":
        return bool(np.array_equal(old, new, equal_nan=True))
    return bool(np.array_equal(old, new))
