"""``nwbsparse fit``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.app import Flags, app
from nwbsparse.cli.console import new_console, says
from nwbsparse.options.config import Config


@app.command
def fit(
    source: str,
    /,
    *,
    out: Path,
    config: Flags = Config(),  # noqa: B008
    embedding: Path | None = None,
    embedding_method: str | None = None,
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
        resume=resume,
        overwrite=overwrite,
        strict=strict,
        quiet=quiet,
    )
