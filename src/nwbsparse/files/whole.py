"""A file is complete, or it is what it was before: written beside its place, synced, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from nwbsparse.errors import EnvironmentProblem, NwbsparseError


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A hidden path beside a file that is to be written; what lies there in the end becomes the file.

    The folder is made when absent. Whatever goes wrong, an earlier file of that name is still there
    and nothing else is; of a process that was killed a hidden file stays, which ``nwbsparse doctor``
    names. Two that write one file at a time do not meet: the last one wins.

    Args:
        target: the file; its ending is that of the hidden path as well.

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    fresh = hidden_name(target, f"-{secrets.token_hex(4)}{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield fresh
        sync(fresh)
        fresh.replace(target)
        sync(target.parent)
    except OSError as error:
        if isinstance(error, NwbsparseError):
            raise
        raise EnvironmentProblem(
            f"{target} cannot be written: {error.strerror or error}"
        ) from error
    finally:
        with suppress(OSError):
            fresh.unlink()


def write_whole(target: Path, content: bytes | str) -> None:
    """Write a file, and the folders it lies in, completely or not at all; text as UTF-8.

    Raises:
        EnvironmentProblem: it cannot be written; an earlier file of that name is still there.
    """
    with whole_file(target) as fresh:
        fresh.write_bytes(content.encode() if isinstance(content, str) else content)


def remove_unfinished(target: Path) -> None:
    """Remove what killed processes left of a file that no other process writes now."""
    for left in target.parent.glob(f"{hidden_name(target, '-*').name}{target.suffix}"):
        with suppress(OSError):
            left.unlink()


def hidden_name(target: Path, suffix: str) -> Path:
    """A hidden name beside a target, always the same for the same target and suffix."""
    mark = sha256(target.name.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return target.parent / f".nwbsparse-{mark}{suffix}"


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk, where the file system can say so.

    Raises:
        OSError: it cannot be brought there.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)
