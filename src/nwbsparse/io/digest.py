"""The SHA-256 of a file that this process read a moment ago, without reading all of it again.

A recording of 100 GB is hashed when it is read; to hash it once more before its results are written
would take as long as copying it. The file system says whether somebody wrote to it: every write
sets mtime and ctime, and no program can set ctime back. What this gives up is damage on the disk
that no program did, between two looks at a file; so a checksum is believed for some minutes only,
and a file that was written to shortly before it was hashed is hashed anew, because two writes within
one tick of the clock leave the same times.
"""

from __future__ import annotations

import time
from pathlib import Path

from nwbsparse.io.check import sha256_of

BELIEVED_FOR = 600.0
"""Seconds for which a checksum stands for a file that nobody wrote to."""
SETTLED = 2.0
"""Seconds after the last write from which on another write shows (FAT and NFS keep whole seconds)."""

Signature = tuple[int, int, int, int, int]

_known: dict[Path, tuple[Signature, float, str]] = {}


def digest_of(path: str | Path) -> str:
    """The SHA-256 of a whole file or Zarr store, as 64 hexadecimal digits.

    A file that this process hashed within the last ten minutes, and that nobody wrote to since, is
    not read again; Zarr stores always are.
    """
    path = Path(path).resolve()
    if path.is_dir():
        return sha256_of(path)
    before, now = _signature(path), time.monotonic()
    signature, when, digest = _known.get(path, (None, 0.0, ""))
    if signature == before and now - when < BELIEVED_FOR:
        return digest
    settled = time.time() - max(before[-2:]) / 1e9 > SETTLED
    digest = sha256_of(path)
    if settled and _signature(path) == before:
        _known[path] = before, now, digest
    else:
        _known.pop(path, None)
    return digest


def _signature(path: Path) -> Signature:
    seen = path.stat()
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
