"""More planted sources than units, each too weak for any single bin: where units and PCA must fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nwbsparse.io.read import read
from nwbsparse.options.config import Config
from nwbsparse.progress import Progress, silent
from nwbsparse.runs.demo.methods import Matched, compare
from nwbsparse.runs.prepare import prepare
from nwbsparse.runs.run import Notify
from nwbsparse.simulate.nwb import write_simulation
from nwbsparse.simulate.superposition import simulate_superposition
from nwbsparse.training.fit import fit

SUPERPOSITION = Config(name="superposition", bin_width=0.02)
"""Defaults, on the bins of the simulation."""
GAIN = 0.6
"""Spikes that an event adds to a unit."""
N_BINS = 12_000
"""Four minutes."""


@dataclass(frozen=True)
class SuperpositionDemo:
    """How well planted overlapping sources were recovered by each method."""

    n_sources: int
    n_units: int
    methods: Mapping[str, Matched]


def superposition_demo(
    folder: Path, *, seed: int = 0, notify: Notify = lambda _: None, progress: Progress = silent
) -> SuperpositionDemo:
    """Write the sources as NWB, learn from them with defaults, see which come out."""
    truth = simulate_superposition(seed=seed, n_bins=N_BINS, gain=GAIN)
    source = write_simulation(truth, folder / "superposition.nwb", overwrite=True)
    n_sources, n_units = truth.dictionary.shape
    notify(f"simulated {n_sources} overlapping sources over {n_units} units: {source}")
    config = SUPERPOSITION.replace(seed=seed)
    binned = prepare(read(source), config)
    coder = fit(binned, config, progress=progress)
    return SuperpositionDemo(
        n_sources, n_units, compare(coder, binned, truth.dictionary, seed=seed)
    )
