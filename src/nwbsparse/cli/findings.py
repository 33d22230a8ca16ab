"""What the data check found, as a person sees it in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from nwbsparse.analysis.data_check.finding import Finding

COLOURS = {"problem": "bold red", "caution": "yellow", "note": "cyan"}


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """What was found, where, and what to do about it, the most serious first."""
    console.print(Text("Data check", "italic"))
    if not findings:
        console.print("nothing to be careful about was found")
    for one in findings:
        said = Text.assemble((one.severity, COLOURS[one.severity]), f"  {one.what}")
        console.print()
        console.print(said)
        for text in (f"where: {one.where}", one.to_do):
            console.print(Padding(Text(text, "dim"), (0, 0, 0, 2)))
