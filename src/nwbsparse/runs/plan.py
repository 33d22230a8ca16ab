"""What a run would do, with an estimate of time and memory."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.options.automatic import resolve, updates_per_epoch
from nwbsparse.options.config import Config
from nwbsparse.population import as_read
from nwbsparse.runs.asked import asked
from nwbsparse.runs.first_half import prepare_recordings
from nwbsparse.runs.outputs import Notify
from nwbsparse.runs.prepare import pools_said
from nwbsparse.training.fit import fit
from nwbsparse.training.learn import REFIT_UPDATES, SEED_UPDATES, is_consensus, settled_for

SIZE = (32, 5)
"""Latents and k that time is estimated with, where they are still to be chosen."""


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
    sessions: tuple[str, ...] = ()
    """What several recordings are called; none where there is one."""
    pools: str = ""
    """'35 units in 4 pools (by region)', where units are pooled and ``n_units`` are pools; else ''."""


def plan(
    source: Any,
    config: Config | None = None,
    *,
    strict: bool = False,
    notify: Notify = lambda _: None,
    **beside: Any,
) -> Plan:
    """Say what :func:`nwbsparse.run` would do: sizes, the choices left open, rough time and memory.

    Args:
        source, config, strict, notify: as of ``run``.
        beside: what else it is given of one recording.

    Raises:
        BadInput: as ``run``.
    """
    ready = prepare_recordings(asked(source, config, **beside), strict=strict, notify=notify)
    config, binned = ready.config, as_read(ready.data, ready.config.reads)
    counts = binned[names.COUNTS].values
    n_train = int((binned[names.SPLIT].values == names.TRAIN).sum())
    settled = resolve(
        settled_for(binned, config),
        counts,
        n_train=n_train,
        bin_width=float(binned.attrs[names.BIN_WIDTH]),
    )
    assert settled.batch_size and settled.max_epochs and settled.n_latents
    per_epoch = updates_per_epoch(n_train, settled.batch_size, settled.last_batch)
    updates = per_epoch * settled.max_epochs
    n_bins, n_units = counts.shape
    trial = binned.isel({names.TIME: slice(0, min(n_bins, 8 * settled.batch_size))})
    few = 20
    if is_consensus(settled):
        updates, seconds = _consensus(trial, settled, few)
    else:
        seconds = _time_of_fit(trial, settled, few) / few * updates
    parts = 3.0 if settled.n_latents > 256 else 2.0
    gigabytes = (
        counts.nbytes + 4 * parts * n_bins * settled.n_latents + 16 * 0.2 * n_bins * n_units
    ) / 1e9
    sessions = tuple(ready.sessions) if ready.several else ()
    pools = "" if ready.several else pools_said(ready.data, config)
    return Plan(settled, n_units, n_bins, n_train, updates, seconds, gigabytes, sessions, pools)


def _consensus(trial: xr.Dataset, settled: Config, few: int) -> tuple[int, float]:
    """Updates and rough time of a consensus; what is tried before takes about as long as one."""
    size = {} if settled.choose == "none" else {"n_latents": SIZE[0], "k": SIZE[1]}
    one = settled.replace(seeds=1, replicates=0, choose="none", expansion=None, levels=(), **size)
    per_update = _time_of_fit(trial, one, few) / few
    stacks = settled.replicates + (settled.choose != "none")
    refits = REFIT_UPDATES * settled.replicates
    in_stacks = stacks * SEED_UPDATES
    return in_stacks + refits, per_update * (in_stacks * settled.seeds + refits)


def _time_of_fit(trial: xr.Dataset, settled: Config, updates: int) -> float:
    parts = np.full(trial.sizes[names.TIME], names.TRAIN, dtype=np.int8)
    parts[-max(len(parts) // 10, 1) :] = names.VALIDATION
    trial = trial.assign_coords({names.SPLIT: (names.TIME, parts)})
    n_train = int((parts == names.TRAIN).sum())
    batch = min(settled.batch_size or n_train, n_train)
    per_epoch = updates_per_epoch(n_train, batch, settled.last_batch)
    epochs = max(1, math.ceil(updates / per_epoch))
    config = replace(settled, batch_size=batch, max_epochs=epochs)
    fit(trial, replace(config, max_epochs=1))  # the first one pays for warming up
    began = time.perf_counter()
    fit(trial, config)
    return (time.perf_counter() - began) * updates / (epochs * per_epoch)
