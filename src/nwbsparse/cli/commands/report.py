"""``nwbsparse report``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Flag, Repeated


def report(
    run: Path,
    /,
    *,
    out: Path,
    result: str | None = None,
    figure: Repeated = [],  # noqa: B006
    overwrite: Flag = False,
) -> None:
    """Make the report of an annotated file again, as one HTML page.

    Parameters
    ----------
    run
        Folder of ``nwbsparse run``, or an annotated NWB file.
    out
        The HTML file to write.
    result
        Which result, where the file holds several.
    figure
        Show this figure of the whole result in place of the usual ones, by its name; may be repeated.
        A name that there is not is answered with those there are.
    overwrite
        Replace the file.
    """
    from nwbsparse.errors import BadInput
    from nwbsparse.runs.revisit import revisit
    from nwbsparse.views.report.report import report

    out = out.expanduser()
    if out.exists() and not overwrite:
        raise BadInput(f"{out} exists; use --overwrite or another --out")
    there = revisit(run, result=result)
    if there.results is None:
        raise BadInput(f"{run} holds no annotated NWB file; `nwbsparse run` makes one")
    report(there.results, there.binned, out, figures=figure or None)
    notifier(new_console())(f"wrote {out}")
