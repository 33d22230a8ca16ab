"""pynwb's cache in the home folder, and how to do without it.

``import pynwb`` makes a folder there and keeps its types in it. In a home folder that is full the
file stays half-written, and every later import of pynwb fails, in every program; where the folder
cannot be made, already the first one does. So the cache is left out wherever it would not be whole.
"""

from __future__ import annotations

import atexit
import importlib.metadata
import os
import shutil
import tempfile
from pathlib import Path

NEEDED = 2**21
"""Bytes that must find room before pynwb may write its cache (300 kB today)."""

_NAME = "pynwb_core_typemap.pkl"


def do_without_broken_cache() -> None:
    """Make sure that pynwb can be imported next, whatever became of the home folder.

    Only variables of this process (and its children) are set; nothing is removed.
    """
    folder = cache_folder() / _version()
    if is_whole(folder / _NAME):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        elsewhere = tempfile.mkdtemp(prefix="nwbsparse-")
        atexit.register(shutil.rmtree, elsewhere, ignore_errors=True)
        os.environ["XDG_CACHE_HOME"] = elsewhere
    else:
        if not (folder / _NAME).exists() and _has_room(folder):
            return
    os.environ["PYNWB_NO_CACHE_DIR"] = "1"


def cache_folder() -> Path:
    """Where pynwb keeps its caches, one folder per version."""
    from platformdirs import user_cache_path

    return user_cache_path("pynwb-hdmf")


def broken_caches() -> tuple[Path, ...]:
    """Caches of pynwb that were written only in part, as on a full disk; each stops its import."""
    try:
        found = sorted(cache_folder().glob(f"**/{_NAME}"))
    except OSError:
        return ()
    return tuple(one for one in found if not is_whole(one))


def is_whole(cache: Path) -> bool:
    """Whether a cache ends with the byte that ends every pickle; nothing is unpickled to find out."""
    try:
        with cache.open("rb") as stream:
            if not stream.seek(0, os.SEEK_END):
                return False
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) == b"."
    except OSError:
        return False


def _version() -> str:
    return "-".join(importlib.metadata.version(name) for name in ("pynwb", "hdmf"))


def _has_room(folder: Path) -> bool:
    """Whether a file of that size can be written; a quota shows in no other way."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0" * NEEDED)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError:
        return False
    return True
