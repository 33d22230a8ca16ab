"""fit_decoder(): recordings in, a folder with a decoder of their trials out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput, IntegrityError, NwbsparseError
from nwbsparse.files.made_folder import made_folder
from nwbsparse.files.whole import write_whole
from nwbsparse.options.decoder import DecoderOptions
from nwbsparse.progress import Progress, silent
from nwbsparse.results.folder import save_netcdf, to_json
from nwbsparse.runs.decoder.decoder_data import (
    DecoderData,
    decoder_data,
    learning_of,
    session_record,
    template,
)
from nwbsparse.runs.decoder.new_folder import check_new
from nwbsparse.runs.outputs import LOG, Log, Notify
from nwbsparse.schema import own_version
from nwbsparse.splice.decoder_file import TENSORS, load_decoder, save_decoder
from nwbsparse.splice.head_scores import answers, scores_by_session
from nwbsparse.splice.learning import FILE as CHECKPOINT
from nwbsparse.splice.train_decoder import train_decoder
from nwbsparse.splice.transformer import PopulationTransformer

RECORD, TEMPLATE, SCORES = "decoder-run.json", "trials.nc", "scores.json"
FORMAT = 1


@dataclass(frozen=True)
class FittedDecoder:
    """A decoder and the trials it was made of."""

    model: PopulationTransformer
    data: DecoderData
    options: DecoderOptions


@dataclass(frozen=True)
class StoredDecoder:
    """What lies in the folder of a decoder."""

    model: PopulationTransformer
    options: DecoderOptions
    sources: dict[str, str]
    """Session → where its recording was."""
    hashes: dict[str, str | None]
    """Session → SHA-256 of its recording."""
    like: xr.Dataset
    """Trials without a trial, whose labels say the codes."""


def fit_decoder(
    sources: Sequence[Any],
    out: str | Path,
    options: DecoderOptions,
    *,
    resume: bool = False,
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
) -> FittedDecoder:
    """Train a network to tell from the population what was shown or done in a trial, and keep it.

    Args:
        sources: recordings, each anything that :func:`nwbsparse.read` takes; sessions may have
            different units.
        out: folder for the decoder, its options and hashes of its sources, its scores on held-out
            trials and the log.
        options: trials, targets, size, training.
        resume: go on from the checkpoint of a training that was stopped in this folder.
        overwrite: replace a decoder in the folder.
        strict: refuse what reading would otherwise repair and report.
        progress: called once per pass over the trials.
        notify: called with a line of text at every step.

    Raises:
        BadInput: recordings, targets or options that cannot be used; or the folder holds a decoder.
        EnvironmentProblem: the folder cannot be written to.
    """
    out = Path(out).expanduser()
    check_new(out, TENSORS, "a decoder", overwrite=overwrite)
    log = Log(notify)
    data = decoder_data(sources, options, strict=strict)
    for line in data_said(data):
        log(line)
    with made_folder(out):
        model = _trained(data, options, out, resume=resume, progress=progress)
        log(f"trained in {model.history[-1]['update']:,} updates")
        _keep(FittedDecoder(model, data, options), out, log)
    return FittedDecoder(model, data, options)


def open_decoder(folder: str | Path) -> StoredDecoder:
    """Read what :func:`fit_decoder` kept.

    Raises:
        BadInput: there is no decoder there, or one of a later version.
        IntegrityError: it is damaged.
    """
    folder = Path(folder).expanduser()
    model = load_decoder(folder)
    if not (folder / RECORD).is_file() or not (folder / TEMPLATE).is_file():
        raise BadInput(
            f"{folder} holds a decoder, but not how it was made ({RECORD}, {TEMPLATE}): "
            "fit it with `nwbsparse decoder fit`"
        )
    try:
        words = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if words["format"] > FORMAT:
            raise BadInput(f"{folder / RECORD} is of a later version of nwbsparse")
        rest = {**words["options"]}
        if rest["window"] is not None:
            rest["window"] = tuple(rest["window"])
        options = DecoderOptions(**rest)
        with xr.open_dataset(folder / TEMPLATE) as stored:
            like = stored.load()
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise IntegrityError(f"{folder / RECORD} is damaged: {error}") from error
    like[names.BLANK] = like[names.BLANK].astype(bool)
    return StoredDecoder(
        model,
        options,
        {str(one["session"]): str(one["path"]) for one in words["sources"]},
        {str(one["session"]): one["sha256"] for one in words["sources"]},
        like,
    )


def data_said(data: DecoderData) -> list[str]:
    """What was read, a line per session."""
    said = []
    for trials in data.trials:
        notes = json.loads(trials.attrs[names.NOTES])
        more = f"; {'; '.join(notes)}" if notes else ""
        said.append(
            f"{trials.attrs[names.SESSION]}: {trials.sizes[names.TRIAL]:,} trials of "
            f"{trials.sizes[names.TIME]} bins, {trials.sizes[names.UNIT]} units{more}"
        )
    return said


def _trained(
    data: DecoderData, options: DecoderOptions, out: Path, *, resume: bool, progress: Progress
) -> PopulationTransformer:
    try:
        trained = train_decoder(
            data.decoder(options),
            data.sessions,
            options=learning_of(options),
            device=options.device,
            progress=progress,
            checkpoint=out,
            resume=resume,
        )
    except NwbsparseError:
        # what cannot be trained leaves nothing; what was interrupted goes on from its checkpoint
        if not resume:
            (out / CHECKPOINT).unlink(missing_ok=True)
        raise
    (out / CHECKPOINT).unlink(missing_ok=True)
    return trained


def _keep(made: FittedDecoder, out: Path, log: Log) -> None:
    data = made.data
    found = scores_by_session(made.model, answers(made.model, data.sessions), data.sessions)
    record = {
        "format": FORMAT,
        "version": own_version(),
        "options": asdict(made.options),
        "sources": [
            session_record(one) | {"path": place}
            for one, place in zip(data.trials, data.places, strict=True)
        ],
    }
    shown = {
        name: {head: asdict(score) for head, score in heads.items()}
        for name, heads in found.items()
    }
    save_netcdf(template(data.trials[0]), out / TEMPLATE)
    write_whole(out / RECORD, json.dumps(record, indent=1))
    write_whole(out / SCORES, to_json(shown))
    save_decoder(made.model, out)
    log(f"kept the decoder in {out}")
    write_whole(out / LOG, "\n".join(log.lines) + "\n")
