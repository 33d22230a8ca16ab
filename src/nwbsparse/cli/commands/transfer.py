"""``nwbsparse transfer``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import csv_tables, new_console
from nwbsparse.cli.notation import matching_in
from nwbsparse.cli.options import Flag


def transfer(
    run: Path,
    other: str,
    /,
    *,
    matching: Path | None = None,
    source: str | None = None,
    result: str | None = None,
    csv: Path | None = None,
    overwrite: Flag = False,
) -> None:
    """Apply a coder to another session and say which latents keep their meaning there.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run`` or ``fit``, or an annotated NWB file.
    other
        The other recording, as ``run`` reads it.
    matching
        JSON file: unit id of the coder → unit id there; without it the ids must be the same.
    source
        The first recording, where there is no annotated file.
    result
        Which result, where the file holds several.
    csv
        Folder for all tables as CSV.
    overwrite
        Replace CSV files.
    """
    from nwbsparse.analysis.explain import explain
    from nwbsparse.analysis.transfer import transfer
    from nwbsparse.cli.tables import show_transfer
    from nwbsparse.io.read import read_again
    from nwbsparse.runs.prepare import prepare
    from nwbsparse.runs.revisit import revisit

    console = new_console()
    pairs = None if matching is None else matching_in(matching)
    there = revisit(run, source=source, result=result)
    others = prepare(read_again(other, there.coder.config), there.coder.config)
    attribution = explain(there.coder, there.binned, stability=there.stability)
    moved = transfer(there.coder, others, attribution, pairs)
    show_transfer(console, moved)
    csv_tables(console, moved, csv, overwrite=overwrite)
