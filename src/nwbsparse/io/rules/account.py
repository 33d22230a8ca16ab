"""The account that a reader keeps while it reads: what was found, what was kept, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.errors import raise_together
from nwbsparse.session import ReadLine, ReadReport


@dataclass
class Account:
    """Everything that a reader has to say about one file, gathered before any of it is said."""

    path: Path
    strict: bool = False
    lines: list[ReadLine] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(
        self,
        kind: str,
        name: str,
        found: int,
        kept: int,
        *,
        notes: Iterable[str] = (),
        repairs: Iterable[str] = (),
    ) -> None:
        """Report one thing that was found.

        ``notes`` are facts to know about it. ``repairs`` are faults of the file that were mended
        or left out; when reading strictly each of them is a reason to refuse the file.
        """
        repairs = tuple(repairs)
        self.lines.append(ReadLine(kind, name, found, kept, (*repairs, *notes)))
        if self.strict:
            self.problems += [f"{name}: {repair}" for repair in repairs]

    def raise_problems(self) -> None:
        """Refuse the file, once, with every problem that was found so far; else do nothing.

        Raises:
            BadInput: there are problems.
        """
        # the lists fill only when reading strictly: what can never be mended is raised at once
        raise_together(
            self.problems,
            heading=f"{self.path} has faults that are repaired and counted without --strict",
        )

    def report(self, warnings: Iterable[str] = ()) -> ReadReport:
        """What is shown to the user and stored with the results; each warning once."""
        return ReadReport(tuple(self.lines), tuple(dict.fromkeys(warnings)))


def listed(items: Sequence[Any] | np.ndarray, *, most: int = 8) -> str:
    """'3, 7, 12' for a message; past ``most`` items the rest is only counted."""
    shown = ", ".join(str(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def counted(n: int, noun: str) -> str:
    """'1 spike', '1,679 spikes'."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
