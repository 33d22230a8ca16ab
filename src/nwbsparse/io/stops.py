"""Ctrl-C and SIGTERM around libraries in which a stop would be lost, or do harm.

Python raises a stop wherever it happens to be. Inside a finalizer (pynwb's and HDF5's objects have
them), a garbage collection or a callback from compiled code nobody can catch it there: Python prints
it and goes on, or the library makes an error of its own of it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM") if hasattr(signal, name)
]


@contextmanager
def stops_are_heard() -> Iterator[None]:
    """A stop in the block is raised at once; where a library swallows it, once more at the end."""
    with _noting(at_once=True):
        yield


@contextmanager
def stops_wait() -> Iterator[None]:
    """A stop in the block is raised once the block is over."""
    with _noting(at_once=False):
        yield


@contextmanager
def _noting(*, at_once: bool) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only there signals are handled
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    handlers: dict[int, Any] = {}
    over = False

    def note(number: int, frame: FrameType | None) -> None:
        if not over:
            came.append((number, frame))
        if at_once or over:
            handlers[number](number, frame)

    heard = False
    try:
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):  # what is ignored, or ends the process, does so
                handlers[number] = handler
                signal.signal(number, note)
        yield
    except BaseException as error:
        heard = at_once and not isinstance(error, Exception)  # an Exception is not what stops
        raise
    finally:
        over = True
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if not heard:
            for number, frame in came:
                handlers[number](number, frame)
