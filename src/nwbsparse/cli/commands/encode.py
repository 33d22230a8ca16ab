"""``nwbsparse encode``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, notifier


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
        What is read, as for ``run``; binned as the coder's training was. For a coder of several
        recordings one of these.
    out
        The netCDF file to write.
    embedding
        For a coder of an embedding: that of the recording (.npy); by default the one it learned from.
    overwrite
        Replace the file.
    strict
        Refuse what reading would otherwise repair and report.
    """
    from nwbsparse.runs.encode_recording import encode_recording

    latents = encode_recording(
        model, source, out, embedding=embedding, overwrite=overwrite, strict=strict
    )
    out = out.expanduser()
    notifier(new_console())(
        f"wrote {latents.sizes['latent']} latents of {latents.sizes['time']:,} bins to {out}; in "
        f"Python: xarray.open_dataset('{out}')"
    )
