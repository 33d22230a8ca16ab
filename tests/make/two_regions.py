"""A recording of two regions, in which the units of CA1 follow events that drive those of CA3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from make.recordings import write_recording

N_EVENTS = 4
READ, WRITTEN = 3, 2
"""Units of CA3 and of CA1 that each kind of event drives; each of them has no other source."""
TRIAL = 2.0
WIDTH = 0.1
QUICK: dict[str, Any] = {
    "bin_width": WIDTH,
    "n_latents": 8,
    "k": 1,
    "max_epochs": 30,
    "batch_size": 256,
    "n_shifts": 50,
}


def planted() -> list[tuple[int, str, int]]:
    """(id, region, kind of event) of every unit, in the order of the table: regions are mixed."""
    units = [
        (100 + 10 * event + at, region, event)
        for region, n in (("CA3", READ), ("CA1", WRITTEN))
        for event in range(N_EVENTS)
        for at in range(n)
    ]
    units = [(i + (200 if region == "CA1" else 0), region, event) for i, region, event in units]
    order = np.random.default_rng(5).permutation(len(units))
    return [units[at] for at in order]


def ids(region: str, event: int | None = None) -> list[int]:
    """Ids of the units of a region (that an event drives), in the order of the table."""
    return [i for i, where, what in planted() if where == region and event in (None, what)]


def write_two_regions(
    path: Path, *, seconds: float = 400.0, delay: float = 0.0, seed: int = 0, **changes: Any
) -> Path:
    """Write the recording. Events of kind 0 occur in left trials only, the others at any time.

    ``delay`` (s): how much later than those of CA3 the units of CA1 fire.
    """
    rng = np.random.default_rng(seed)
    n_trials = int(seconds / TRIAL)
    side = ["left" if one < 0.5 else "right" for one in rng.random(n_trials)]
    start = np.arange(n_trials) * TRIAL
    n_bins = int(seconds / WIDTH)
    events = rng.random((n_bins, N_EVENTS)) < 0.12
    left = np.array(side)[np.minimum((np.arange(n_bins) * WIDTH / TRIAL).astype(int), n_trials - 1)]
    events[:, 0] = (rng.random(n_bins) < 0.3) & (left == "left")
    spikes = []
    for _, region, event in planted():
        rate = 0.05 + 5.0 * events[:, event]
        counts = rng.poisson(rate)
        times = (
            np.repeat(np.arange(n_bins), counts) + rng.uniform(0.05, 0.95, counts.sum())
        ) * WIDTH
        times = times + (delay if region == "CA1" else 0.0)
        spikes.append(np.sort(times[times < seconds]))
    given = {
        "spike_times": spikes,
        "unit_ids": [i for i, _, _ in planted()],
        "electrodes": {"location": [region for _, region, _ in planted()]},
        "trials": {"start_time": start, "stop_time": start + TRIAL, "side": side},
        "subject": {"subject_id": "two", "species": "Rattus norvegicus", "sex": "M", "age": "P90D"},
    }
    return write_recording(path, **(given | changes))
