"""run(): the whole path in one call, from an NWB file to an annotated one and a report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.behaviour.sentences import sentences
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.analysis.quality.stability import fit_seeds
from nwbsparse.annotated.recording.stage import refuse_fields
from nwbsparse.binning.account import accounted_as
from nwbsparse.embedding.attach import embedding_of
from nwbsparse.io.behaviour.join import join_behaviour
from nwbsparse.io.read import read_as
from nwbsparse.options.config import Config
from nwbsparse.options.nwb_fields import NwbFields
from nwbsparse.progress import Progress, silent
from nwbsparse.results.folder import flat_metrics
from nwbsparse.results.results import Results, environment
from nwbsparse.runs.lab_file import in_lab_file
from nwbsparse.runs.outputs import REPORT, Log, Say, check_out, source_name, staged, write_outputs
from nwbsparse.runs.prepare import bins_said, prepare, reading
from nwbsparse.runs.said import joined_said, learned_said, told
from nwbsparse.session import Session
from nwbsparse.share.subject import check_fields
from nwbsparse.training.fit import fit


@dataclass(frozen=True)
class Run:
    """What a run made, and where it is."""

    results: Results
    binned: xr.Dataset
    metrics: dict[str, Any]
    """The content of ``metrics.json``."""
    folder: Path
    nwb: Path
    """The annotated file."""
    report: Path


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
    progress: Progress = silent,
    say: Say = lambda _: None,
) -> Run:
    """Read, bin, split, fit, encode, evaluate, explain, write and report, in one call.

    Args:
        source: anything that :func:`nwbsparse.read` takes, or the Session it returned; it is only
            read. Of what is no NWB file (HDF5) on this machine the recording is written as one, with
            the results beside it.
        out: folder for the results (made when absent).
        config: options; what they leave open is chosen and said.
        embedding: an embedding of the recording's bins, for a coder that reads it in place of the
            counts, as :func:`nwbsparse.with_embedding` takes it; it is kept with the results.
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
        progress: called by long steps.
        say: called with a line of text at every step; the lines also go to ``log.txt``.

    Returns:
        The results in memory and where the files are: the annotated NWB, ``report.html``,
        ``run.toml``, ``model.safetensors``, ``model.json``, ``latents.nc``, ``attribution.nc``,
        ``metrics.nc``, ``metrics.json``, ``log.txt``; of an embedding ``embedding.nc``; with several
        seeds ``stability.nc``, and the first is the coder. Files appear in ``out`` together, at the
        end.

    Raises:
        BadInput: the source or options cannot be used, or results exist already.
        EnvironmentProblem: the folder cannot be written to.
    """
    config = reading(config or Config(), embedding)
    out = Path(out).expanduser()
    began = time.perf_counter()
    log = Log(say)
    fields = NwbFields.of(fields)
    check_fields(fields)
    check_out(out, source_nwb or source, config, overwrite=overwrite)
    session = _session(source, config, behaviour, behaviour_offset)
    if source_nwb is not None:
        of = Path(source_name(source)).name
        session, config = in_lab_file(session, source_nwb, config)
        log(f"the units of {of} are in {Path(source_nwb).name}, with the same activity")
        source = source_nwb
    session = accounted_as(session, config)
    refuse_fields(session, fields)
    what = session.traces.name if session.traces else f"{len(session.spike_times):,} spikes"
    log(f"read {session.n_units} units and {what} from {Path(source_name(source)).name}")
    if session.joined is not None:
        log(joined_said(session.joined))
    binned = prepare(
        session,
        config,
        embedding=embedding,
        method=embedding_method,
        saw_behaviour=embedding_saw_behaviour,
    )
    log(bins_said(binned, config))
    seeds = fit_seeds(binned, config, progress=progress) if config.seeds > 1 else None
    coder = fit(binned, config, progress=progress) if seeds is None else seeds.coders[0]
    last = coder.record.history[-1]
    log(
        f"fit {coder.n_latents} latents, {coder.config.k} active per bin: {last['update']} updates, "
        f"validation loss {last['validation_loss']:.4g}"
    )
    if coder.record.apart:
        log(f"it reads {coder.n_units} units and reconstructs {coder.n_targets} others")
    for said in learned_said(coder, None if seeds is None else seeds.stability):
        log(said)
    latents = encode(coder, binned)
    metrics = evaluate(coder, binned, detail="all")
    for said in told(metrics):
        log(said)
    attribution = explain(
        coder,
        binned,
        latents,
        stability=None if seeds is None else seeds.stability,
        progress=progress,
    )
    for said in sentences(attribution):
        log(said)
    made = {**environment(coder), "seconds": round(time.perf_counter() - began, 1)}
    read = embedding_of(binned, coder.config.reads)
    results = Results(
        session, coder, latents, metrics, attribution, made, read,
        stability=None if seeds is None else seeds.stability,
    )  # fmt: skip
    flat = flat_metrics(results, binned)
    if seeds is not None:
        flat["n_stable_latents"] = int(seeds.stability["stable"].sum())
    with staged(out, overwrite=overwrite) as stage:
        named = Path(source_name(session))
        nwb = write_outputs(
            results, binned, flat, stage, log, source=named, fields=fields, seeds=seeds
        )
    return Run(results, binned, flat, out, out / nwb, out / REPORT)


def _session(
    source: Any, config: Config, behaviour: str | Path | None, behaviour_offset: float
) -> Session:
    if not isinstance(source, Session):
        return read_as(source, config, behaviour=behaviour, behaviour_offset=behaviour_offset)
    if behaviour is None:
        return source
    return join_behaviour(source, behaviour, offset=behaviour_offset)
