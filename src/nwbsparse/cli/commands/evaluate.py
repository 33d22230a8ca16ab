"""``nwbsparse evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from nwbsparse.cli.console import csv_tables, new_console, wrote
from nwbsparse.cli.options import Flag


def evaluate(
    run: Path,
    /,
    *,
    source: str | None = None,
    result: str | None = None,
    split: Literal["test", "validation", "train"] = "test",
    csv: Path | None = None,
    overwrite: Flag = False,
) -> None:
    """Say how well a coder reconstructs bins it has never seen, and how sparse it is.

    The numbers go to metrics.json and metrics.nc of the folder of the run.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run`` or ``fit``, or an annotated NWB file.
    source
        The recording, where there is no annotated file.
    result
        Which result, where the file holds several.
    split
        The part of the bins; "train" gives no held-out numbers.
    csv
        Folder for all tables as CSV.
    overwrite
        Replace CSV files.
    """
    from nwbsparse.analysis.quality.evaluate import evaluate
    from nwbsparse.cli.tables import show_metrics
    from nwbsparse.results.folder import keep_metrics
    from nwbsparse.runs.revisit import revisit

    console = new_console()
    there = revisit(run, source=source, result=result)
    metrics = evaluate(there.coder, there.binned, split=split, detail="all")
    show_metrics(console, metrics, there.coder)
    if there.folder is not None and split == "test":
        keep_metrics(metrics, there.folder)
        wrote(console, there.folder, "metrics.nc", "metrics.json")
    csv_tables(console, metrics, csv, overwrite=overwrite)
