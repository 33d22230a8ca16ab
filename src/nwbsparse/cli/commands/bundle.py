"""``nwbsparse bundle``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, notifier


def bundle(
    file: Path,
    /,
    *,
    out: Path,
    result: str | None = None,
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
    result
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
    from nwbsparse.share.bundle import bundle as make
    from nwbsparse.share.subject import SubjectFields

    subject = SubjectFields(subject_id, age, sex, species)
    made = make(file, out, result=result, subject=subject, session_id=session_id)
    console = new_console()
    size = made.path.stat().st_size / 1e6
    notifier(console)(f"wrote and verified {made.path} ({size:.1f} MB)")
    if made.linked:
        notifier(console)("parts that lay in other files were copied in")
    if made.left_out:
        notifier(console)(f"raw data left out: {', '.join(made.left_out)}")
    if made.films:
        said = "stimuli left out, because their frames lie in films outside the file"
        notifier(console)(f"{said}: {', '.join(made.films)}")
    for field, value in made.added.items():
        notifier(console)(f"{field}: {value} (from the command line)")
    notifier(console)(f"next: nwbsparse validate {made.path}, then dandi upload in {out}")
