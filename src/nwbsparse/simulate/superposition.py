"""``superposition``: more sources than units, so that no unit and no linear rotation is a source.

Each of 150 sources drives its own 8 of 100 units, with overlap, whenever it has an event; the
size of events varies from one to the next and with a slow gain common to all. Raw units, PCA,
ICA and NMF cannot recover the sources; a sparse overcomplete dictionary can.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from nwbsparse.simulate.bounds import refuse_outside
from nwbsparse.simulate.contents import Contents, Table, spread_spikes


@dataclass(frozen=True)
class Superposition:
    """Counts with the dictionary and the events that made them."""

    counts: np.ndarray
    """(time, unit) in the smallest unsigned type that holds the largest count."""
    dictionary: np.ndarray
    """(source, unit) float64, rows of unit length, non-negative."""
    events: np.ndarray
    """(time, source) bool."""
    bin_width: float
    """s."""

    def contents(self) -> Contents:
        """What an NWB file of this simulation holds."""
        n_sources, n_units = self.dictionary.shape
        return Contents(
            identifier="superposition",
            description=f"{n_sources} overlapping sources over {n_units} units (simulated)",
            spike_times=spread_spikes(self.counts, self.bin_width),
            duration=len(self.counts) * self.bin_width,
            tables=(
                Table(
                    "sources",
                    "planted sources: the weight of each unit (rows of unit length)",
                    {"unit_weights": ("weight of each row of the units table", self.dictionary)},
                ),
            ),
        )


def simulate_superposition(
    *,
    seed: int = 0,
    n_bins: int = 60_000,
    bin_width: float = 0.02,
    n_units: int = 100,
    n_sources: int = 150,
    units_per_source: int = 8,
    gain: float = 2.0,
    event_probability: float = 0.02,
    baseline: float = 0.02,
) -> Superposition:
    """Make counts from overlapping sparse sources.

    Args:
        seed: of everything random.
        n_bins: number of bins.
        bin_width: seconds.
        n_units: units of the population.
        n_sources: planted sources, more than units.
        units_per_source: how many units each source drives.
        gain: mean number of spikes that an event adds to each of its units; events of .6 are weak:
            no single bin shows them.
        event_probability: of each source in each bin, independently.
        baseline: mean spikes per bin and unit without any event.

    Raises:
        BadInput: a number is out of its bounds.
    """
    refuse_outside(
        "superposition",
        seed=(seed, 0, math.inf),
        n_bins=(n_bins, 2, 10_000_000),
        bin_width=(bin_width, 0.001, 10.0),
        n_units=(n_units, 1, 100_000),
        n_sources=(n_sources, 1, 100_000),
        units_per_source=(units_per_source, 1, n_units),
        gain=(gain, 0.0, 1e6),
        event_probability=(event_probability, 0.0, 1.0),
        baseline=(baseline, 0.0, 1e6),
    )
    rng = np.random.default_rng(seed)
    weights = np.zeros((n_sources, n_units))
    for source in range(n_sources):
        units = rng.choice(n_units, units_per_source, replace=False)
        weights[source, units] = rng.uniform(0.5, 1.5, units_per_source)
    events = rng.random((n_bins, n_sources)) < event_probability
    size = rng.lognormal(-0.125, 0.5, events.shape).astype(np.float32)  # mean 1
    slow = gaussian_filter1d(rng.standard_normal(n_bins), 10.0 / bin_width, mode="wrap")
    common = np.exp(0.2 * slow / slow.std())
    drive = (events * size) @ weights.astype(np.float32)
    counts = rng.poisson(baseline + gain * common[:, None] * drive)
    dictionary = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    return Superposition(
        counts.astype(np.min_scalar_type(int(counts.max()))), dictionary, events, bin_width
    )
