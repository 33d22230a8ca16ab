"""``nwbsparse sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Flag, Repeated


def sweep(
    source: str,
    /,
    *more: str,
    grid: Path,
    out: Path,
    metrics: Repeated | None = None,
    keep: Repeated | None = None,
    cluster: str | None = None,
    insecure: Flag = False,
    threads: int | None = None,
    skip_invalid: Flag = False,
    retry: Flag = False,
    slurm: Flag = False,
    shares: int = 16,
    quiet: Flag = False,
) -> None:
    """Fit a model for every combination of options, and put all of them into one table.

    The same command goes on where an earlier one was stopped. ``sweep status`` says how far it is,
    ``sweep report`` what came out, ``sweep work`` does one share of it as a job of an array.

    Parameters
    ----------
    source
        What is read, as of ``nwbsparse run``.
    more
        More recordings; each is swept by itself.
    grid
        A TOML file: options under [fixed], lists of them under [axes], unions of both as [[grid]].
    out
        Folder for the results.
    metrics
        What is to be known of every fit: reconstruction (when absent), hidden_units, naik or decode;
        may be repeated.
    keep
        models or latents: kept of every fit; may be repeated.
    cluster
        Who does the work, in place of this process: local (processes of this machine), the address of a
        dask scheduler, the file that it wrote, or module:function.
    insecure
        Use a scheduler on another machine without TLS: whoever reaches it can run anything as you.
    threads
        That each task computes with; results depend on it in their last bits.
    skip_invalid
        Leave out combinations that cannot work.
    retry
        Try again what failed before.
    slurm
        Do nothing but write down what there is to do, and print a script for sbatch.
    shares
        With ``--slurm``: jobs of the array.
    quiet
        Print nothing but errors.
    """
    from nwbsparse.cli.show import progress_bars
    from nwbsparse.runs.sweep import open_sweep, sweep

    console = new_console()
    notify = (lambda _: None) if quiet or slurm else notifier(console)
    recordings: Any = [source, *more] if more else source
    given: dict[str, Any] = {
        "out": out, "metrics": metrics or ("reconstruction",), "keep": keep or (), "threads": threads,
        "skip_invalid": skip_invalid, "notify": notify,
    }  # fmt: skip
    if slurm:
        from nwbsparse.studies.slurm import script

        ledger, tasks = open_sweep(recordings, grid, **given)
        print(script(ledger, tasks, shares=shares), end="")  # noqa: T201
        return
    with progress_bars(console, quiet=quiet) as progress:
        sweep(
            recordings, grid, **given, executor=cluster, insecure=insecure, retry=retry,
            progress=progress,
        )  # fmt: skip
    if not quiet:
        console.print(f"next: nwbsparse sweep report {out}", soft_wrap=True)
