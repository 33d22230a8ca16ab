"""splice_recordings(): recordings in; a decoder with a coder inside, what its latents are for, NWB out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nwbsparse.analysis.network.site_controls import untrained_network
from nwbsparse.analysis.network.site_dataset import site_config, site_dataset
from nwbsparse.analysis.network.site_selectivity import site_selectivity
from nwbsparse.files.whole import write_whole
from nwbsparse.models import checkpoint
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.splice import SpliceOptions
from nwbsparse.progress import Progress, silent
from nwbsparse.results.folder import save_netcdf, to_json
from nwbsparse.results.results import derived_name, write
from nwbsparse.runs.asked import source_name
from nwbsparse.runs.decoder.decoder_data import (
    DecoderData,
    decoder_data,
    learning_of,
    session_record,
)
from nwbsparse.runs.decoder.fit_decoder import data_said
from nwbsparse.runs.decoder.new_folder import check_new
from nwbsparse.runs.outputs import Log, Notify, staged
from nwbsparse.runs.splice.measured import Measured, measured
from nwbsparse.runs.splice.session_results import session_results
from nwbsparse.runs.splice.spliced_numbers import numbers_of
from nwbsparse.runs.splice.told_by import told_by
from nwbsparse.schema import own_version
from nwbsparse.splice.decoder_file import save_decoder
from nwbsparse.splice.joint import OPTIONS as TUNING
from nwbsparse.splice.joint import fine_tune
from nwbsparse.splice.site import site
from nwbsparse.splice.train_decoder import train_decoder
from nwbsparse.splice.transformer import PopulationTransformer
from nwbsparse.training.fit import fit
from nwbsparse.views.network.splice_page import splice_page
from nwbsparse.views.study.page import as_html, as_markdown, figure_files

PAGE, TEXT, NUMBERS, RECORD = "spliced.html", "spliced.md", "spliced.json", "splice-run.json"
FROZEN, TOGETHER = "frozen", "together"


@dataclass(frozen=True)
class Spliced:
    """A decoder with a coder inside: as it was trained apart, and as the two went on together."""

    data: DecoderData
    frozen: Measured
    together: Measured | None
    numbers: dict[str, Any]
    """The content of ``spliced.json``."""
    folder: Path
    page: Path
    files: list[Path]
    """The annotated NWB file of each session."""

    @property
    def pairs(self) -> list[Measured]:
        """What there is of the two."""
        return [one for one in (self.frozen, self.together) if one is not None]


def splice_recordings(
    sources: Sequence[Any],
    out: str | Path,
    options: SpliceOptions,
    *,
    nwb: bool = True,
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
) -> Spliced:
    """Put a sparse coder into a network that decodes trials, and say what its latents are for.

    A decoder is trained; the activity of one of its layers is a population like any other, and a coder
    is fitted to it. With the coder in the layer's place: what the network keeps, what latents differ
    with, what is lost when they are removed, how few tell each variable, and where the answer goes when
    they are set to another condition. Once with the network as it was, once after both were trained
    together. All is measured on test trials.

    Args:
        sources: recordings, each anything that :func:`nwbsparse.read` takes.
        out: folder for the decoder, the coders, tables, the page, and one annotated NWB file per session.
        options: trials, targets, sizes, what is measured.
        nwb: write annotated files.
        overwrite: replace what is in the folder.
        strict: refuse what reading would otherwise repair and report.
        progress: called within every training.
        notify: called with a line of text at every step.

    Raises:
        BadInput: recordings, targets or a site that cannot be used; or the folder holds such results.
        EnvironmentProblem: the folder cannot be written to.
    """
    out = Path(out).expanduser()
    check_new(out, NUMBERS, NUMBERS, overwrite=overwrite)
    log = Log(notify)
    data = decoder_data(sources, options, extra=options.extra, strict=strict)
    site(data.decoder(options), options.at)  # before hours of training: is there such a layer
    for line in data_said(data):
        log(line)
    with staged(out, overwrite=overwrite) as stage:
        pairs = _pairs(data, options, progress=progress, log=log)
        _keep(pairs, data, options, stage, log)
        files = _write_sessions(pairs[0], data, options, stage, progress, log) if nwb else []
        log.write(stage)
    numbers = json.loads((out / NUMBERS).read_text(encoding="utf-8"))
    return Spliced(
        data,
        pairs[0],
        pairs[1] if len(pairs) > 1 else None,
        numbers,
        out,
        out / PAGE,
        [out / one for one in files],
    )


def _pairs(
    data: DecoderData, options: SpliceOptions, *, progress: Progress, log: Log
) -> list[Measured]:
    """Decoder and coder, each trained by itself, and together; both measured."""
    model = train_decoder(
        data.decoder(options), data.sessions, options=learning_of(options),
        device=options.device, progress=progress,
    )  # fmt: skip
    log(f"the decoder was trained in {model.history[-1]['update']:,} updates")
    coder = _fitted(model, data, options, progress)
    log(f"a coder of {coder.n_latents} latents was fitted to {options.at}")
    untrained = untrained_network(model, data.trials, data.sessions, coder, at=options.at)
    bare = site_selectivity(
        untrained[0], data.sessions, untrained[1], at=options.at,
        n_permutations=options.n_permutations, seed=options.seed,
    )  # fmt: skip
    given: dict[str, Any] = {
        "trials": data.trials, "sessions": data.sessions, "options": options,
        "untrained": untrained, "untrained_selectivity": bare, "notify": log,
    }  # fmt: skip
    found = [measured(FROZEN, model, coder, **given)]
    if options.tuning_epochs:
        tuning = learning_of(options, epochs=options.tuning_epochs, rate=TUNING.learning_rate)
        both = fine_tune(
            model, coder, data.sessions, at=options.at, options=tuning,
            device=options.device, progress=progress,
        )  # fmt: skip
        log("decoder and coder were trained together")
        found.append(measured(TOGETHER, *both, **given))
    return found


def _fitted(
    model: PopulationTransformer, data: DecoderData, options: SpliceOptions, progress: Progress
) -> SparseCoder:
    config = site_config(
        n_latents=options.n_latents, k=options.k, seed=options.seed, max_epochs=options.coder_epochs
    ).replace(device=options.device, n_shifts=options.n_permutations)
    joined = site_dataset(model, data.trials, data.sessions, at=options.at)
    return fit(joined, config, progress=progress)


def _keep(
    pairs: Sequence[Measured], data: DecoderData, options: SpliceOptions, stage: Path, log: Log
) -> None:
    for pair in pairs:
        folder = stage / pair.name
        folder.mkdir()
        save_decoder(pair.model, folder)
        checkpoint.save(pair.coder, folder)
        for name, table in pair.tables.items():
            save_netcdf(table, folder / f"{name}.nc")
    sessions: list[dict[str, Any]] = [
        session_record(one) | {"source": place}
        for one, place in zip(data.trials, data.places, strict=True)
    ]
    numbers = {one.name: numbers_of(one.tables) for one in pairs}
    write_whole(stage / NUMBERS, to_json(numbers))
    record = {"version": own_version(), "options": asdict(options), "sessions": sessions}
    write_whole(stage / RECORD, json.dumps(record, indent=1))
    page = splice_page(
        {one.name: one.tables for one in pairs},
        sessions=[(str(one["session"]), one["n_trials"], one["n_units"]) for one in sessions],
        class_label=options.class_label,
        told_by=told_by(data.sessions, data.heads),
    )
    for name, content in figure_files(page).items():
        write_whole(stage / name, content)
    write_whole(stage / TEXT, as_markdown(page))
    write_whole(stage / PAGE, as_html(page))
    log(f"wrote {PAGE}, {TEXT} and the tables")


def _write_sessions(
    pair: Measured,
    data: DecoderData,
    options: SpliceOptions,
    stage: Path,
    progress: Progress,
    log: Log,
) -> list[str]:
    """One annotated file per session; their names."""
    made = []
    for recording, trials, tensors in zip(data.recordings, data.trials, data.sessions, strict=True):
        found = session_results(pair, recording, trials, tensors, at=options.at, progress=progress)
        name = derived_name(Path(source_name(recording)), found.name)
        write(found, stage / name, notify=log)
        log(f"wrote and verified {name}")
        made.append(name)
    return made
