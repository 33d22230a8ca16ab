"""The one way in which long work says how far it is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """Called every so often by long work; raising from it stops the work."""

    def __call__(self, stage: str, done: int, total: int, /, **numbers: float) -> None:
        """``done`` of ``total`` of this stage, with numbers worth showing beside it."""
        ...


def silent(_stage: str, _done: int, _total: int, /, **_numbers: float) -> None:
    """Show nothing."""
