"""Many recordings in one table: a row each, also for those that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any

from rich.console import Console
from rich.text import Text

from nwbsparse.cli.whole_words import Row, print_table

HEADINGS = ("recording", "units", "duration", "behaviour", "usable")


def show_recordings(console: Console, recordings: Iterable[dict[str, Any]]) -> None:
    """Units, duration and behaviour of each recording, and whether it can be used or why not."""
    seen = list(recordings)
    names = _short([one["source"] for one in seen])
    rows = [_row(name, one) for name, one in zip(names, seen, strict=True)]
    print_table(console, HEADINGS, rows)
    usable = sum(one["usable"] for one in seen)
    console.print(f"{usable} of {len(seen)} can be used", soft_wrap=True)


def _row(name: str, one: dict[str, Any]) -> Row:
    verdict = Text("yes", "green") if one["usable"] else Text(one["why_not"], "red")
    if "n_units" not in one:
        return name, "–", "–", "–", verdict
    return name, f"{one['n_units']:,}", _length(one["seconds"]), _behaviour(one), verdict


def _behaviour(one: dict[str, Any]) -> str:
    tables = [f"{table['name']} ({table['rows']:,})" for table in one["intervals"]]
    events = [f"{name} ({n:,})" for name, n in one["events"].items()]
    return ", ".join([*(series["name"] for series in one["series"]), *tables, *events]) or "none"


def _length(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _short(sources: Sequence[str]) -> list[str]:
    """Names of files where these tell them apart, else whole paths."""
    names = [PurePath(source).name for source in sources]
    return names if len(set(names)) == len(names) else list(sources)
