"""What every command prints with: a console, and lines that say what was done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text


def new_console() -> Console:
    """A console that prints what it is given, letter by letter.

    Names and paths may hold ``[x]`` or ``:cat:``, which rich would take for marks of its own; what is
    to be coloured is a ``Text``.
    """
    return Console(highlight=False, markup=False, emoji=False)


def notifier(console: Console) -> Callable[[str], None]:
    """A function that prints a line about a step."""
    return lambda line: console.print(Text.assemble(("·", "dim"), f" {line}"), soft_wrap=True)


def csv_tables(console: Console, dataset: Any, folder: Path | None, *, overwrite: bool) -> None:
    """Write a dataset as CSV into a folder, where one was asked for, and say so."""
    if folder is None:
        return
    from nwbsparse.results.csv import write_csv

    wrote(console, folder, *(path.name for path in write_csv(dataset, folder, overwrite=overwrite)))


def wrote(console: Console, folder: Path, *files: str) -> None:
    """Say which files were written."""
    notifier(console)(f"wrote {', '.join(files)} to {folder}")
