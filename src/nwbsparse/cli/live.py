"""The live table of a training: one row of numbers that say whether it goes well."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from nwbsparse.progress import Progress, silent

Notify = Callable[[str], None]

_COLUMNS = {
    "loss": ("loss", "{:.4g}"),
    "validation": ("validation loss", "{:.4g}"),
    "r2": ("validation R²", "{:.3f}"),
    "l0": ("L0", "{:.1f}"),
    "dead": ("dead", "{:.1%}"),
    "bins_per_s": ("bins/s", "{:,.0f}"),
}


@contextmanager
def training_table(
    console: Console, notify: Notify, *, quiet: bool = False
) -> Iterator[tuple[Progress, Notify]]:
    """Show loss, R² on validation bins, L0, dead latents, speed and time left; nothing when quiet.

    It appears with the first numbers. A line that is said ends it: what comes after stands below.
    """
    if quiet:
        yield silent, lambda _: None
        return
    began = time.monotonic()
    since: list[int] = []
    live = Live(console=console, refresh_per_second=4, transient=False)

    def update(_stage: str, done: int, total: int, /, **numbers: float) -> None:
        if not since:
            since.append(done)
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("models" if "loss" not in numbers else "updates")
        shown = {key: how for key, how in _COLUMNS.items() if key in numbers}
        for heading, _ in shown.values():
            table.add_column(heading, justify="right")
        table.add_column("left", justify="right")
        values = [pattern.format(numbers[key]) for key, (_, pattern) in shown.items()]
        left = _left(time.monotonic() - began, done, since[0], total)
        table.add_row(f"{done:,} of {total:,}", *values, left)
        live.start()
        live.update(table)

    def said(line: str) -> None:
        live.stop()
        notify(line)

    try:
        yield update, said
    finally:
        live.stop()


def _left(spent: float, done: int, since: int, total: int) -> str:
    """How much longer it takes at the present speed; the first check has no speed yet."""
    if done >= total:
        return "done"
    if done <= since:
        return "…"
    seconds = int(spent * (total - done) / max(done - since, 1))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
