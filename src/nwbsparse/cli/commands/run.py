"""``nwbsparse run``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, says
from nwbsparse.cli.options import Options
from nwbsparse.options.config import Config


def run(
    source: str,
    /,
    *more: str,
    out: Path,
    config: Options = Config(),  # noqa: B008
    embedding: Path | None = None,
    embedding_method: str | None = None,
    embedding_saw_behaviour: str | None = None,
    overwrite: bool = False,
    strict: bool = False,
    dry_run: bool = False,
    quiet: bool = False,
) -> None:
    """Learn sparse latents from an NWB file and write an annotated copy and a report.

    With several recordings one model is learned from all of them, and each gets an annotated copy
    and a report of its own, in a folder called like its file. Options can come from a file:
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
    overwrite
        Replace results of an earlier run in the folder.
    strict
        Refuse what reading would otherwise repair and report.
    dry_run
        Say what would be done, with sizes and an estimate of time and memory.
    quiet
        Print nothing but errors.
    """
    from nwbsparse.cli.show import progress_bars, report_table, show_plan, show_run
    from nwbsparse.io.read import read_as
    from nwbsparse.runs.outputs import check_out
    from nwbsparse.runs.plan import plan
    from nwbsparse.runs.prepare import accounted_as
    from nwbsparse.runs.run import run

    console = new_console()
    if more:
        from nwbsparse.cli.several import run_several
        from nwbsparse.errors import BadInput

        if embedding is not None:
            raise BadInput(
                "--embedding is for one recording; a model of several sessions reads their counts"
            )

        run_several(
            console, (source, *more), out, config, overwrite=overwrite, strict=strict,
            dry_run=dry_run, quiet=quiet,
        )  # fmt: skip
        return
    if not dry_run:
        check_out(out, source, config, overwrite=overwrite)
    session = accounted_as(read_as(source, config, strict=strict), config)
    if dry_run:
        show_plan(console, plan(session, config, embedding=embedding), source, out)
        return
    if not quiet:
        console.print(report_table(session.report.to_dict()))
    with progress_bars(console, quiet=quiet) as progress:
        say = (lambda _: None) if quiet else says(console)
        done = run(
            session, out, config, embedding=embedding, embedding_method=embedding_method,
            embedding_saw_behaviour=embedding_saw_behaviour,
            overwrite=overwrite, progress=progress, say=say,
        )  # fmt: skip
    if not quiet:
        show_run(console, done)
        then = f", or in Python: nwbsparse.open_results('{done.nwb}')" if done.nwb else ""
        console.print(f"next: open the report{then}", soft_wrap=True)
