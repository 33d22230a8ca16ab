"""Commands about files that others get, or that broke: bundle, validate, doctor, reproduce."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from nwbsparse.cli.diagnosis import MOST, show_parts
from nwbsparse.cli.lines import new_console, says
from nwbsparse.cli.whole_words import print_table
from nwbsparse.errors import BadInput, IntegrityError

_COLOURS = {
    "ok": "green",
    "skipped": "dim",
    "note": "dim",
    "warning": "yellow",
    "error": "red",
    "damage": "bold red",
}


def bundle(
    file: Path,
    /,
    *,
    out: Path,
    name: str | None = None,
    session_id: str | None = None,
    subject_id: str | None = None,
    age: str | None = None,
    sex: str | None = None,
    species: str | None = None,
) -> None:
    """Make an annotated file ready for DANDI: self-contained, without raw data, under DANDI's name.

    Parameters
    ----------
    file
        An annotated NWB file (HDF5). It is only read.
    out
        Folder of the Dandiset.
    name
        The result that names the bundle, when the file holds several.
    session_id
        Name of the session, where the file has none.
    subject_id
        Name of the animal or person, where the file has none.
    age
        Age, where the file has none: P90D for 90 days, P2M/P3M for a range.
    sex
        M, F, O (other) or U (unknown), where the file has none.
    species
        Latin name, such as 'Mus musculus', where the file has none.
    """
    from nwbsparse.io.share.bundle import bundle as make
    from nwbsparse.io.share.subject import SubjectFields

    subject = SubjectFields(subject_id, age, sex, species)
    made = make(file, out, name=name, subject=subject, session_id=session_id)
    console = new_console()
    size = made.path.stat().st_size / 1e6
    says(console)(f"wrote and verified {made.path} ({size:.1f} MB)")
    if made.linked:
        says(console)("parts that lay in other files were copied in")
    if made.left_out:
        says(console)(f"raw data left out: {', '.join(made.left_out)}")
    if made.films:
        said = "stimuli left out, because their frames lie in films outside the file"
        says(console)(f"{said}: {', '.join(made.films)}")
    for field, value in made.added.items():
        says(console)(f"{field}: {value} (from the command line)")
    says(console)(f"next: nwbsparse validate {made.path}, then dandi upload in {out}")


def validate(file: Path, /, *, all_notes: bool = False) -> None:
    """Check a file: NWB schema, nwbinspector, dandi, and our own results. Exit 5 means damage.

    Parameters
    ----------
    file
        An NWB file, HDF5 or Zarr.
    all_notes
        List suggestions too, not only their number.
    """
    from nwbsparse.validation import validate as check

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
    says(console)(_verdict(report))


def _verdict(report: Any) -> str:  # whose errors they are
    ours, errors = report.n_errors_of_results, report.n_errors
    if not errors:
        return "no errors"
    if not report.holds_results:
        return f"{errors} errors, no damage"
    if not ours:
        return f"{errors} errors, all in the recording itself; the results are sound"
    return f"{errors} errors, {ours} of them in the results; no damage"


def doctor(file: Path, /, *, save: Path | None = None, seconds: float = 60.0) -> None:
    """Say what is wrong with a damaged file and what can be read of it. Exit 5 means damage.

    Parameters
    ----------
    file
        An NWB file, HDF5 or Zarr; truncated, half-written or otherwise broken.
    save
        A new folder for what can be read of the results: coders, tables (CSV), arrays (netCDF).
    seconds
        How long datasets are read to see whether they can be.
    """
    from nwbsparse.io.doctor import doctor as look
    from nwbsparse.io.doctor import remove_caches

    console = new_console()
    found = look(file, seconds=seconds)
    rescued = None
    if save is not None:  # before anything is printed: what is saved must not hang on a closed pipe
        from nwbsparse.rescuing import rescue

        rescued = rescue(file, save)
    for problem in found.problems:
        console.print(Text.assemble(("wrong:", "red"), f" {problem}"), soft_wrap=True)
    show_parts(console, found.parts)
    for one in found.unfinished:
        says(console)(
            f"An unfinished temporary file {one.name} was found; {file.name} is unchanged by it. "
            "If no nwbsparse is running, remove it.",
        )
    for cache in remove_caches(found.caches):
        says(console)(f"removed {cache}: half-written, it stopped `import pynwb`")
    if rescued is not None:
        says(console)(f"saved {len(rescued.saved)} files of the results in {rescued.folder}")
        for lost in rescued.lost[:MOST]:
            console.print(Text.assemble(("lost:", "red"), f" {lost}"), soft_wrap=True)
    if found.missing and found.whole:
        away = ", ".join(one.name for one in found.missing)
        raise BadInput(f"{file} is whole, but {away}, which it links to, is not here")
    if not found.sound:
        how = "" if save else f"; `nwbsparse doctor {file} --save DIR` copies what can be read"
        raise IntegrityError(f"{file} is damaged{how}")
    says(console)("nothing is wrong with it")


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
    from nwbsparse.reproduction import reproduce as again

    console = new_console()
    with progress_bars(console, quiet=quiet) as progress:
        say = (lambda _: None) if quiet else says(console)
        done = again(file, source=source, out=out, name=name, progress=progress, say=say)
    rows: list[Sequence[str | Text]] = []
    for one in done.compared:
        same = Text("same", "green") if one.same else Text("other", "red")
        difference = "" if one.same or one.difference is None else f"{one.difference:.3g}"
        rows.append((one.what, _cut(one.then), _cut(one.now), same, difference))
    headings = ("what", "then", "now", "", "largest difference")
    print_table(console, headings, rows, title="Then and now")
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
    return value if len(value) <= 24 or " " in value else f"{value[:16]}…"


COMMANDS = (bundle, validate, doctor, reproduce)
