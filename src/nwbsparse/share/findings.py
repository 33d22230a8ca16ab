"""What a check says about a file: one line of the table that ``nwbsparse validate`` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from nwbsparse.io.nwb.contents import MODULE

Severity = Literal["ok", "skipped", "note", "warning", "error", "damage"]
SEVERITIES: tuple[Severity, ...] = ("ok", "skipped", "note", "warning", "error", "damage")
"""From nothing to say to data that are not what was written."""


@dataclass(frozen=True)
class Finding:
    """One thing that one check has to say."""

    tool: str
    """pynwb, nwbinspector, dandi or nwbsparse."""
    severity: Severity
    what: str
    where: str = ""
    count: int = 1
    """How many objects it was said about."""
    rule: str = ""
    """The name of the rule, where the check has rules: what one rule says is said once."""

    @property
    def of_results(self) -> bool:
        """Whether it is about sparse latents, and not about the recording they lie in."""
        return self.tool == "nwbsparse" or f"processing/{MODULE}" in self.where


def counted(findings: Iterable[Finding]) -> list[Finding]:
    """The same findings with what is said many times said once, the gravest first.

    What is said of the results is kept apart from what is said of the recording.
    """
    groups: dict[tuple[str, str, str, bool], Finding] = {}
    for one in findings:
        key = (one.tool, one.severity, one.rule or one.what, one.of_results)
        first = groups.get(key)
        groups[key] = one if first is None else replace(first, count=first.count + one.count)
    return sorted(groups.values(), key=lambda one: -SEVERITIES.index(one.severity))
