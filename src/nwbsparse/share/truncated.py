"""A file that lost its end, opened as if it had not: what lay there reads as nothing, and is noticed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

_TRUNCATED = re.compile(r"eof = (\d+), sblock->base_addr = (\d+), stored_eof = (\d+)")


class Padded(io.RawIOBase):
    """A file on disk that says it is longer than it is; ``missed`` tells whether that was noticed."""

    def __init__(self, path: Path, size: int) -> None:
        self._file, self._size, self._at = path.open("rb"), size, 0
        self._have = path.stat().st_size
        self.missed = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        wanted = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._at)
        got = self._file.read(wanted)
        self.missed = self.missed or len(got) < wanted
        buffer[: len(got)] = got
        buffer[len(got) : wanted] = bytes(wanted - len(got))
        self._at += wanted
        return wanted

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def opened_whole_or_not(path: Path) -> Iterator[tuple[h5py.File, Padded]]:
    """An HDF5 file, complete or truncated, open for reading; and the stream it is read from.

    Raises:
        OSError: too much of it is gone to find anything.
    """
    size = path.stat().st_size
    try:
        h5py.File(path, "r").close()
    except OSError as error:
        sizes = _TRUNCATED.search(str(error))
        if sizes is None:
            raise
        size = int(sizes[2]) + int(sizes[3])
    with Padded(path, size) as stream, h5py.File(stream, "r") as file:
        yield file, stream
