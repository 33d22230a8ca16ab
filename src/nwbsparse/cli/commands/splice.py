"""``nwbsparse splice``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Flag, Splice


def splice(
    source: str,
    /,
    *more: str,
    out: Path,
    options: Splice,
    nwb: Annotated[bool, Parameter(negative="--no-nwb")] = True,
    overwrite: Flag = False,
    strict: Flag = False,
    quiet: Flag = False,
) -> None:
    """Put a sparse coder into a network that decodes trials: what do its latents stand for, and do?

    A decoder is trained as by ``decoder fit``, a coder is fitted to one of its layers and put in its place:
    what the network keeps, which latents differ with which variable, what is lost without them, where the
    answer goes when they are set. Once with the network as it was, once after both were trained together.

    Parameters
    ----------
    source
        What is read, as for ``run``: imaging or spikes, with trials in any table.
    more
        More recordings; the network is trained on all of them.
    out
        Folder for the page, the tables, decoder and coders, and an annotated NWB file per session.
    nwb
        Write annotated NWB files.
    overwrite
        Replace what is in the folder.
    strict
        Refuse what reading would otherwise repair and report.
    quiet
        Print nothing but errors.
    """
    from nwbsparse.cli.show import progress_bars
    from nwbsparse.cli.splice_tables import show_spliced
    from nwbsparse.runs.splice.splice_recordings import splice_recordings

    console = new_console()
    notify = (lambda _: None) if quiet else notifier(console)
    with progress_bars(console, quiet=quiet) as progress:
        made = splice_recordings(
            [source, *more], out, options, nwb=nwb, overwrite=overwrite, strict=strict,
            progress=progress, notify=notify,
        )  # fmt: skip
    if not quiet:
        show_spliced(console, made)
