"""run(): the whole path in one call, from an NWB file to an annotated one and a report."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.evaluate import evaluate
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.inference import encode
from nwbsparse.analysis.outcome import explained_said
from nwbsparse.analysis.stability import Seeds, fit_seeds
from nwbsparse.coder_input import as_read
from nwbsparse.config import Config
from nwbsparse.defaults import resolve
from nwbsparse.embedded import embedding_of
from nwbsparse.errors import BadInput
from nwbsparse.folder import flat_metrics
from nwbsparse.io.reading import read_as
from nwbsparse.io.stream import public_address
from nwbsparse.made_folder import check_writable
from nwbsparse.outputs import REPORT, Log, Say, staged, write_outputs
from nwbsparse.prepare import prepare
from nwbsparse.progress import Progress, silent
from nwbsparse.results import Results, derived_name, environment
from nwbsparse.session import Session
from nwbsparse.training.fit import fit


@dataclass(frozen=True)
class Run:
    """What a run made, and where it is."""

    results: Results
    binned: xr.Dataset
    metrics: dict[str, Any]
    """The content of ``metrics.json``."""
    folder: Path
    nwb: Path | None
    """The annotated file; None when the source is not an NWB file (HDF5) on this machine."""
    report: Path


def run(
    source: Any,
    out: str | Path,
    config: Config | None = None,
    *,
    embedding: Any = None,
    embedding_method: str | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
    say: Say = lambda _: None,
) -> Run:
    """Read, bin, split, fit, encode, evaluate, explain, write and report, in one call.

    Args:
        source: anything that :func:`nwbsparse.read` takes, or the Session it returned; it is only
            read. An annotated NWB file is written for NWB files (HDF5) on this machine.
        out: folder for the results (made when absent).
        config: options; what they leave open is chosen and said.
        embedding: an embedding of the recording's bins, for a coder that reads it in place of the
            counts, as :func:`nwbsparse.with_embedding` takes it; it is kept with the results.
        embedding_method: what made it; by default what it says itself, else "unknown".
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
    check_out(out, source, config, overwrite=overwrite)
    session = source if isinstance(source, Session) else read_as(source, config)
    what = session.traces.name if session.traces else f"{len(session.spike_times):,} spikes"
    log(f"read {session.n_units} units and {what} from {Path(source_name(source)).name}")
    binned = prepare(session, config, embedding=embedding, method=embedding_method)
    log(bins_said(binned, config))
    seeds = fit_seeds(binned, config, progress=progress) if config.seeds > 1 else None
    coder = fit(binned, config, progress=progress) if seeds is None else seeds.coders[0]
    last = coder.record.history[-1]
    log(
        f"fit {coder.n_latents} latents, {coder.config.k} active per bin: {last['update']} updates, "
        f"validation loss {last['validation_loss']:.4g}"
    )
    if coder.record.target_ids is not None:
        log(f"it reads {coder.n_units} units and reconstructs {coder.n_targets} others")
    if seeds is not None:
        log(stability_said(seeds))
    latents = encode(coder, binned)
    metrics = evaluate(coder, binned, detail="all")
    log(f"held-out R² {float(metrics['r2']):.3f}, L0 {float(metrics['l0'].mean()):.2f}")
    attribution = explain(
        coder,
        binned,
        latents,
        stability=None if seeds is None else seeds.stability,
        progress=progress,
    )
    log(explained_said(attribution))
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
        nwb = write_outputs(results, binned, flat, stage, log, source=named, seeds=seeds)
    return Run(results, binned, flat, out, out / nwb if nwb else None, out / REPORT)


@dataclass(frozen=True)
class Plan:
    """What a run would do, without doing it."""

    config: Config
    """With every open choice made."""
    n_units: int
    n_bins: int
    n_train: int
    updates: int
    seconds: float
    """Rough time of the fit, from a few updates on made-up counts of the same shape."""
    gigabytes: float
    """Rough peak memory beyond the libraries themselves."""


def plan(session: Session, config: Config | None = None, *, embedding: Any = None) -> Plan:
    """Say what :func:`run` would do: sizes, the choices left open, rough time and memory."""
    config = reading(config or Config(), embedding)
    return plan_of(prepare(session, config, embedding=embedding), config)


def plan_of(binned: xr.Dataset, config: Config) -> Plan:
    """:func:`plan` for bins that were made already."""
    binned = as_read(binned, config.reads)
    counts = binned[names.COUNTS].values
    n_train = int((binned[names.SPLIT].values == names.TRAIN).sum())
    settled = resolve(
        config, counts, n_train=n_train, bin_width=float(binned.attrs[names.BIN_WIDTH])
    )
    assert settled.batch_size and settled.max_epochs and settled.n_latents
    updates = (n_train // settled.batch_size) * settled.max_epochs
    n_bins, n_units = counts.shape
    trial = binned.isel({names.TIME: slice(0, min(n_bins, 8 * settled.batch_size))})
    few = 20
    per_update = _time_of_fit(trial, settled, few) / few
    parts = 3.0 if settled.n_latents > 256 else 2.0
    gigabytes = (
        counts.nbytes + 4 * parts * n_bins * settled.n_latents + 16 * 0.2 * n_bins * n_units
    ) / 1e9
    return Plan(settled, n_units, n_bins, n_train, updates, per_update * updates, gigabytes)


def _time_of_fit(trial: xr.Dataset, settled: Config, updates: int) -> float:
    parts = np.full(trial.sizes[names.TIME], names.TRAIN, dtype=np.int8)
    parts[-max(len(parts) // 10, 1) :] = names.VALIDATION
    trial = trial.assign_coords({names.SPLIT: (names.TIME, parts)})
    n_train = int((parts == names.TRAIN).sum())
    batch = min(settled.batch_size or n_train, n_train)
    epochs = max(1, math.ceil(updates / max(n_train // batch, 1)))
    config = replace(settled, batch_size=batch, max_epochs=epochs)
    fit(trial, replace(config, max_epochs=1))  # the first one pays for warming up
    began = time.perf_counter()
    fit(trial, config)
    return (time.perf_counter() - began) * updates / (epochs * max(n_train // batch, 1))


def reading(config: Config, embedding: Any) -> Config:
    """The options for a coder that reads the embedding, where one is given."""
    return config if embedding is None else config.replace(reads=names.EMBEDDING)


def bins_said(binned: xr.Dataset, config: Config) -> str:
    """How a recording was binned, in one line."""
    width = float(binned.attrs[names.BIN_WIDTH])
    how = "" if config.bin_width else " (chosen: the smallest with 5 population spikes per bin)"
    return (
        f"{binned.sizes[names.TIME]:,} bins of {width * 1000:g} ms{how} over the "
        f"{binned.attrs['extent_from']}, {int(binned['dropped'].sum()):,} spikes outside them"
    )


def stability_said(seeds: Seeds) -> str:
    """How many latents come back in other seeds, in one line."""
    stable, chance = seeds.stability["stable"], seeds.stability.attrs["chance_match"]
    return (
        f"{int(stable.sum())} of {stable.size} latents come back in {len(seeds.coders)} seeds "
        f"(cosine above {chance:.2f}, which 99 % of untrained matches stay below)"
    )


def source_name(source: Any) -> str:
    """A name for the results of this source: its file name, or what the recording calls itself."""
    if isinstance(source, Session):
        named = source.source.path
        return str(named) if named is not None else source.source.identifier or "recording"
    if isinstance(source, str | Path):
        return public_address(source) or str(source)  # no access keys in names and logs
    return "recording"


def check_out(out: Path, source: Any, config: Config, *, overwrite: bool) -> None:
    """Make sure that results can be written to a folder, before any work is done; nothing is made yet.

    Raises:
        BadInput: it is a file, or holds results already and ``overwrite`` was not asked.
        EnvironmentProblem: it cannot be written to.
    """
    out = out.expanduser()
    nwb = derived_name(Path(source_name(source)), config.name)
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; --out must be a folder")
    there = [name for name in (nwb, "metrics.json", "report.html") if (out / name).exists()]
    if there and not overwrite:
        raise BadInput(f"{out} already holds {', '.join(there)}; use --overwrite or another --out")
    check_writable(out)
