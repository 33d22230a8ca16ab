"""evaluate_decoder(): a kept decoder on held-out trials and whole sessions, beside simpler ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.network.trial_folds import trial_folds
from nwbsparse.errors import BadInput, unknown
from nwbsparse.progress import Progress, silent
from nwbsparse.results.folder import save_netcdf
from nwbsparse.runs.decoder.answered import METHODS, Answered, answered
from nwbsparse.runs.decoder.decoder_data import DecoderData, as_dealt, decoder_data
from nwbsparse.runs.decoder.evaluation_table import evaluation_table
from nwbsparse.runs.decoder.fit_decoder import StoredDecoder, open_decoder
from nwbsparse.runs.outputs import Notify
from nwbsparse.schema import own_version
from nwbsparse.splice.batches import SessionTrials

EVALUATION = "evaluation.nc"


def evaluate_decoder(
    folder: str | Path,
    sources: Sequence[Any] = (),
    *,
    folds: int = 0,
    whole_sessions: bool = False,
    beside: bool = True,
    n_permutations: int = 999,
    overwrite: bool = False,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
) -> xr.Dataset:
    """Say how well a decoder tells what was shown, in each session, and what simpler ones reach.

    Args:
        folder: what :func:`fit_decoder` made.
        sources: the recordings, where they are no longer at their old places; and new sessions, to
            which the kept decoder is let by fitting their read-ins alone.
        folds: 0: the trials that the kept decoder has not seen; 2 or more: every trial is held out
            once, by decoders that are trained anew as the kept one was.
        whole_sessions: also leave out each session as a whole: a decoder is trained on the others, and
            only the read-in of the one left out is fitted, to what varies within it.
        beside: also the same decoder trained on one session alone and on shuffled labels, and linear
            readouts of one session.
        n_permutations: of the null, at most.
        overwrite: replace an evaluation in the folder.
        progress: called within every training.
        notify: called with a line of text at every step.

    Returns:
        Dataset over (session, head, decoder): ``score``, ``null_mean``, ``null_high`` (what 95 % of
        answers to other trials stay below), ``p`` (uncorrected); over (session, head) ``chance`` and
        ``n``. The last session, 'all', is all trials together. It is kept as ``evaluation.nc``.

    Raises:
        BadInput: there is no decoder, a recording is gone or has changed, or trials are too few.
    """
    folder = Path(folder).expanduser()
    stored = open_decoder(folder)
    if (folder / EVALUATION).exists() and not overwrite:
        raise BadInput(f"{folder / EVALUATION} exists; use --overwrite")
    if folds < 0 or folds == 1:
        raise BadInput(f"folds is {folds}; it is 0 (the kept decoder) or 2 and more")
    if whole_sessions and len(stored.sources) < 2:
        raise BadInput("one session cannot be left out as a whole: there is no other")
    data = _data(stored, sources, notify)
    kept, new = _by_session(stored, data)
    deals = [kept]
    if folds:
        options = stored.options
        deals = trial_folds(
            kept,
            stored.model.heads,
            n_folds=folds,
            validation=options.validation,
            seed=options.seed,
        )
    methods = METHODS if beside else METHODS[:1]
    found: list[Answered] = []
    for number, sessions in enumerate(deals):
        if folds:
            notify(f"fold {number + 1} of {folds}")
        found += answered(
            stored, sessions, methods, anew=bool(folds), whole=whole_sessions,
            progress=progress, notify=notify,
        )  # fmt: skip
    if new:
        found += answered(stored, new, (), anew=False, new=True, progress=progress, notify=notify)
    made = evaluation_table(
        stored.model.heads, found, n_permutations=n_permutations, seed=stored.options.seed
    ).assign_attrs(
        folds=folds,
        n_permutations=n_permutations,
        options=str(asdict(stored.options)),
        version=own_version(),
    )
    save_netcdf(made, folder / EVALUATION)
    return made


def _data(stored: StoredDecoder, sources: Sequence[Any], notify: Notify) -> DecoderData:
    """The trials of the decoder's own recordings, and of those that are given."""
    given = decoder_data(sources, stored.options, like=stored.like) if sources else None
    there = {str(one.attrs[names.SESSION]) for one in given.trials} if given else set()
    missing = {name: place for name, place in stored.sources.items() if name not in there}
    gone = [place for place in missing.values() if not Path(place).exists()]
    if gone:
        raise BadInput(
            f"{', '.join(gone)} is no longer there: say where the recordings are, "
            "`nwbsparse decoder evaluate DIR SOURCE…`"
        )
    if not missing:
        assert given is not None
        data = given
    else:
        data = decoder_data([*missing.values(), *sources], stored.options, like=stored.like)
    for one in data.trials:
        name = str(one.attrs[names.SESSION])
        before, now = stored.hashes.get(name), one.attrs[names.SOURCE_SHA256] or None
        if before and now and before != now:
            raise BadInput(
                f"session '{name}' is another file than the decoder was fitted to (SHA-256 {now[:12]}…, "
                f"not {before[:12]}…)"
            )
    notify(f"read {len(data.trials)} sessions")
    return data


def _by_session(
    stored: StoredDecoder, data: DecoderData
) -> tuple[list[SessionTrials], list[SessionTrials]]:
    """The decoder's own sessions in its order, and the new ones."""
    dealt = as_dealt(data.trials, stored.model.heads, stored.options)
    made = {one.name: one for one in dealt}
    for name in stored.sources:
        if name not in made:
            raise unknown(name, made, what="session", of="these recordings")
    kept = [made[name] for name in stored.sources]
    return kept, [one for name, one in made.items() if name not in stored.sources]
