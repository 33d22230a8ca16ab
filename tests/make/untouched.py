"""Whether a test wrote a file or started a process: ``make test-fast`` holds that none does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STARTS = {"subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn"}
CACHES = {"__pycache__", ".hypothesis", ".pytest_cache", ".cache", "numba_cache"}
CACHED = {".nbi", ".nbc", ".pyc"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_watchers: list[list[str]] = []


def _hook(event: str, given: tuple[Any, ...]) -> None:
    if not _watchers:
        return
    if event in STARTS:
        _watchers[-1].append(f"started a process ({event})")
    elif event == "open" and isinstance(given[0], str | bytes) and given[2] & WRITES:
        path = Path(os.fsdecode(given[0]))
        if path.is_relative_to("/dev") or path.suffix in CACHED or CACHES & {*path.parts}:
            return
        _watchers[-1].append(f"wrote {path}")


def install() -> None:
    """Begin to listen; an audit hook stays until the process ends."""
    sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is written and started meanwhile, in words."""
    seen: list[str] = []
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)
