"""What doctor found, part by part, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from nwbsparse.cli.console import notifier
from nwbsparse.share.survey import Part

MOST = 200
"""Lines that anybody reads."""


def show_parts(console: Console, parts: Sequence[Part]) -> None:
    """How many parts can be read; and where some cannot, which, and which can."""
    bad = [part for part in parts if part.problem]
    away = [part for part in parts if part.elsewhere]
    untried = [part for part in parts if not part.tried]
    good = len(parts) - len(bad) - len(untried) - len(away)
    if not parts:
        return
    rest = f", {len(untried)} were not tried (--seconds)" if untried else ""
    notifier(console)(f"{good} of {len(parts) - len(away)} datasets can be read{rest}")
    for other in sorted({part.elsewhere for part in away}):
        notifier(console)(f"{', '.join(p.path for p in away if p.elsewhere == other)}: in {other}")
    if not bad:
        return
    fine = [one for one in parts if not one.problem and not one.elsewhere]
    listed = [*bad, *(part for part in fine if not _is_definition(part))]
    for part in listed[:MOST]:
        shape = " × ".join(f"{n:,}" for n in part.shape) or "1"
        said = Text.assemble(("lost:", "red"), f" {part.path}: {part.problem}")
        if not part.problem:
            word = "whole" if part.tried else "not tried"
            said = Text.assemble(
                (f"{word}:", "dim"), f" {part.path} ", (f"{shape} {part.dtype}", "dim")
            )
        console.print(said, soft_wrap=True)
    if len(listed) > MOST:
        notifier(console)(f"and {len(listed) - MOST} more")


def _is_definition(part: Part) -> bool:
    return part.path.startswith("/specifications/")
