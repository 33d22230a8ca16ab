"""``nwbsparse decoder evaluate``."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.cli.console import csv_tables, new_console, notifier
from nwbsparse.cli.options import Flag


def evaluate(
    decoder: Path,
    /,
    *source: str,
    folds: int = 0,
    whole_sessions: Flag = False,
    alone: Flag = False,
    n_permutations: int = 999,
    csv: Path | None = None,
    overwrite: Flag = False,
    quiet: Flag = False,
) -> None:
    """Measure a decoder on held-out trials and sessions, beside simpler ones, chance and a null.

    Beside it stand the same decoder trained on each session alone, a linear readout of each session, and
    the same decoder trained on shuffled labels. The null gives its answers to other trials.

    Parameters
    ----------
    decoder
        Folder of ``nwbsparse decoder fit``.
    source
        Recordings, where they have moved; and new sessions: only their read-ins are fitted.
    folds
        Hold out every trial once, with decoders trained anew, as often as this; absent: those that the
        kept decoder has not seen.
    whole_sessions
        Also leave out each session as a whole: trained on the others, its read-in fitted alone.
    alone
        Measure the decoder only, with nothing beside it but chance and the null.
    n_permutations
        How often answers are given to other trials.
    csv
        Folder for the table as CSV.
    overwrite
        Replace an evaluation in the folder.
    quiet
        Print nothing but errors.
    """
    from nwbsparse.cli.decoder_tables import show_evaluation
    from nwbsparse.cli.show import progress_bars
    from nwbsparse.runs.decoder.evaluate_decoder import evaluate_decoder

    console = new_console()
    notify = (lambda _: None) if quiet else notifier(console)
    with progress_bars(console, quiet=quiet) as progress:
        made = evaluate_decoder(
            decoder, source, folds=folds, whole_sessions=whole_sessions, beside=not alone,
            n_permutations=n_permutations, overwrite=overwrite, progress=progress, notify=notify,
        )  # fmt: skip
    if not quiet:
        show_evaluation(console, made)
    csv_tables(console, made, csv, overwrite=overwrite)
