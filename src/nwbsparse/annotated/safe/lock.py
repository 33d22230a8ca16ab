"""One writer at a time: a lock file beside the target, and words about who holds it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from nwbsparse.errors import EnvironmentProblem
from nwbsparse.files.whole import hidden_name

T = TypeVar("T")

PATIENCE = 3.0
"""Seconds to wait for a file that another program holds."""


EMPTY_FOR = 60.0
"""Seconds after which a lock without content is nobody's."""


@contextmanager
def locked(target: Path, *, patience: float | None = None) -> Iterator[None]:
    """Hold the right to write a target, among all processes that use nwbsparse.

    HDF5's own locks can be switched off, and are absent on many network disks; a file that only
    one process can create works everywhere. The lock of a process that died on this machine is
    taken over.

    Raises:
        EnvironmentProblem: another process holds it, and since when.
    """
    path = hidden_name(target, ".lock")
    content = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "file": target.name,
    }
    patiently(lambda: _take(path, target, json.dumps(content)), patience=patience)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


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


def _take(path: Path, target: Path, content: str) -> None:
    for _ in range(2):
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            if not _is_stale(path):
                raise EnvironmentProblem(_held(path, target)) from None
            _clear(path)
            continue
        except OSError as error:
            raise EnvironmentProblem(
                f"results cannot be written to {target.parent}: {error.strerror}"
            ) from None
        with os.fdopen(descriptor, "w") as stream:
            stream.write(content)
        return
    raise EnvironmentProblem(_held(path, target))


def _clear(path: Path) -> None:
    """Remove a stale lock; among several that try, only one removes it, and only that one."""
    mine = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.rename(mine)
        if not _is_stale(mine):  # somebody took it between the look and the renaming
            with contextlib.suppress(FileExistsError):
                os.link(mine, path)
        mine.unlink()


def _is_stale(path: Path) -> bool:
    held = _content(path)
    if not held:  # its maker died before it could write
        with contextlib.suppress(OSError):
            return time.time() - path.stat().st_mtime > EMPTY_FOR
        return False
    if held.get("host") != socket.gethostname() or "pid" not in held:
        return False
    if held["pid"] == os.getpid():
        return False
    try:
        os.kill(int(held["pid"]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it lives, and is another account's
        return False
    return False


def _held(path: Path, target: Path) -> str:
    held = _content(path)
    return (
        f"{target} is being written by nwbsparse on {held.get('host', 'another machine')} (process "
        f"{held.get('pid', '?')}) since {held.get('since', '?')}. Wait for it; if it is gone, "
        f"remove {path}."
    )


def _content(path: Path) -> dict[str, str | int]:
    try:
        held = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}
