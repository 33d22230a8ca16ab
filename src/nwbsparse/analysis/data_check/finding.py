"""One thing that a check found in a recording: what, where, how much, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Severity = Literal["problem", "caution", "note"]
"""problem: something cannot work, or means nothing, as it is. caution: results can come of it that
are none. note: good to know."""
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True)
class Finding:
    """One thing to know about a recording."""

    check: str
    """Which check found it: 'shared spikes', 'drift', …"""
    severity: Severity
    what: str
    """What was found, with its numbers: one sentence or two."""
    where: str
    """Which units, variables or tables, and when (s)."""
    to_do: str
    """What to do about it."""
    numbers: Mapping[str, Any]
    """The numbers behind the sentence, as plain values; seconds and shares from 0 to 1."""

    def __str__(self) -> str:
        """The finding as text of a few lines."""
        return f"{self.severity}: {self.what}\n  where: {self.where}\n  to do: {self.to_do}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "check": self.check,
            "severity": self.severity,
            "what": self.what,
            "where": self.where,
            "to_do": self.to_do,
            "numbers": dict(self.numbers),
        }
