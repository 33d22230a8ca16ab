"""Results into a file: complete and verified, or not there at all."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from nwbsparse.annotated.links import can_link, check_linked
from nwbsparse.annotated.read.look import Look, Looks, state_of
from nwbsparse.annotated.safe.lock import holders_of, locked, patiently
from nwbsparse.annotated.safe.publish import back_up, check_space, partial_of, publish, real_file
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.annotated.write.modes import (
    OpenedSource,
    append,
    export,
    link,
    read_back,
    seal,
)
from nwbsparse.annotated.write.pairing import check_pairing
from nwbsparse.annotated.write.verify import Expected, check_nothing_lost, check_validation, verify
from nwbsparse.errors import BadInput, EnvironmentProblem, NwbsparseError
from nwbsparse.io.check import check_readable
from nwbsparse.io.digest import digest_of

Mode = Literal["derived", "link", "in_place", "zarr"]
MODES: tuple[Mode, ...] = ("derived", "link", "in_place", "zarr")


@dataclass(frozen=True)
class WriteOptions:
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
    stored: StoredResult,
    source: Path,
    target: Path,
    options: WriteOptions,
    *,
    notify: Callable[[str], None],
    seen: Look | None = None,
) -> Path:
    """Write a result; the target is at every moment what it was before, or complete.

    It is written to a hidden file in the target's folder, opened again, compared with what should
    be in it, validated against the source's own errors, synced, and renamed. No file that exists
    is ever opened for writing. ``seen``: a look at the target that was taken before.

    Raises:
        BadInput: the target exists, or the result's name does, or the source changed, or parts of
            the result are of another coder or recording.
        EnvironmentProblem: the folder cannot be written to, too little space is left, or another
            program holds a file.
        IntegrityError: what was read back is not what was written; nothing is left behind.
    """
    source, target = Path(source).absolute(), Path(target).absolute()
    if options.mode == "in_place":
        source = target = real_file(target)
        if not target.is_file():
            raise BadInput(f"{target} is no file; mode='in_place' adds to an NWB file that exists")
    elif target.resolve() == source.resolve():
        raise BadInput(
            f"{target} is the source itself, which is never written to; choose another name"
        )
    if options.mode == "link":
        can_link(source, target)
    looks = Looks(*([] if seen is None else [seen]))
    state = state_of(target)
    if _is_there(stored, target, options, looks, notify):
        return target
    before = state_of(source)
    with ExitStack() as held:
        # what the libraries say about the source was reported when it was read
        held.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        opened = held.enter_context(closing(OpenedSource(source, for_copy=options.mode != "link")))
        look = partial(looks.at, source) if options.mode == "in_place" else opened.look
        _check_source(stored, source, options, look)
        check_pairing(stored, look)
        _make_folder(target.parent)
        with locked(target):
            if state_of(target) != state and _is_there(stored, target, options, looks, notify):
                return target
            room = 3 * len(stored.tensors) + stored.latents.nbytes // 2
            copied = 0 if options.mode == "link" else source.stat().st_size
            check_space(target.parent, copied + room)
            with partial_of(target, unchanged=source, notify=notify) as fresh:
                expected = _written(stored, opened, looks, fresh, target, options)
                opened.close()
                _check(stored, source, fresh, target, options, expected)
                if state_of(source) != before:
                    raise BadInput(f"{source} changed meanwhile; nothing was written, try again")
                if options.backup and options.mode == "in_place":
                    notify(f"what it held before is in {back_up(target).name}")
                publish(fresh, target, new=not (options.overwrite or options.mode == "in_place"))
    if options.mode == "link":
        gc.collect()  # what pynwb read stands in cycles, and keeps HDF5's hold on the recording
    return target


def _written(
    stored: StoredResult,
    source: OpenedSource,
    looks: Looks,
    fresh: Path,
    target: Path,
    options: WriteOptions,
) -> Expected:
    how = {"replace": options.replace, "dense": options.dense}
    if options.mode == "link":
        return link(stored, source, fresh, target=target, **how)
    if options.mode == "in_place":
        return append(stored, looks.at(source.path), fresh, **how)
    return export(stored, source, fresh, zarr=options.mode == "zarr", **how)


def _check(
    stored: StoredResult,
    source: Path,
    fresh: Path,
    target: Path,
    options: WriteOptions,
    expected: Expected,
) -> None:
    """Read back what was written, compare it, and store the checksums of what was read."""
    with read_back(fresh) as (io, nwbfile):
        record = verify(stored, nwbfile, expected, path=fresh)
        if fresh.is_dir():
            check_validation(expected.errors, io=io)
    seal(stored.name, fresh, record)
    if fresh.is_dir():
        return
    check_validation(expected.errors, path=str(fresh))
    if options.mode == "link":
        check_linked(fresh, stored.source)
    if options.mode == "in_place":
        check_nothing_lost(source, fresh, replaced={stored.name} if options.replace else set())
        fresh.chmod(target.stat().st_mode & 0o7777)


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
    stored: StoredResult,
    target: Path,
    options: WriteOptions,
    looks: Looks,
    notify: Callable[[str], None],
) -> bool:
    """Whether the target holds this very result; refuses a target that may not be replaced."""
    if not os.path.lexists(target):
        return False
    try:
        held = looks.at(target).results.get(stored.name)
    except NwbsparseError:  # whatever it is, it is not this result
        held = None
    same = held is not None and held.is_same(stored)
    if same and not (options.replace and options.mode == "in_place"):
        notify(
            f"{target.name} holds the result '{stored.name}' already, with the same options and "
            "weights: nothing was written"
        )
        return True
    taken = "" if held is None else held.said_to_exist(target)
    if options.mode == "in_place":
        if taken and not options.replace:
            raise BadInput(taken)
        return False  # what was found out may have changed: labels, another explanation
    if not options.overwrite:
        also = f" {taken}" if taken else ""
        raise BadInput(f"{target} exists; use --overwrite or another --name.{also}")
    return False


def _check_source(
    stored: StoredResult, source: Path, options: WriteOptions, look: Callable[[], Look]
) -> None:
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
    if not known or digest_of(source) in (known, *stored.same_as):
        return
    if options.mode == "in_place" and look().was_made_from(known):
        return
    if (
        options.mode == "in_place"
        and stored.source.path
        and not source.samefile(stored.source.path)
    ):
        raise BadInput(
            f"{source} is neither the recording that '{stored.name}' was made from nor an annotated "
            "copy of it; write to one of these, or name the recording as it is now with --source "
            "(read it, and give it as the session)"
        )
    raise BadInput(f"{source} changed since it was read; read it again and run once more")
