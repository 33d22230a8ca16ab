"""A simulated animal: laps on a circular track, at changing speed, with pauses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

SPEED_MEAN, SPEED_SPREAD, SPEED_SCALE = 0.75, 0.25, 1.0
"""Speed (rad/s) while running: mean, standard deviation, and how long (s) it stays alike."""
RUN, PAUSE = 6.0, 1.5
"""Mean length (s) of a run and of a pause, each a third of it at least."""
EASE = 0.15
"""Standard deviation (s) of the Gaussian with which the animal gets going and comes to rest."""


@dataclass(frozen=True)
class Runs:
    """What the animal did, bin by bin."""

    position: np.ndarray
    """(time,) rad from 0 to 2π."""
    speed: np.ndarray
    """(time,) rad/s."""
    last_start: np.ndarray
    """(time,) the bin in which the latest run began; −1 before the first start."""
    laps: np.ndarray
    """(lap, 2) s, start and stop of each whole lap."""


def run_laps(rng: np.random.Generator, *, n_bins: int, bin_width: float) -> Runs:
    """Let the animal run; it is running when the recording begins.

    Args:
        rng: what is random.
        n_bins: length.
        bin_width: seconds.
    """
    going = np.zeros(n_bins)
    last_start = np.full(n_bins, -1)
    at = running = 0
    while at < n_bins:
        running = 1 - running
        mean = RUN if running else PAUSE
        stop = at + max(1, round((mean / 3 + rng.exponential(2 * mean / 3)) / bin_width))
        going[at:stop] = running
        if running and at > 0:
            last_start[at:] = at
        at = stop
    wave = gaussian_filter1d(rng.standard_normal(n_bins), SPEED_SCALE / bin_width, mode="wrap")
    wave = SPEED_MEAN + SPEED_SPREAD * wave / max(wave.std(), 1e-12)
    speed = np.maximum(wave, 0.1) * gaussian_filter1d(going, EASE / bin_width, mode="nearest")
    way = np.cumsum(speed) * bin_width - speed * bin_width / 2  # at the middle of each bin
    return Runs(way % (2 * np.pi), speed, last_start, _laps(speed, bin_width))


def _laps(speed: np.ndarray, bin_width: float) -> np.ndarray:
    edge = np.concatenate([[0.0], np.cumsum(speed) * bin_width])
    times = np.arange(len(edge)) * bin_width
    passed = np.arange(0.0, edge[-1], 2 * np.pi)
    at = np.interp(passed, edge, times)
    return np.column_stack([at[:-1], at[1:]])
