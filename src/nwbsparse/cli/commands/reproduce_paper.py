"""``nwbsparse reproduce-paper``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Flag, Repeated


def reproduce_paper(
    paper: str,
    /,
    *sources: str,
    out: Path,
    dims: tuple[int, ...] = (8, 16, 32, 64),
    seeds: int | None = None,
    max_epochs: int | None = None,
    iterations: int = 2000,
    bin_width: float | None = None,
    targets: str = "direction,orientation",
    position: str | None = None,
    direction: str | None = None,
    direction_as: str = "continuous",
    keep: Repeated | None = None,
    cluster: str | None = None,
    insecure: Flag = False,
    quiet: bool = False,
) -> None:
    """Do a published paper again with your own data, and answer its claims by the numbers.

    ``naik2025``: sparse autoencoders on CEBRA embeddings of rats on a linear track. Several animals are
    pooled. What is done is kept in the folder: a run that was stopped goes on with the same command, and
    an animal or a size can be added later.

    ``freeman2025``: a sparse autoencoder inside a transformer that decodes visual stimuli, on simulated
    mice of several Cre lines, and on recordings of gratings, which are taken together. It has the options
    --seeds, --targets, --max-epochs and --bin-width.

    Parameters
    ----------
    paper
        naik2025 or freeman2025.
    sources
        Recordings (as for ``run``), folders of stored embeddings (NAME-DIMS-train.npy beside
        NAME-DIMS-valid.npy), or FOLDER/NAME for one animal of such a folder. Stored embeddings alone have
        no behaviour: only reconstruction is shown; with the recording of the same animal they have.
    out
        Folder for the page (HTML and Markdown), the figures and the table.
    dims
        Sizes of the embeddings; several: --dims 8 --dims 16.
    seeds
        Seeds of the coders that are analysed, and of their controls (3); of simulations (5).
    max_epochs
        Passes over the training bins of the coders (50), or over the training trials of the network (40).
    iterations
        Updates of CEBRA.
    bin_width
        Seconds per bin of a recording, and per row of stored embeddings: 0.025; of trials 0.25.
    targets
        freeman2025: labels of your recordings that are decoded, with commas.
    position
        The covariate that is the place on the track. Absent: the only position there is.
    direction
        The condition that is the direction of running. Absent: the one that is called so.
    direction_as
        What CEBRA is told of it: continuous (a column of 0 and 1 for each direction, as in the paper), or
        discrete (both moments of a pair have the same).
    keep
        models or latents: kept of every trained coder, in ledger/kept; may be repeated.
    cluster
        Who does the work, in place of this process: local (processes of this machine), the address of a
        dask scheduler, the file that it wrote, or module:function.
    insecure
        Use a scheduler on another machine without TLS: whoever reaches it can run anything as you.
    quiet
        Print nothing but errors.
    """
    from nwbsparse.cli.show import progress_bars
    from nwbsparse.cli.whole_words import print_table
    from nwbsparse.runs.papers.freeman2025_settings import Freeman2025
    from nwbsparse.runs.papers.naik2025_settings import Naik2025
    from nwbsparse.runs.papers.reproduce_paper import reproduce_paper

    console = new_console()
    notify = (lambda _: None) if quiet else notifier(console)
    asked: Naik2025 | Freeman2025
    if paper == "freeman2025":
        own = {} if max_epochs is None else {"max_epochs": max_epochs}
        width = 0.25 if bin_width is None else bin_width
        asked = Freeman2025(
            seeds=5 if seeds is None else seeds, targets=targets, bin_width=width, options=own
        )
    else:
        asked = Naik2025(
            dims=dims, seeds=3 if seeds is None else seeds,
            max_epochs=50 if max_epochs is None else max_epochs,
            iterations=iterations, bin_width=0.025 if bin_width is None else bin_width,
            position=position, direction=direction, direction_as=direction_as,
            keep=tuple(keep or ()),
        )  # fmt: skip
    with progress_bars(console, quiet=quiet) as progress:
        done = reproduce_paper(
            paper, sources, out, asked, executor=cluster, insecure=insecure, progress=progress,
            notify=notify,
        )  # fmt: skip
    if quiet:
        return
    rows = [(one.claim.text, one.verdict) for one in done.answers]
    print_table(console, ("the paper's claim", "here"), rows)
    console.print(f"page   {done.page}", soft_wrap=True)
    console.print(f"table  {done.table}", soft_wrap=True)
