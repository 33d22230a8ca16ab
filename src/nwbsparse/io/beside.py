"""Recordings near an annotated file, where runs leave them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path


def nwb_files_near(path: Path, *, folders: int, first: Collection[str] = ()) -> Iterator[Path]:
    """NWB files in the folder of a file and in those above it, without the file itself.

    Args:
        path: the file.
        folders: how many folders are looked into: its own, the one above, …
        first: names of files that come first in each folder, since looking into a file takes long.
    """
    seen = {path.resolve()}
    for folder in (path.parent, *path.resolve().parents[:folders]):
        for one in sorted(folder.glob("*.nwb"), key=lambda one: (one.name not in first, one.name)):
            if one.resolve() not in seen and one.is_file():
                seen.add(one.resolve())
                yield one
