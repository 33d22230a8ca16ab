"""Recordings → trials that a decoder learns from, the same again when a stored one is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.network.decoder_trials import decoder_trials, heads_of
from nwbsparse.binning.to_trials import to_trials
from nwbsparse.io.read import read
from nwbsparse.options.decoder import DecoderOptions
from nwbsparse.runs.asked import source_name
from nwbsparse.session import Session
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.heads import Head
from nwbsparse.splice.learning import LearningOptions
from nwbsparse.splice.transformer import PopulationTransformer


@dataclass(frozen=True)
class DecoderData:
    """Trials of several sessions, as labelled datasets and as tensors."""

    recordings: list[Session]
    trials: list[xr.Dataset]
    heads: dict[str, Head]
    sessions: list[SessionTrials]
    places: list[str]
    """Where each recording was read from."""

    def decoder(self, options: DecoderOptions) -> PopulationTransformer:
        """An untrained decoder of these sessions."""
        return untrained(self.sessions, self.heads, options)


def decoder_data(
    sources: Sequence[Any],
    options: DecoderOptions,
    *,
    extra: Sequence[str] = (),
    like: xr.Dataset | None = None,
    strict: bool = False,
) -> DecoderData:
    """Read recordings and cut them into trials.

    Args:
        sources: each anything that :func:`nwbsparse.read` takes, or a Session.
        options: which trials and targets.
        extra: labels beside the targets that are to be decoded too.
        like: trials of an earlier decoder, whose labels have the same codes.
        strict: refuse what reading would otherwise repair and report.

    Raises:
        BadInput: as of :func:`nwbsparse.read` and :func:`nwbsparse.to_trials`; or a target with one
            category.
    """
    recordings = [one if isinstance(one, Session) else read(one, strict=strict) for one in sources]
    labels = [*options.labels, *extra]
    given = {} if like is not None else {"table": options.table, "window": options.window}
    made = to_trials(
        recordings,
        labels=None if like is not None else labels,
        bin_width=options.bin_width if like is None else None,
        where=options.where,
        units=options.units,
        regions=options.regions,
        like=like,
        **given,
    )
    assert isinstance(made, list)
    wanted = [*options.target_names, *(one.partition(":")[0] for one in extra)]
    heads = heads_of(made, wanted) if like is None else {}
    return DecoderData(
        recordings,
        made,
        heads,
        as_dealt(made, heads, options) if heads else [],
        [_place(one) for one in sources],
    )


def as_dealt(
    trials: Sequence[xr.Dataset], heads: dict[str, Head], options: DecoderOptions
) -> list[SessionTrials]:
    """The trials of sessions as tensors, dealt as the options say."""
    return decoder_trials(
        trials, heads, test=options.test, validation=options.validation, seed=options.seed
    )


def session_record(trials: xr.Dataset) -> dict[str, Any]:
    """What is kept of a session beside a decoder: its name, its hash, how much of it there was."""
    return {
        "session": trials.attrs[names.SESSION],
        "sha256": trials.attrs[names.SOURCE_SHA256] or None,
        "n_trials": trials.sizes[names.TRIAL],
        "n_units": trials.sizes[names.UNIT],
    }


def template(trials: xr.Dataset) -> xr.Dataset:
    """Trials without a trial: what the labels of further sessions are coded by."""
    return trials.isel({names.TRIAL: slice(0, 0)})


def untrained(
    sessions: Sequence[SessionTrials], heads: dict[str, Head], options: DecoderOptions
) -> PopulationTransformer:
    """A decoder of some sessions with first weights."""
    units = {one.name: int(one.activity.shape[2]) for one in sessions}
    return PopulationTransformer(
        units,
        heads,
        n_bins=int(sessions[0].activity.shape[1]),
        d_model=options.d_model,
        n_blocks=options.n_blocks,
        n_heads=options.n_heads,
        dropout=options.dropout,
        unit_dropout=options.unit_dropout,
        seed=options.seed,
    )


def learning_of(
    options: DecoderOptions, *, epochs: int | None = None, rate: float | None = None
) -> LearningOptions:
    """How a decoder is trained; ``epochs`` and ``rate`` in place of those of the options."""
    return LearningOptions(
        max_epochs=epochs or options.max_epochs,
        batch_size=options.batch_size,
        learning_rate=rate or options.learning_rate,
        weight_decay=options.weight_decay,
        patience=options.patience,
        seed=options.seed,
    )


def _place(source: Any) -> str:
    said = source_name(source)
    path = Path(said).expanduser()
    return str(path.resolve()) if path.exists() else said
