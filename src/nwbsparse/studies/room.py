"""How much memory a task will take: what decides how many are begun at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py

from nwbsparse import names
from nwbsparse.options.automatic import BATCH, MAX_LATENTS, MIN_LATENTS, PER_DIM, shaped
from nwbsparse.options.config import Config, from_dict
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.plan import FITS
from nwbsparse.studies.task import Task

LIBRARIES = 600_000_000
"""Bytes of a process that has imported what it needs."""
COPIES = 3
"""Tables of the bins in float32 that are held at a time: as read, as trained on, as scored."""
WEIGHTS = 5
"""Weights, their gradients and moments, and the best ones."""


def needed_bytes(ledger: Ledger, task: Task) -> int:
    """Bytes that a task will take, roughly, and rather too many."""
    if task.kind != FITS:
        return LIBRARIES + 4 * _size_of(task.paths.get("source", ""))
    path = Path(task.paths["bins"]) if not task.needs else ledger.result(ledger.task(task.needs[0]))
    n_bins, channels = _shape(path)
    configs = [from_dict(one) for one in task.about["configs"]]
    models = sum(_bytes_of(one, channels[one.reads]) for one in configs)
    most = max(_n_latents(one, channels[one.reads]) for one in configs)
    table = 4 * n_bins * (COPIES * max(channels.values()) + 2 * most)
    return LIBRARIES + models + table


def _bytes_of(config: Config, n_channels: int) -> int:
    n_latents, window = _n_latents(config, n_channels), shaped(config).window or 1
    weights = n_latents * n_channels * window * 2
    batch = (config.batch_size or BATCH) * (3 * n_latents + (4 + 2 * window) * n_channels)
    return 4 * (WEIGHTS * weights + batch)


def _n_latents(config: Config, n_channels: int) -> int:
    if config.n_latents or config.levels:
        return max(config.n_latents or 0, *(size for size, _ in config.level_sizes))
    if config.expansion:
        return config.expansion * n_channels
    usual = PER_DIM * n_channels if config.reads == names.EMBEDDING else 4 * n_channels
    return min(max(usual, MIN_LATENTS), MAX_LATENTS)


def _shape(path: Path) -> tuple[int, dict[str, int]]:
    """Bins, and channels by what is read; without reading them."""
    with h5py.File(path, "r") as file:
        found: dict[str, int] = {}
        n_bins = 0
        for name in (names.COUNTS, names.EMBEDDING):
            table: Any = file.get(name)
            if table is not None:
                n_bins, found[name] = table.shape
    return n_bins, {names.COUNTS: 1, names.EMBEDDING: 1} | found


def _size_of(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # an address, or nothing: whoever reads it says so
        return 0
