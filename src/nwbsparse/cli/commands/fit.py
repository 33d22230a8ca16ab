"""``nwbsparse fit``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Options
from nwbsparse.options.config import Config


def fit(
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
    resume: bool = False,
    overwrite: bool = False,
    strict: bool = False,
    quiet: bool = False,
) -> None:
    """Learn sparse latents and keep the coder in a folder, without explaining or annotating.

    With several recordings one coder is learned from all of them, and the whole of it is kept.
    Options as for ``run``; ``--preset NAME`` starts from a published recipe. A training that was
    stopped goes on with ``--resume`` and ends as if it had never stopped.

    Parameters
    ----------
    source
        What is read, as for ``run``.
    more
        More recordings, of which one coder is learned together with the first.
    out
        Folder for the coder.
    embedding
        An .npy file (bins, dims) that the coder reads in place of the counts, as for ``run``.
    embedding_method
        What made the embedding ("cebra", "pca", …); "unknown" when absent.
    embedding_saw_behaviour
        ``train`` or ``all``: the embedding was made with the behaviour of all bins but the test
        bins, or of all; latents are then compared with behaviour on test bins only, or not.
    behaviour
        A file whose signals, trials and events are joined to the units, as for ``run``: ``--where`` and
        ``--intervals`` can use them.
    behaviour_offset
        Seconds to add to its times.
    resume
        Go on with a training that was stopped.
    overwrite
        Replace a coder or a stopped training in the folder.
    strict
        Refuse what reading would otherwise repair and report.
    quiet
        Print nothing but errors.
    """
    from nwbsparse.cli.live import training_table
    from nwbsparse.runs.fit_recording import fit_recording

    console = new_console()
    notify = notifier(console)
    recordings = (source, *more) if more else source
    with training_table(console, notify, quiet=quiet) as (progress, said):
        done = fit_recording(
            recordings, out, config, embedding=embedding, embedding_method=embedding_method,
            embedding_saw_behaviour=embedding_saw_behaviour, behaviour=behaviour,
            behaviour_offset=behaviour_offset, resume=resume, overwrite=overwrite, strict=strict,
            progress=progress, notify=said,
        )  # fmt: skip
    if not quiet:
        then = f"nwbsparse encode {done.folder} {source} --out latents.nc"
        notify(f"the coder is in {done.folder}; next: {then}")
