"""``nwbsparse reproduce``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.whole_words import print_table
from nwbsparse.errors import IntegrityError


def reproduce(
    file: Path,
    /,
    *,
    source: tuple[Path, ...] = (),
    out: Path | None = None,
    result: str | None = None,
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
    result
        Which result, when the file holds several.
    quiet
        Print the comparison only.
    """
    from nwbsparse.cli.show import progress_bars
    from nwbsparse.runs.reproduce import reproduce as again

    console = new_console()
    with progress_bars(console, quiet=quiet) as progress:
        notify = (lambda _: None) if quiet else notifier(console)
        done = again(file, source=source, out=out, result=result, progress=progress, notify=notify)
    rows: list[Sequence[str | Text]] = []
    for one in done.compared:
        same = Text("same", "green") if one.same else Text("other", "red")
        difference = "" if one.same or one.difference is None else f"{one.difference:.3g}"
        rows.append((one.what, _cut(one.then), _cut(one.now), same, difference))
    headings = ("what", "then", "now", "", "largest difference")
    print_table(console, headings, rows, title="Then and now")
    for key, (then, now) in done.versions.items():
        notifier(console)(f"{key} was {then}, is {now}")
    if n := done.n_labelled:
        were = "latent was" if n == 1 else "latents were"
        notifier(console)(f"{n} {were} labelled by hand: names and verdicts are not compared")
    if done.same:
        notifier(console)("reproduced: everything is the same")
    elif done.versions:
        notifier(console)("not the same; with other versions than then, last digits may differ")
    else:
        raise IntegrityError(f"{file} could not be reproduced, with the same versions as then")


def _cut(value: str) -> str:
    """A checksum, shortened; words as they are."""
    return value if len(value) <= 24 or " " in value else f"{value[:16]}…"
