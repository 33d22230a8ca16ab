"""One writer at a time: a lock file beside the target, and words about who holds it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from nwbsparse.errors import EnvironmentProblem
from nwbsparse.files.claim import release, take
from nwbsparse.files.whole import hidden_name

T = TypeVar("T")

PATIENCE = 3.0
"""Seconds to wait for a file that another program holds."""


@contextmanager
def locked(target: Path, *, patience: float | None = None) -> Iterator[None]:
    """Hold the right to write a target, among all processes that use nwbsparse.

    The lock of a process that died on this machine is taken over (:mod:`nwbsparse.files.claim`).

    Raises:
        EnvironmentProblem: another process holds it, and since when.
    """
    path = hidden_name(target, ".lock")
    patiently(lambda: _take(path, target), patience=patience)
    try:
        yield
    finally:
        release(path)


def patiently(attempt: Callable[[], T], *, patience: float | None = None) -> T:
    """What an attempt gives, which is repeated for a while as long as something else stands in the way.

    Raises:
        EnvironmentProblem: it still does.
    """
    pause, until = 0.05, time.monotonic() + (PATIENCE if patience is None else patience)
    while True:
        try:
            return attempt()
        except EnvironmentProblem:
            if time.monotonic() + pause > until:
                raise
        time.sleep(pause)
        pause = min(2 * pause, 1.0)


def holders_of(path: Path) -> str:
    """' (process 123)' for the processes of this account that have a file open; '' if unknown."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if link.stat().st_ino == path.stat().st_ino and link.resolve() == path.resolve():
                found.add(link.parts[2])
    found.discard(str(os.getpid()))
    return f" (process {', '.join(sorted(found))})" if found else ""


def _take(path: Path, target: Path) -> None:
    if (holder := take(path, about=target.name)) is not None:
        raise EnvironmentProblem(
            f"{target} is being written by nwbsparse on {holder.host} (process "
            f"{'?' if holder.pid is None else holder.pid}) since {holder.since}. Wait for it; if it is "
            f"gone, remove {path}."
        )
