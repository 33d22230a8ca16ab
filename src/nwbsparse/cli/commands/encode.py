"""``nwbsparse encode``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.app import app
from nwbsparse.cli.console import new_console, says


@app.command
def encode(
    model: Path,
    source: str,
    /,
    *,
    out: Path,
    embedding: Path | None = None,
    overwrite: bool = False,
    strict: bool = False,
) -> None:
    """Apply a coder to a recording and write its latents as netCDF.

    Parameters
    ----------
    model
        Folder of a coder: of ``fit``, ``run`` or ``nwbsparse.save``.
    source
        What is read, as for ``run``; binned as the coder's training was.
    out
        The netCDF file to write.
    embedding
        For a coder of an embedding: that of the recording (.npy); by default the one it learned from.
    overwrite
        Replace the file.
    strict
        Refuse what reading would otherwise repair and report.
    """
    from nwbsparse.cli.fitting import encode_into

    say = says(new_console())
    encode_into(model, source, out, say, embedding=embedding, overwrite=overwrite, strict=strict)
