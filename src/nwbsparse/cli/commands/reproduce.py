"""``nwbsparse reproduce``."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.markup import escape
from rich.table import Table

from nwbsparse.cli.console import new_console, says
from nwbsparse.errors import IntegrityError


def reproduce(
    file: Path,
    /,
    *,
    source: tuple[Path, ...] = (),
    out: Path | None = None,
    name: str | None = None,
    quiet: bool = False,
) -> None:
    """Run again what made a file's results, from its own record, and compare everything.

    Exit 0: the same, or other versions are installed than then. Exit 5: it differs.

    Parameters
    ----------
    file
        An annotated NWB file.
    source
        The recording, where it does not lie beside the file; of a model of several sessions each
        one, with a --source of its own.
    out
        Folder in which the new run is kept.
    name
        Which result, when the file holds several.
    quiet
        Print the comparison only.
    """
    from nwbsparse.cli.show import progress_bars
    from nwbsparse.runs.reproduce import reproduce as again

    console = new_console()
    with progress_bars(console, quiet=quiet) as progress:
        say = (lambda _: None) if quiet else says(console)
        done = again(file, source=source, out=out, name=name, progress=progress, say=say)
    table = Table(title="Then and now", title_justify="left", box=box.SIMPLE, pad_edge=False)
    for heading in ("what", "then", "now", "", "largest difference"):
        table.add_column(heading, overflow="fold")
    for one in done.compared:
        same = "[green]same[/]" if one.same else "[red]other[/]"
        difference = "" if one.same or one.difference is None else f"{one.difference:.3g}"
        table.add_row(escape(one.what), _cut(one.then), _cut(one.now), same, difference)
    console.print(table)
    for key, (then, now) in done.versions.items():
        says(console)(f"{key} was {then}, is {now}")
    if done.same:
        says(console)("reproduced: everything is the same")
    elif done.versions:
        says(console)("not the same; with other versions than then, last digits may differ")
    else:
        raise IntegrityError(f"{file} could not be reproduced, with the same versions as then")


def _cut(value: str) -> str:
    """A checksum, shortened; words as they are."""
    return escape(value if len(value) <= 24 or " " in value else f"{value[:16]}…")
