"""``nwbsparse validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.errors import IntegrityError

_COLOURS = {
    "ok": "green",
    "skipped": "dim",
    "note": "dim",
    "warning": "yellow",
    "error": "red",
    "damage": "bold red",
}


def validate(file: Path, /, *, all_notes: bool = False) -> None:
    """Check a file: NWB schema, nwbinspector, dandi, and our own results. Exit 5 means damage.

    Parameters
    ----------
    file
        An NWB file, HDF5 or Zarr.
    all_notes
        List suggestions too, not only their number.
    """
    from nwbsparse.share.validate import validate as check

    report = check(file)
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("check", "says", "n"):
        table.add_column(heading, no_wrap=True)
    table.add_column("what", overflow="fold", ratio=1)
    notes: dict[str, int] = {}
    for one in report.findings:
        if one.severity == "note" and not all_notes and one.tool != "nwbsparse":
            notes[one.tool] = notes.get(one.tool, 0) + one.count
            continue
        where = f"{one.where}: " if one.where else ""
        said = Text(one.severity, _COLOURS[one.severity])
        n = "" if one.severity in ("ok", "skipped") else str(one.count)
        table.add_row(one.tool, said, n, where + one.what)
    for tool, n in notes.items():
        table.add_row(tool, Text("note", "dim"), str(n), "suggestions (--all-notes lists them)")
    console = new_console()
    console.print(str(file), soft_wrap=True)
    console.print(table)
    if report.damaged:
        raise IntegrityError(f"{file} is damaged; `nwbsparse doctor {file}` says what can be saved")
    notifier(console)(_verdict(report))


def _verdict(report: Any) -> str:  # whose errors they are
    ours, errors = report.n_errors_of_results, report.n_errors
    if not errors:
        return "no errors"
    if not report.holds_results:
        return f"{errors} errors, no damage"
    if not ours:
        return f"{errors} errors, all in the recording itself; the results are sound"
    return f"{errors} errors, {ours} of them in the results; no damage"
