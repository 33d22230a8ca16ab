"""A file that says who works on something: one process can take it, others are told who holds it.

Locks of file systems and of HDF5 can be switched off, and are absent on many network disks; a file
that only one process can create works everywhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nwbsparse.errors import EnvironmentProblem

EMPTY_FOR = 60.0
"""Seconds after which a claim without content is nobody's."""
SILENT_FOR = 600.0
"""Seconds after which the claim of a process of another machine is nobody's, where claims are renewed."""
RENEWED_EVERY = 30.0


@dataclass(frozen=True)
class Holder:
    """Who holds a claim, as the file says it."""

    host: str
    pid: int | None
    since: str

    def __str__(self) -> str:
        which = "another process" if self.pid is None else f"process {self.pid}"
        return f"{which} on {self.host} since {self.since}"


def take(path: Path, *, about: str = "", renewed: bool = False) -> Holder | None:
    """Take a claim for this process; or who holds it, where somebody does.

    The claim of a process of this machine that is no more is taken over.

    Args:
        path: the file; its folder exists.
        about: what is claimed, in words, for somebody who finds the file.
        renewed: holders renew such claims (:func:`renewing`): one of another machine that was not
            renewed for ten minutes is taken over as well.

    Raises:
        EnvironmentProblem: no file can be made there.
    """
    for _ in range(2):
        if _create(path, json.dumps(_own() | {"about": about})):
            return None
        if not is_stale(path, renewed=renewed):
            break
        _clear(path, renewed=renewed)
    return holder_of(path) or Holder("another machine", None, "?")


def release(path: Path) -> None:
    """Give a claim back."""
    with contextlib.suppress(OSError):
        path.unlink()


@contextmanager
def renewing(path: Path) -> Iterator[None]:
    """Renew a claim every half minute, so that other machines see that its process is alive."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEWED_EVERY):
            with contextlib.suppress(OSError):
                os.utime(path)

    thread = threading.Thread(target=renew, name="nwbsparse-claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def holder_of(path: Path) -> Holder | None:
    """Who holds a claim; None where nobody can be read of it."""
    held = _content(path)
    if not held:
        return None
    pid = held.get("pid")
    return Holder(
        str(held.get("host", "another machine")),
        pid if isinstance(pid, int) else None,
        str(held.get("since", "?")),
    )


def is_stale(path: Path, *, renewed: bool = False) -> bool:
    """Whether nobody holds a claim any more, though its file is there."""
    held = _content(path)
    if not held:  # its maker died before it could write
        return (_age(path) or 0.0) > EMPTY_FOR
    if held.get("host") != socket.gethostname():
        return renewed and (_age(path) or 0.0) > SILENT_FOR
    pid = held.get("pid")
    if not isinstance(pid, int):
        return False
    state, began = _process(pid)
    if state == "Z" or (None not in (began, held.get("began")) and began != held["began"]):
        return True  # it ended and nobody asked how, or another process got its number
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it lives, and is another account's
        return False
    return False


def _own() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "began": _process(os.getpid())[1],
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _create(path: Path, content: str) -> bool:
    """Whether the file was made by this call, with its content from the first moment on."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
    try:
        fresh.write_text(content, encoding="utf-8")
        try:
            os.link(fresh, path)
        except FileExistsError:
            return False
        except OSError:  # a disk without links
            return _create_empty_first(path, content)
        finally:
            fresh.unlink()
    except OSError as error:
        raise EnvironmentProblem(
            f"results cannot be written to {path.parent}: {error.strerror}"
        ) from None
    return True


def _create_empty_first(path: Path, content: str) -> bool:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
    return True


def _clear(path: Path, *, renewed: bool) -> None:
    """Remove a stale claim; among several that try, only one removes it, and only that one."""
    mine = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
    with contextlib.suppress(OSError):
        path.rename(mine)
        if not is_stale(
            mine, renewed=renewed
        ):  # somebody took it between the look and the renaming
            with contextlib.suppress(FileExistsError):
                os.link(mine, path)
        mine.unlink()


def _content(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _age(path: Path) -> float | None:
    """Seconds since a file was touched, by the clock of its own disk, which may not be ours."""
    probe = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
    try:
        probe.touch()
        now = probe.stat().st_mtime
        probe.unlink()
        return now - path.stat().st_mtime
    except OSError:
        with contextlib.suppress(OSError):
            return time.time() - path.stat().st_mtime
        return None


def _process(pid: int) -> tuple[str, int | None]:
    """State of a process of this machine, and when it began in ticks; nothing where nobody says."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = said.rpartition(")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, ValueError, IndexError):
        return "", None
