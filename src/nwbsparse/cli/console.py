"""What every command prints with: a console, and lines that say what was done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape


def new_console() -> Console:
    """A console that colours nothing by itself."""
    return Console(highlight=False)


def says(console: Console) -> Callable[[str], None]:
    """A function that prints a line about a step; names from files cannot be markup."""
    return lambda line: console.print(f"[dim]·[/] {escape(line)}", soft_wrap=True)


def csv_tables(console: Console, dataset: Any, folder: Path | None, *, overwrite: bool) -> None:
    """Write a dataset as CSV into a folder, where one was asked for, and say so."""
    if folder is None:
        return
    from nwbsparse.results.csv import write_csv

    wrote(console, folder, *(path.name for path in write_csv(dataset, folder, overwrite=overwrite)))


def wrote(console: Console, folder: Path, *files: str) -> None:
    """Say which files were written."""
    says(console)(f"wrote {', '.join(files)} to {folder}")
