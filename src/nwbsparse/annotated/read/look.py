"""One look at a file: which results it holds, what they were made from, and what belongs to each.

Everything that a writer must know of a source or target is asked in one go, because building a file
with pynwb takes seconds. A look stands for the file as long as nobody writes to it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from nwbsparse import names
from nwbsparse.annotated.elements.digests import Digests
from nwbsparse.annotated.elements.populations import digests_of_model
from nwbsparse.annotated.elements.weights import tensors_in
from nwbsparse.annotated.read.opened import models_in
from nwbsparse.annotated.record import (
    ENVIRONMENT,
    OPTIONS,
    NewerFormat,
    Record,
    read_record,
    record_from,
)
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.io.nwb.opening import check_results_built, opened
from nwbsparse.options.earlier import as_meant

State = tuple[int, int, int]
"""Changes when a file does: size, time of the last write (ns), inode."""

_UNREADABLE = (KeyError, TypeError, ValueError, OSError, AttributeError, IndexError)


@dataclass(frozen=True)
class HeldResult:
    """One result in a file."""

    name: str
    made: str
    """When, and with which options, in words."""
    record: Record | None
    """What it says of itself; None where that is damaged, or of a later version."""
    newer: str
    """Why this version cannot tell what it is; '' where it can."""
    tensors: str
    """SHA-256 of its coder's safetensors; '' where they cannot be read."""
    recording: str
    """Object id of the recording that it was made from."""
    files: frozenset[str]
    """SHA-256 of the files that it, its activations and its coder were made from."""
    beside: frozenset[str]
    """Names of what lies beside it and belongs to it."""
    digests: Digests
    """What its units did."""

    def is_same(self, stored: StoredResult) -> bool:
        """Whether it is this very result: the same options, weights and recording."""
        if self.record is None:
            return False
        return (
            self.tensors == sha256(stored.tensors).hexdigest()
            and _options(as_meant(dict(self.record.config))) == _options(stored.words["config"])
            and self.record.coder.get("id") == stored.words["id"]
            and self.recording == stored.source.object_id
        )

    def said_to_exist(self, path: Path) -> str:
        """That its name is taken, by what, and what to do."""
        return (
            f"A result named '{self.name}' exists in {path} ({self.made}). Use --name or --replace."
        )


@dataclass(frozen=True)
class Look:
    """What a file holds of results."""

    path: Path
    state: State | None
    """Of the file when it was looked at."""
    results: Mapping[str, HeldResult]
    object_ids: frozenset[str]
    """Of everything in the file."""

    def was_made_from(self, sha256: str) -> bool:
        """Whether it is an annotated copy of the file with this checksum, or a copy of a copy."""
        return self.digests_then(sha256) is not None

    def digests_then(self, sha256: str) -> Digests | None:
        """What the units did of which it holds results made from the file with this checksum.

        None where it holds no such results; nothing by which to compare where they are older.
        """
        held = (one.digests for one in self.results.values() if sha256 in one.files)
        return next(held, None)

    def in_the_way(self, name: str, *, replace: bool) -> set[str]:
        """What must go so that a result finds its name free; nothing, usually.

        Raises:
            BadInput: a result has that name, and it may not be replaced.
        """
        held = self.results.get(name)
        if held is None:
            return set()
        if not replace:
            raise BadInput(held.said_to_exist(self.path))
        if held.newer:
            raise NewerFormat(held.newer)
        return {held.name, *held.beside}

    def check_units(self, stored: StoredResult) -> None:
        """Refuse a file whose units are others than those of a result.

        Raises:
            BadInput: they are.
        """
        sources = [stored.source, *([stored.target.source] if stored.target is not None else [])]
        if {one.units_object_id for one in sources} - {""} - self.object_ids:
            raise BadInput(
                f"the units in {self.path} are others than those the result was made from"
            )


def look(path: Path) -> Look:
    """Look at a file.

    Raises:
        BadInput: it cannot be read as NWB.
        EnvironmentProblem: it may not be read here.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = state_of(path)
        with opened(path) as recording:
            check_results_built(recording.unbuildable, path)
            return look_at(recording.nwbfile, path, state)


def look_at(nwbfile: Any, path: Path, state: State | None) -> Look:
    """Look at a file that is open; ``state``: what it was when it was opened."""
    nwbfile.all_children()  # `objects` is otherwise what it was when first asked for
    results = {name: _held(model) for name, model in models_in(nwbfile).items()}
    return Look(path, state, results, frozenset(nwbfile.objects))


def state_of(path: Path) -> State | None:
    """What changes when a file does; None where there is none."""
    if not path.exists():
        return None
    seen = path.stat()
    return seen.st_size, seen.st_mtime_ns, seen.st_ino


class Looks:
    """Looks at files, each kept as long as its file stays what it is."""

    def __init__(self, *known: Look) -> None:
        self._known = {one.path.resolve(): one for one in known}

    def at(self, path: Path) -> Look:
        """A look at a file; raises as :func:`look`."""
        known = self._known.get(path.resolve())
        if known is None or known.state is None or known.state != state_of(path):
            known = self._known[path.resolve()] = look(path)
        return known


def _held(model: Any) -> HeldResult:
    record, newer = None, ""
    try:
        record = read_record(model)
    except NewerFormat as error:
        newer = str(error)
    except IntegrityError:
        pass
    tensors, recording, digests = "", "", {}
    with contextlib.suppress(*_UNREADABLE):
        tensors = sha256(tensors_in(model)).hexdigest()
    with contextlib.suppress(*_UNREADABLE):
        recording = str(model.sessions["nwb_object_id"][0])
    with contextlib.suppress(*_UNREADABLE):
        digests = digests_of_model(model)
    return HeldResult(
        name=str(model.name),
        made=_made(model),
        record=record,
        newer=newer,
        tensors=tensors,
        recording=recording,
        files=_files_of(model, record),
        beside=_beside(model, record),
        digests=digests,
    )


def _options(config: Mapping[str, Any]) -> str:
    """Options as they stand in a file, where tuples are lists."""
    return Record(config=config).options_json()


def _made(model: Any) -> str:
    when = getattr(model, "created", None) or "earlier"
    words = str(getattr(model, OPTIONS, ""))
    return f"made {when}, config {sha256(words.encode()).hexdigest()[:12]}"


def _files_of(model: Any, record: Record | None) -> frozenset[str]:
    found: set[str] = set()
    with contextlib.suppress(*_UNREADABLE):
        found.add(str(model.sessions["sha256"][0]))  # the others are other recordings
    if record is not None:
        with contextlib.suppress(*_UNREADABLE):
            made_from = (
                record.attributes_of(part).get(names.SOURCE_SHA256) for part in record.parts
            )
            found |= {str(one or "") for one in made_from}
            own = record.own_session
            sessions = record.coder.get("sessions", ())
            found |= {one["sha256"] for one in sessions if own and one["name"] == own}
    return frozenset(found - {""})


def _beside(model: Any, record: Record | None) -> frozenset[str]:
    if record is None:  # its options may be damaged, and the rest whole
        try:
            record = record_from(getattr(model, ENVIRONMENT, None), "{}", name=str(model.name))
        except (IntegrityError, NewerFormat):
            return frozenset()
    return frozenset(name for name in record.beside if name in model.parent.data_interfaces)
