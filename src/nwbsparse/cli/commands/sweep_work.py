"""``nwbsparse sweep work``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Flag


def work(folder: Path, /, *, index: int, of: int, retry: Flag = False, quiet: Flag = False) -> None:
    """Do one share of a sweep that was written down with ``--slurm``, as a job of an array does.

    Parameters
    ----------
    folder
        The folder of the sweep.
    index
        Which share, counted from 0.
    of
        How many shares there are.
    retry
        Try again what failed before (share 0 alone forgets it).
    quiet
        Print nothing but errors.
    """
    from nwbsparse.cli.show import progress_bars
    from nwbsparse.runs.sweep import work_on_share

    console = new_console()
    with progress_bars(console, quiet=quiet) as progress:
        ledger = work_on_share(folder, index, of, retry=retry, progress=progress)
    if not quiet:
        status = ledger.status()
        done = f"{status.done:,} of {status.total:,} tasks of all shares are done"
        notifier(console)(f"share {index} of {of} is done; {done}")
