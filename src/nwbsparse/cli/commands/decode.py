"""``nwbsparse decode``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nwbsparse.cli.console import csv_tables, new_console
from nwbsparse.cli.options import Flag, Repeated


def decode(
    run: Path,
    /,
    *,
    target: Repeated = [],  # noqa: B006
    inputs: Annotated[list[str], Parameter(name="--input", negative=())] = [],  # noqa: B006
    source: str | None = None,
    result: str | None = None,
    csv: Path | None = None,
    overwrite: Flag = False,
) -> None:
    """Read behaviour from counts, smoothed counts, latents and PCA side by side, on held-out bins.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run`` or ``fit``, or an annotated NWB file.
    target
        A covariate or condition to read out; all when absent; may be repeated.
    inputs
        counts, smoothed, latents, best_latent or pca; all when absent; may be repeated.
    source
        The recording, where there is no annotated file.
    result
        Which result, where the file holds several.
    csv
        Folder for all tables as CSV.
    overwrite
        Replace CSV files.
    """
    from nwbsparse.analysis.apply.encode import encode
    from nwbsparse.analysis.apply.populations import explained_units
    from nwbsparse.analysis.decoding.decode import decode
    from nwbsparse.cli.tables import show_decoding
    from nwbsparse.runs.revisit import revisit

    console = new_console()
    there = revisit(run, source=source, result=result)
    latents = encode(there.coder, there.binned)
    # what latents are compared with are the units that they are made from
    read = explained_units(there.coder, there.binned)
    embedding = there.binned if not there.coder.record.of_units else None
    scores = decode(
        read, target or None, inputs=inputs or None, latents=latents, embedding=embedding
    )
    show_decoding(console, scores)
    csv_tables(console, scores, csv, overwrite=overwrite)
