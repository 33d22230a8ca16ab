"""run_sessions(): one model of several recordings, and an annotated file and a report of each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.behaviour.sentences import sentences
from nwbsparse.analysis.quality.stability import Seeds, fit_seeds
from nwbsparse.models import checkpoint
from nwbsparse.models.coder import SparseCoder
from nwbsparse.options.config import Config
from nwbsparse.options.toml import to_toml
from nwbsparse.progress import Progress, silent
from nwbsparse.results.folder import SESSIONS, STABILITY, flat_metrics, save_netcdf, to_json
from nwbsparse.results.of_sessions import result_of_session, stability_in, with_sources
from nwbsparse.results.results import Results
from nwbsparse.runs.outputs import OPTIONS, REPORT, Log, Say, source_name, staged, write_outputs
from nwbsparse.runs.prepare_sessions import Sources, check_outs, named_sources, prepare_sessions
from nwbsparse.runs.run import Run
from nwbsparse.runs.said import learned_said, told
from nwbsparse.training.fit import fit


@dataclass(frozen=True)
class JointRun:
    """What a run on several recordings made, and where it is."""

    coder: SparseCoder
    """Of all sessions; its id is the model id in every session's file."""
    runs: dict[str, Run]
    """{session: what there is of it}, in the order of the coder."""
    folder: Path


def run_sessions(
    sources: Sources,
    out: str | Path,
    config: Config | None = None,
    *,
    overwrite: bool = False,
    strict: bool = False,
    progress: Progress = silent,
    say: Say = lambda _: None,
) -> JointRun:
    """Learn one set of latents from several recordings, and annotate a copy of each with them.

    Args:
        sources: anything that :func:`nwbsparse.read` takes, or Sessions; called like their files,
            or, as {name: source}, like that.
        out: folder for the results (made when absent): ``<out>/<session>/`` holds what
            :func:`nwbsparse.run` leaves of one recording, ``out`` itself the whole coder,
            ``run.toml``, ``sessions.json`` (the model id and the numbers of each session) and
            ``log.txt``.
        config: options, the same for all; what they leave open is chosen for all together and said.
        overwrite: replace results of an earlier run in ``out``.
        strict: refuse what reading would otherwise repair and report.
        progress: called by long steps.
        say: called with a line of text at every step.

    Returns:
        The whole coder, and per session the results in memory and where the files are. All files
        appear in ``out`` together, at the end.

    Raises:
        BadInput: fewer than two sources, two with one name or of one recording, sources or options
            that cannot be used, or results exist already.
        EnvironmentProblem: the folder cannot be written to.
    """
    config, out, began, log = (
        config or Config(),
        Path(out).expanduser(),
        time.perf_counter(),
        Log(say),
    )
    named = named_sources(sources)
    check_outs(out, named, config, overwrite=overwrite)
    ready = prepare_sessions(named, config, strict=strict, say=log)
    config, joined = ready.config, ready.joined
    seeds = fit_seeds(joined, config, progress=progress) if config.seeds > 1 else None
    coder = fit(joined, config, progress=progress) if seeds is None else seeds.coders[0]
    coder = with_sources(coder, ready.sessions)
    last = coder.record.history[-1]
    log(
        f"fit {coder.n_latents} latents of {coder.n_units} units in {len(named)} sessions, "
        f"{coder.config.k} active per bin: {last['update']} updates, validation loss "
        f"{last['validation_loss']:.4g}; model id {coder.id}"
    )
    known = None if seeds is None else seeds.stability
    for said in learned_said(coder, known):
        log(said)
    logs = {name: _OneOf(name, log) for name in named}
    made: dict[str, Results] = {}
    for name, session in ready.sessions.items():
        binned = ready.binned[name]
        results = result_of_session(
            coder, name, session, binned, stability=known, progress=progress
        )
        metrics = results.metrics
        for said in told(metrics):
            logs[name](said)
        for said in sentences(results.attribution):
            logs[name](said)
        seconds = {"seconds": round(time.perf_counter() - began, 1)}
        made[name] = replace(results, environment={**results.environment, **seconds})
    with staged(out, overwrite=overwrite) as stage:
        runs = {
            name: _write_one(results, ready.binned[name], out, stage, logs[name], seeds)
            for name, results in made.items()
        }
        _write_whole(coder, runs, stage, log, seeds)
    return JointRun(coder, runs, out)


class _OneOf(Log):
    """The log of one session: what was said about all before, and every line about it."""

    def __init__(self, name: str, log: Log) -> None:
        super().__init__(lambda line: log(f"{name}: {line}"))
        self.lines = list(log.lines)


def _write_one(
    results: Results, binned: xr.Dataset, out: Path, stage: Path, log: Log, seeds: Seeds | None
) -> Run:
    """What :func:`nwbsparse.run` would leave of this session alone."""
    name = results.coder.record.session
    folder = stage / name
    folder.mkdir()
    flat = flat_metrics(results, binned)
    here = None
    if seeds is not None:
        flat["n_stable_latents"] = int(seeds.stability["stable"].sum())
        here = Seeds(seeds.coders, stability_in(results.coder, seeds.stability))
    source = Path(source_name(results.session))
    nwb = write_outputs(results, binned, flat, folder, log, source=source, seeds=here)
    at = out / name
    return Run(results, binned, flat, at, at / nwb, at / REPORT)


def _write_whole(
    coder: SparseCoder, runs: Mapping[str, Run], stage: Path, log: Log, seeds: Seeds | None
) -> None:
    """What belongs to all sessions: the whole coder, the options, the numbers of each."""
    checkpoint.save(coder, stage)
    names_of_files = ", ".join(one.uri or one.name for one in coder.record.sessions)
    (stage / OPTIONS).write_text(
        to_toml(coder.record.options, source=names_of_files), encoding="utf-8"
    )
    numbers = {
        "model_id": coder.id,
        names.SESSIONS: {name: one.metrics for name, one in runs.items()},
    }
    (stage / SESSIONS).write_text(to_json(numbers), encoding="utf-8")
    if seeds is not None:
        save_netcdf(seeds.stability, stage / STABILITY)
    log.write(stage)
