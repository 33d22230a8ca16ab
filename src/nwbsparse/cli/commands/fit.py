"""``nwbsparse fit``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, says
from nwbsparse.cli.options import Options
from nwbsparse.options.config import Config


def fit(
    source: str,
    /,
    *,
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

    Options as for ``run``; ``--preset NAME`` starts from a published recipe. A training that was
    stopped goes on with ``--resume`` and ends as if it had never stopped.

    Parameters
    ----------
    source
        What is read, as for ``run``.
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
    from nwbsparse.cli.fitting import fit_into

    console = new_console()
    fit_into(
        source,
        out,
        config,
        console,
        (lambda _: None) if quiet else says(console),
        embedding=embedding,
        embedding_method=embedding_method,
        embedding_saw_behaviour=embedding_saw_behaviour,
        behaviour=behaviour,
        behaviour_offset=behaviour_offset,
        resume=resume,
        overwrite=overwrite,
        strict=strict,
        quiet=quiet,
    )
