"""Ctrl-C and SIGTERM during a training: finish the update, save, then stop."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """While it is entered, signals wait for the end of an update; a second one stops at once.

    Ctrl-C also where there is nothing to save: raised in the middle of an update it can fall into a
    callback (of a weak reference, of compiled code), where Python prints it and goes on training. Only
    in the main thread, the one place where Python delivers signals.
    """

    def __init__(self, *, saves: bool) -> None:
        here = threading.current_thread() is threading.main_thread()
        self.signals = (SIGNALS if saves else SIGNALS[:1]) if here else ()
        self.asked: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stopping:
        for number in self.signals:
            # what is ignored stays so; a handler that Python does not know cannot be put back
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked is not None:
            self._hand_on(number, frame)
        self.asked = number

    def obey(self) -> None:
        """Stop now if a signal asked for it: what would have handled it does so."""
        if self.asked is not None:
            self._hand_on(self.asked, None)

    def _hand_on(self, number: int, frame: FrameType | None) -> None:
        handler = self._before.get(number)
        if callable(handler):
            handler(number, frame)
        raise KeyboardInterrupt
