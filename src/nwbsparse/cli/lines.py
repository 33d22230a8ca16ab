"""What every command prints with: a console, and lines that say what was done."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.markup import escape


def new_console() -> Console:
    """A console that colours nothing by itself."""
    return Console(highlight=False)


def says(console: Console) -> Callable[[str], None]:
    """A function that prints a line about a step; names from files cannot be markup."""
    return lambda line: console.print(f"[dim]·[/] {escape(line)}", soft_wrap=True)
