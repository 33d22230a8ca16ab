"""``nwbsparse run``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Fields, Options
from nwbsparse.options.config import Config
from nwbsparse.options.nwb_fields import NwbFields


def run(
    source: str,
    /,
    *more: str,
    out: Path,
    config: Options = Config(),  # noqa: B008
    embedding: Path | None = None,
    embedding_method: str | None = None,
    embedding_saw_behaviour: str | None = None,
    behaviour: Path | None = None,
    behaviour_offset: float = 0.0,
    source_nwb: Annotated[Path | None, Parameter(name="--source")] = None,
    fields: Fields = NwbFields(),  # noqa: B008
    overwrite: bool = False,
    strict: bool = False,
    dry_run: bool = False,
    quiet: bool = False,
) -> None:
    """Learn sparse latents from a recording and write an annotated NWB file and a report.

    With several recordings one model is learned from all of them, and each gets an annotated copy
    and a report of its own, in a folder called like its file. Of a sorting, of traces, of a stream or a
    Zarr store the recording is written as NWB, with the results beside it. Options can come from a file:
    ``--config run.toml`` (``nwbsparse config`` writes one); flags beside it win.

    Parameters
    ----------
    source
        What is read: an NWB file (HDF5 or Zarr, a path or address), a Kilosort, Phy or suite2p
        folder, an .npz file. It is never written to.
    more
        More recordings, of which one model is made together with the first.
    out
        Folder for the results.
    embedding
        An .npy file (bins, dims), one row per bin of the recording: the coder reads it in place of
        the counts, and its latents are explained with units and behaviour.
    embedding_method
        What made the embedding ("cebra", "pca", …); "unknown" when absent.
    embedding_saw_behaviour
        ``train`` or ``all``: the embedding was made with the behaviour of all bins but the test
        bins, or of all; latents are then compared with behaviour on test bins only, or not.
    behaviour
        A file whose signals, trials and events are joined to the units: csv (times and columns; start
        and stop; times and labels), npz or NWB.
    behaviour_offset
        Seconds to add to its times.
    source_nwb
        The lab's own NWB file that holds the units of a sorting, traces or arrays: behaviour comes from
        it, and the annotated file is a copy of it. The units are compared spike by spike.
    overwrite
        Replace results of an earlier run in the folder.
    strict
        Refuse what reading would otherwise repair and report.
    dry_run
        Say what would be done, with sizes and an estimate of time and memory.
    quiet
        Print nothing but errors.
    """
    from nwbsparse.cli.show import progress_bars, show_account, show_joint_run, show_plan, show_run
    from nwbsparse.runs.plan import plan
    from nwbsparse.runs.run import JointRun, run

    console = new_console()
    notify = (lambda _: None) if quiet else notifier(console)
    recordings = (source, *more) if more else source
    beside: dict[str, Any] = {
        "embedding": embedding,
        "embedding_method": embedding_method,
        "embedding_saw_behaviour": embedding_saw_behaviour,
        "behaviour": behaviour,
        "behaviour_offset": behaviour_offset,
        "source_nwb": source_nwb,
        "fields": fields,
    }
    if dry_run:
        planned = plan(recordings, config, strict=strict, notify=notify, **beside)
        show_plan(console, planned, " + ".join(planned.sessions) or source, out)
        return

    with progress_bars(console, quiet=quiet) as progress:
        done = run(
            recordings, out, config, **beside, overwrite=overwrite, strict=strict,
            progress=progress, notify=notify,
            on_read=(lambda _: None) if more or quiet else partial(show_account, console),
        )  # fmt: skip
    if quiet:
        return
    if isinstance(done, JointRun):
        show_joint_run(console, done)
        return
    show_run(console, done)
    then = f"or in Python: nwbsparse.open_results('{done.nwb}')"
    console.print(f"next: open the report, {then}", soft_wrap=True)
