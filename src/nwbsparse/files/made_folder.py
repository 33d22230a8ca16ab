"""A folder that somebody asks for is made when there is something to put into it, not before."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nwbsparse.errors import EnvironmentProblem


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """The folder, made when absent; if nothing was put into it by the end, it is as it was before.

    Folders that were there before stay, and so does one that holds anything, such as the checkpoint
    of a training that was stopped.

    Raises:
        OSError: it cannot be made.
    """
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        with suppress(OSError):  # not empty, or taken by another program meanwhile
            for one in new:
                one.rmdir()


def check_writable(folder: Path) -> None:
    """Make sure that files can be written to a folder that need not exist yet; nothing is left there.

    Raises:
        EnvironmentProblem: they cannot.
    """
    try:
        with made_folder(folder), tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise EnvironmentProblem(
            f"results cannot be written to {folder}: {error.strerror}"
        ) from None
