"""HDF5 files whose writing may fail, without taking the process down.

When a write fails while HDF5 closes a file (a full disk, a quota), HDF5 2.0 leaves memory in disorder
and the process ends with a segmentation fault. Here writes go through a file that takes all it is
given; the first error is kept, and raised once HDF5 is done. Signals wait until then too: an exception
cannot pass through HDF5, and would be printed and forgotten, or take the process down as well. HDF5
compresses for long, so most signals are first seen where it next calls Python: at the entrance of
``write`` (before any ``try`` in there), or where h5py forgets an object, which swallows exceptions. One
that interrupts the closing of a file lets HDF5 write to it later.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
from pynwb import NWBHDF5IO

from nwbsparse.io.stops import stops_wait


class Steady(io.FileIO):
    """A file that never refuses to be written to, and remembers what really happened."""

    error: OSError | None = None

    def __repr__(self) -> str:
        """Its path: h5py takes this for the name of the file, by which pynwb knows its own links."""
        return str(self.name)

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self.error is None and done < len(view):
                done += super().write(view[done:]) or 0
        except OSError as error:
            self.error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            if self.error is None:
                return super().truncate(size)
        except OSError as error:
            self.error = error
        return size or 0


@contextmanager
def steady_hdf5(path: Path, mode: str) -> Iterator[Any]:
    """An HDF5 file, new ('w') or to be changed ('r+').

    A signal (Ctrl-C, SIGTERM) that arrives meanwhile is handled when the file is closed.

    Raises:
        OSError: what stood in the way of a write, when all is over.
    """
    with stops_wait():
        stream = Steady(str(path), "w+" if mode == "w" else "r+")
        try:
            with h5py.File(stream, mode) as file:
                yield file
        except Exception as error:
            if stream.error is not None:
                raise stream.error from error
            raise
        finally:
            stream.close()
        if stream.error is not None:
            raise stream.error


@contextmanager
def steady_nwb(path: Path, mode: str) -> Iterator[Any]:
    """A pynwb io of an HDF5 file, new ('w') or to be added to ('a'); raises as ``steady_hdf5``."""
    with (
        steady_hdf5(path, "w" if mode == "w" else "r+") as file,
        NWBHDF5IO(path=str(path), file=file, mode=mode) as nwb,
    ):
        yield nwb
