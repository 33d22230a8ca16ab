"""``nwbsparse write``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Flag


def write(
    run: Path,
    /,
    *,
    to: Path,
    mode: Literal["derived", "link", "in_place", "zarr"] = "derived",
    source: str | None = None,
    result: str | None = None,
    replace: Flag = False,
    overwrite: Flag = False,
    dense: Annotated[bool | None, Parameter(negative="--sparse")] = None,
    backup: Flag = False,
) -> None:
    """Write the results of a run into another NWB file.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run``, or an annotated NWB file.
    to
        The file to write.
    mode
        derived: a new file with the recording, without raw data. link: a small one with links to
        the recording, for work inside a lab. in_place: add the results to an NWB file that exists,
        which is replaced by a verified new one. zarr: as derived, as an NWB Zarr store.
    source
        The recording that the results were made from, or a copy of it; by default what the annotated
        file holds (in_place: the file itself, where it is that recording). Of a run on a sorting,
        traces or arrays the lab's NWB file that holds the same units.
    result
        Which result, where the file holds several.
    replace
        Replace a result of the same name.
    overwrite
        Replace the file.
    dense
        Activations as a full table, or (--sparse) only what is not zero; left out: a full table
        for up to 256 latents.
    backup
        With in_place: keep the file as it was beside it (.bak).
    """
    from dataclasses import replace as with_

    from nwbsparse.io.readers import what_is
    from nwbsparse.results.results import open_results
    from nwbsparse.results.results import write as write_results
    from nwbsparse.runs.lab_file import into_lab_file, was_made_here
    from nwbsparse.runs.revisit import annotated_in, recording_of

    console = new_console()
    results = open_results(annotated_in(run), result=result)
    if source is not None:
        if was_made_here(results) and what_is(source) == "NWB":
            results = into_lab_file(results, source)
        else:
            results = with_(results, session=recording_of(source, results.coder, results))
    written = write_results(
        results, to, mode, replace=replace, overwrite=overwrite, dense=dense, backup=backup,
        notify=notifier(console),
    )  # fmt: skip
    notifier(console)(f"{written} holds '{results.name}'")
