"""``nwbsparse decoder fit``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import new_console, notifier
from nwbsparse.cli.options import Decoder, Flag


def fit(
    source: str,
    /,
    *more: str,
    out: Path,
    options: Decoder,
    resume: Flag = False,
    overwrite: Flag = False,
    strict: Flag = False,
    quiet: Flag = False,
) -> None:
    """Train a network to tell from the population what was shown or done in each trial.

    Sessions may have different units: each has a read-in of its own, all else is shared. Some trials of
    each session are held out; the scores printed are theirs.

    Parameters
    ----------
    source
        What is read, as for ``run``: imaging or spikes, with trials in any table.
    more
        More recordings, of which one decoder is learned together with the first.
    out
        Folder for the decoder, its options, the hashes of its sources and its scores.
    resume
        Go on with a training that was stopped.
    overwrite
        Replace a decoder in the folder.
    strict
        Refuse what reading would otherwise repair and report.
    quiet
        Print nothing but errors.
    """
    from nwbsparse.cli.decoder_tables import show_fitted
    from nwbsparse.cli.show import progress_bars
    from nwbsparse.runs.decoder.fit_decoder import fit_decoder

    console = new_console()
    notify = (lambda _: None) if quiet else notifier(console)
    with progress_bars(console, quiet=quiet) as progress:
        made = fit_decoder(
            [source, *more], out, options, resume=resume, overwrite=overwrite, strict=strict,
            progress=progress, notify=notify,
        )  # fmt: skip
    if not quiet:
        show_fitted(console, made)
        notify(f"next: nwbsparse decoder evaluate {out}")
