"""run(): the whole path in one call, from one to n recordings to annotated files and reports."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.behaviour.sentences import sentences
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.quality.embedding_controls import controls_of_sessions
from nwbsparse.analysis.quality.embedding_said import embedding_said
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.analysis.quality.hidden_said import shared_said
from nwbsparse.deprecated import renamed
from nwbsparse.embedding.attach import embedding_of
from nwbsparse.embedding.embedder import embedder_bytes
from nwbsparse.models import checkpoint
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.session_part import coder_of_session
from nwbsparse.options.config import Config
from nwbsparse.options.nwb_fields import NwbFields
from nwbsparse.progress import Progress, silent
from nwbsparse.results.folder import SESSIONS, STABILITY, save_netcdf, to_json
from nwbsparse.results.of_sessions import stability_in
from nwbsparse.results.results import Results, environment
from nwbsparse.runs.asked import ALONE, ManySources, asked
from nwbsparse.runs.first_half import Learned, OnRead, learn_recordings
from nwbsparse.runs.outputs import (
    OPTIONS,
    REPORT,
    Log,
    Notify,
    check_out,
    options_said,
    staged,
    write_outputs,
)
from nwbsparse.runs.said import learned_said


@dataclass(frozen=True)
class Run:
    """What a run made of one recording, and where it is."""

    results: Results
    binned: xr.Dataset
    metrics: dict[str, Any]
    """The content of ``metrics.json``."""
    folder: Path
    nwb: Path
    """The annotated file."""
    report: Path


@dataclass(frozen=True)
class JointRun:
    """What a run on several recordings made, and where it is."""

    coder: SparseCoder
    """Of all sessions; its id is the model id in every session's file."""
    runs: dict[str, Run]
    """{session: what there is of it}, in the order of the coder."""
    folder: Path


@overload
def run(
    source: ManySources,
    out: str | Path,
    config: Config | None = None,
    *,
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
    on_read: OnRead = lambda _: None,
) -> JointRun: ...
@overload
def run(
    source: Any,
    out: str | Path,
    config: Config | None = None,
    *,
    embedding: Any = None,
    embedding_method: str | None = None,
    embedding_saw_behaviour: str | None = None,
    behaviour: str | Path | None = None,
    behaviour_offset: float = 0.0,
    source_nwb: str | Path | None = None,
    fields: NwbFields | Mapping[str, str] | None = None,
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
    on_read: OnRead = lambda _: None,
) -> Run: ...
@renamed(say="notify")
def run(
    source: Any,
    out: str | Path,
    config: Config | None = None,
    *,
    embedding: Any = None,
    embedding_method: str | None = None,
    embedding_saw_behaviour: str | None = None,
    behaviour: str | Path | None = None,
    behaviour_offset: float = 0.0,
    source_nwb: str | Path | None = None,
    fields: NwbFields | Mapping[str, str] | None = None,
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
    on_read: OnRead = lambda _: None,
) -> Run | JointRun:
    """Read, bin, split, fit, encode, evaluate, explain, write and report, in one call.

    Args:
        source: anything that :func:`nwbsparse.read` takes, or the Session it returned; it is only
            read. Of what is no NWB file (HDF5) on this machine the recording is written as one, with
            the results beside it. A list or tuple of files or Sessions, or {name: file or Session},
            is several recordings: one model is learned from all, and each is annotated with it.
        out: folder for the results (made when absent). Of several ``<out>/<session>/`` holds what
            is left of one recording, ``out`` itself the whole coder, ``run.toml``,
            ``sessions.json`` (the model id and the numbers of each session) and ``log.txt``.
        config: options; what they leave open is chosen, for all together, and said.
        embedding: an embedding of the recording's bins, for a coder that reads it in place of the
            counts, as :func:`nwbsparse.with_embedding` takes it; it is kept with the results.
            This and what follows up to ``fields`` is for one recording.
        embedding_method: what made it; by default what it says itself, else "unknown".
        embedding_saw_behaviour: "train" or "all" where it was made with the behaviour of these bins, as
            :func:`nwbsparse.with_embedding` takes it.
        behaviour: a file (csv, npz, NWB) whose signals, trials and events are joined to the units
            (:func:`nwbsparse.join_behaviour`); they are in the annotated file.
        behaviour_offset: seconds to add to its times.
        source_nwb: the lab's own NWB file that holds the units of a sorting, traces or arrays: behaviour
            is taken from it, and the annotated file is a copy of it. The units are compared spike by spike.
        fields: what only a person can say about a source that is no NWB file: when the session began,
            the subject (:class:`nwbsparse.NwbFields`, or {field: text}).
        overwrite: replace results of an earlier run in ``out``.
        strict: refuse what reading would otherwise repair and report.
        progress: called by long steps.
        notify: called with a line of text at every step; the lines also go to ``log.txt``.
        on_read: called with each recording once it is read: ``report`` says what was found and dropped.

    Returns:
        The results in memory and where the files are: the annotated NWB, ``report.html``,
        ``run.toml``, ``model.safetensors``, ``model.json``, ``latents.nc``, ``attribution.nc``,
        ``metrics.nc``, ``metrics.json``, ``log.txt``; of an embedding ``embedding.nc``; with several
        seeds ``stability.nc``, and the first is the coder. Of several recordings the whole coder,
        and this for each session. Files appear in ``out`` together, at the end.

    Raises:
        BadInput: a source or options cannot be used, two recordings are the same or have one name,
            what is for one recording is given for several, or results exist already.
        EnvironmentProblem: the folder cannot be written to.
    """
    out, began, log = Path(out).expanduser(), time.perf_counter(), Log(notify)
    wanted = asked(
        source, config, embedding=embedding, embedding_method=embedding_method,
        embedding_saw_behaviour=embedding_saw_behaviour, behaviour=behaviour,
        behaviour_offset=behaviour_offset, source_nwb=source_nwb, fields=fields,
    )  # fmt: skip
    check_out(out, wanted, overwrite=overwrite)
    learned = learn_recordings(
        wanted, strict=strict, notify=log, progress=progress, on_read=on_read
    )
    for line in learned_said(learned.coder, learned.stability):
        log(line)
    sessions, binned = learned.ready.sessions, learned.ready.binned
    logs = {name: log.of(name) if wanted.several else log for name in sessions}
    controls = controls_of_sessions(binned) if learned.coder.config.embed != "none" else {}
    made = {
        name: _results(learned, name, logs[name], progress, began, controls.get(name))
        for name in sessions
    }
    runs: dict[str, Run] = {}
    with staged(out, overwrite=overwrite) as stage:
        for name, results in made.items():  # in a folder of its own where there are several
            nwb, numbers = write_outputs(
                results, binned[name], stage / name, logs[name], fields=wanted.fields
            )
            at = out / name
            runs[name] = Run(results, binned[name], numbers, at, at / nwb, at / REPORT)
        if wanted.several:
            _write_whole(learned, runs, stage, log)
    return JointRun(learned.coder, runs, out) if wanted.several else runs[ALONE]


def _results(
    learned: Learned,
    name: str,
    log: Log,
    progress: Progress,
    began: float,
    controls: xr.Dataset | None,
) -> Results:
    """What the model is and says in one recording."""
    ready, coder, stability = learned.ready, learned.coder, learned.stability
    session, binned = ready.sessions[name], ready.binned[name]
    if ready.several:
        coder = coder_of_session(coder, name)
        stability = None if stability is None else stability_in(coder, stability)
    read = embedding_of(binned, coder.config.reads)
    made_by = embedder_bytes(binned) if read is not None else None
    latents = encode(coder, binned)
    metrics = evaluate(coder, binned, detail="all")
    if controls is not None:
        metrics = metrics.assign(controls.data_vars)
        for line in embedding_said(controls):
            log(line)
    if shared := shared_said(metrics):  # what it tells of hidden units comes first
        log(shared)
    log(
        f"reconstruction: held-out R² {float(metrics['r2']):.3f}, "
        f"L0 {float(metrics['l0'].mean()):.2f}"
    )
    attribution = explain(coder, binned, latents, stability=stability, progress=progress)
    for line in sentences(attribution):
        log(line)
    made = {**environment(coder), "seconds": round(time.perf_counter() - began, 1)}
    return Results(
        session, coder, latents, metrics, attribution, made, read, made_by, stability=stability
    )


def _write_whole(learned: Learned, runs: Mapping[str, Run], stage: Path, log: Log) -> None:
    """What belongs to all sessions: the whole coder, the options, the numbers of each."""
    coder = learned.coder
    checkpoint.save(coder, stage)
    options = options_said(coder, learned.ready.sessions)
    (stage / OPTIONS).write_text(options, encoding="utf-8")
    numbers = {
        "model_id": coder.id,
        names.SESSIONS: {name: one.metrics for name, one in runs.items()},
    }
    (stage / SESSIONS).write_text(to_json(numbers), encoding="utf-8")
    if learned.stability is not None:
        save_netcdf(learned.stability, stage / STABILITY)
    log.write(stage)
