"""How a file gets its place: written beside it under a hidden name, synced, renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.files.whole import hidden_name, sync

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def partial_of(target: Path, *, unchanged: Path, notify: Callable[[str], None]) -> Iterator[Path]:
    """A hidden path beside a target, to write to; nothing stays there, whatever happens.

    What an earlier writer of the same target left when it was killed is removed, and that is said.

    Raises:
        EnvironmentProblem: writing failed: the disk is full, or there is a quota or limit.
    """
    partial = hidden_name(target, target.suffix or ".nwb")
    if os.path.lexists(partial):
        notify(
            f"An unfinished temporary file {partial.name} was found; {unchanged.name} is unchanged."
        )
        _remove(partial)
    try:
        yield partial
    except (OSError, RuntimeError) as error:
        number = _errno(error)
        if isinstance(error, EnvironmentProblem) or (number is None and _is_bug(error)):
            raise
        free = shutil.disk_usage(target.parent).free
        if number in _FULL:
            why = "a limit on the size of files" if number == errno.EFBIG else "the disk is full"
            raise EnvironmentProblem(
                f"{target} could not be written: {why} ({free / 1e9:.2f} GB free on "
                f"{mount_of(target.parent)}); {unchanged.name} is unchanged"
            ) from error
        raise EnvironmentProblem(
            f"{target} could not be written ({error}); {unchanged.name} is unchanged"
        ) from error
    finally:
        _remove(partial)


def check_space(folder: Path, needed: int) -> None:
    """Refuse to begin what the disk has no room for.

    Raises:
        EnvironmentProblem: with what is needed and what is free.
    """
    there = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise EnvironmentProblem(
            f"Disk full: need {needed / 1e9:.2f} GB, {free / 1e9:.2f} GB free on {mount_of(there)}. "
            "Nothing was changed."
        )


def mount_of(folder: Path) -> Path:
    """Where the file system of a folder is mounted."""
    folder = folder.resolve()
    return next((one for one in (folder, *folder.parents) if os.path.ismount(one)), folder)


def publish(partial: Path, target: Path, *, new: bool = False) -> None:
    """Give a complete file (or Zarr store) its name: all of it is on the disk before the name is.

    ``new``: nothing may be replaced, not even what another program put there a moment ago.

    Raises:
        BadInput: something of that name is there, and ``new`` was asked for; it stays as it is.
    """
    for one in (partial, *partial.rglob("*")) if partial.is_dir() else (partial,):
        sync(one)
    if new:
        try:
            _name(partial, target)
        except (FileExistsError, NotADirectoryError):
            raise BadInput(
                f"{target} appeared while it was being written; it is left as it is. Move it away, "
                "or choose another name"
            ) from None
    elif target.is_dir() and not target.is_symlink():  # a folder cannot be replaced in one step
        aside = hidden_name(target, ".replaced")
        _remove(aside)
        target.rename(aside)
        try:
            partial.rename(target)
        except OSError:
            aside.rename(target)
            raise
        _remove(aside)
    else:
        partial.replace(target)
    sync(target.parent)


def back_up(path: Path) -> Path:
    """A second name for what a file holds now, which stays when the file is replaced."""
    backup = path.with_name(f"{path.name}.bak")
    if os.path.lexists(backup):
        raise BadInput(
            f"{backup} exists from an earlier time; move it away, or write without backup"
        )
    try:
        os.link(path, backup)
    except OSError:  # no hard links on this disk
        fresh = hidden_name(backup, ".bak")
        shutil.copy2(path, fresh)
        sync(fresh)
        fresh.replace(backup)
    sync(path.parent)
    return backup


def real_file(path: Path) -> Path:
    """The file that a path leads to, if it may be replaced there.

    Raises:
        BadInput: a link to a file that git-annex or its owner keeps read-only, or to nothing.
    """
    real = path.resolve()
    if not path.is_symlink():
        return real
    if not real.is_file():
        raise BadInput(f"{path} is a link to a file that is not here; fetch it first")
    if ".git" in real.parts and "annex" in real.parts:
        raise BadInput(
            f"{path} is a link to {real}, which git-annex keeps and never changes; run `git annex "
            f"unlock {path.name}` first, or use mode='derived'"
        )
    return real


def _name(partial: Path, target: Path) -> None:
    """Rename without replacing anything, in one step wherever the disk knows hard links."""
    if partial.is_dir():
        try:
            partial.rename(target)  # refused by the system where a file or a filled folder is
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise FileExistsError(str(target)) from None
            raise
        return
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:  # no hard links on this disk: the name is claimed first
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        partial.replace(target)
    else:
        partial.unlink()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _errno(error: BaseException) -> int | None:
    """The number of the operating system's error behind an error, as HDF5 words it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno:
            return seen.errno
        for number in _FULL:
            if f"errno = {number}," in str(seen):
                return number
        seen = seen.__cause__ or seen.__context__
    return None


def _is_bug(error: BaseException) -> bool:
    return isinstance(error, RuntimeError) and "write" not in str(error).lower()
