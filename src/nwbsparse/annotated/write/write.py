"""Results into a file: complete and verified, or not there at all."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nwbsparse.annotated.links import can_link, check_linked
from nwbsparse.annotated.safe.lock import holders_of, locked, patiently
from nwbsparse.annotated.safe.publish import back_up, check_space, partial_of, publish, real_file
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.annotated.write.modes import append, export, link, read_back, seal
from nwbsparse.annotated.write.pairing import check_pairing, is_same, said_to_exist, was_made_from
from nwbsparse.annotated.write.verify import check_nothing_lost, check_validation, verify
from nwbsparse.errors import BadInput, EnvironmentProblem, NwbsparseError
from nwbsparse.io.check import check_readable
from nwbsparse.io.digest import digest_of
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.nwb.opening import opened

Mode = Literal["derived", "link", "in_place", "zarr"]
MODES: tuple[Mode, ...] = ("derived", "link", "in_place", "zarr")


@dataclass(frozen=True)
class Manner:
    """How a result is to be written."""

    mode: Mode = "derived"
    replace: bool = False
    """A result of the same name may be replaced."""
    overwrite: bool = False
    """A file of the same name may be replaced."""
    dense: bool | None = None
    """Activations as a full table (True), or only what is not zero (False); None: by their number."""
    backup: bool = False
    """What the file held before stays beside it (in place only)."""


def write_result(
    stored: StoredResult, source: Path, target: Path, manner: Manner, *, say: Callable[[str], None]
) -> Path:
    """Write a result; the target is at every moment what it was before, or complete.

    It is written to a hidden file in the target's folder, opened again, compared with what should
    be in it, validated against the source's own errors, synced, and renamed. No file that exists
    is ever opened for writing.

    Raises:
        BadInput: the target exists, or the result's name does, or the source changed, or parts of
            the result are of another coder or recording.
        EnvironmentProblem: the folder cannot be written to, too little space is left, or another
            program holds a file.
        IntegrityError: what was read back is not what was written; nothing is left behind.
    """
    source, target = Path(source).absolute(), Path(target).absolute()
    if manner.mode == "in_place":
        source = target = real_file(target)
        if not target.is_file():
            raise BadInput(f"{target} is no file; mode='in_place' adds to an NWB file that exists")
    elif target.resolve() == source.resolve():
        raise BadInput(
            f"{target} is the source itself, which is never written to; choose another name"
        )
    if manner.mode == "link":
        can_link(source, target)
    seen = _state(target)
    if _is_there(stored, target, manner, say):
        return target
    before = _state(source)
    _check_source(stored, source, manner)
    check_pairing(stored, source)
    _make_folder(target.parent)
    with locked(target):
        if _state(target) != seen and _is_there(stored, target, manner, say):
            return target
        room = 3 * len(stored.tensors) + stored.latents.nbytes // 2
        copied = 0 if manner.mode == "link" else source.stat().st_size
        check_space(target.parent, copied + room)
        with partial_of(target, unchanged=source, say=say) as partial:
            _write_and_check(stored, source, partial, target, manner)
            if _state(source) != before:
                raise BadInput(f"{source} changed meanwhile; nothing was written, try again")
            if manner.backup and manner.mode == "in_place":
                say(f"what it held before is in {back_up(target).name}")
            publish(partial, target, new=not (manner.overwrite or manner.mode == "in_place"))
    if manner.mode == "link":
        gc.collect()  # what pynwb read stands in cycles, and keeps HDF5's hold on the recording
    return target


def _write_and_check(
    stored: StoredResult, source: Path, partial: Path, target: Path, manner: Manner
) -> None:
    with warnings.catch_warnings():
        # what the libraries say about the source was reported when it was read
        warnings.simplefilter("ignore")
        if manner.mode == "link":
            kept, known_errors = link(
                stored, source, partial, target=target, replace=manner.replace, dense=manner.dense
            )
        elif manner.mode == "in_place":
            kept, known_errors = append(
                stored, source, partial, replace=manner.replace, dense=manner.dense
            )
        else:
            kept, known_errors = export(
                stored,
                source,
                partial,
                zarr=manner.mode == "zarr",
                replace=manner.replace,
                dense=manner.dense,
            )
        seal(stored, partial)
        with read_back(partial) as (io, nwbfile):
            verify(stored, nwbfile, kept, path=partial)
            if partial.is_dir():
                check_validation(known_errors, io=io)
    if partial.is_dir():
        return
    check_validation(known_errors, path=str(partial))
    if manner.mode == "link":
        check_linked(partial, stored.source)
    if manner.mode == "in_place":
        check_nothing_lost(source, partial, replaced={stored.name} if manner.replace else set())
        partial.chmod(target.stat().st_mode & 0o7777)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"results cannot be written to {folder}: {error.strerror}"
        ) from None
    if not os.access(folder, os.W_OK):
        raise EnvironmentProblem(f"results cannot be written to {folder}: it is read-only")


def _is_there(
    stored: StoredResult, target: Path, manner: Manner, say: Callable[[str], None]
) -> bool:
    """Whether the target holds this very result; refuses a target that may not be replaced."""
    if not os.path.lexists(target):
        return False
    held = _named(stored, target)
    if held == "same" and not (manner.replace and manner.mode == "in_place"):
        say(
            f"{target.name} holds the result '{stored.name}' already, with the same options and "
            "weights: nothing was written"
        )
        return True
    if manner.mode == "in_place":
        if held and not manner.replace:
            raise BadInput(held)
        return False  # what was found out may have changed: labels, another explanation
    if not manner.overwrite:
        also = f" {held}" if held else ""
        raise BadInput(f"{target} exists; use --overwrite or another --name.{also}")
    return False


def _named(stored: StoredResult, path: Path) -> str:
    """'same' if the file holds this very result, words about one of its name, '' for none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with opened(path) as recording:
                module = recording.nwbfile.processing.get(MODULE)
                model = None if module is None else module.data_interfaces.get(stored.name)
                if model is None:
                    return ""
                return "same" if is_same(model, stored) else said_to_exist(model, path)
    except NwbsparseError:  # whatever it is, it is not this result
        return ""


def _check_source(stored: StoredResult, source: Path, manner: Manner) -> None:
    """Refuse a source that is not the recording that was read, or that somebody is writing."""
    try:
        patiently(lambda: check_readable(source))
    except EnvironmentProblem as error:
        if "open for writing" not in str(error):
            raise
        raise EnvironmentProblem(
            f"{source} is open in another program{holders_of(source)}; close it there. Nothing was "
            "changed."
        ) from None
    known = stored.source.sha256
    if not known or digest_of(source) == known:
        return
    if manner.mode == "in_place" and was_made_from(source, known):
        return
    if manner.mode == "in_place" and stored.source.path and not source.samefile(stored.source.path):
        raise BadInput(
            f"{source} is neither the recording that '{stored.name}' was made from nor an annotated "
            "copy of it; write to one of these, or name the recording as it is now with --source "
            "(read it, and give it as the session)"
        )
    raise BadInput(f"{source} changed since it was read; read it again and run once more")


def _state(path: Path) -> tuple[int, int, int] | None:
    """Changes when a file does; None where there is none."""
    if not path.exists():
        return None
    seen = path.stat()
    return seen.st_size, seen.st_mtime_ns, seen.st_ino
