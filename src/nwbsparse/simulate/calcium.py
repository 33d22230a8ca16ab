"""Fluorescence of ROIs: what drives them, through a slow indicator, with noise that they share."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

DECAY = 0.5
"""s: how fast the indicator falls back."""
SHARED = 4
"""Common sources of noise: fluctuations of the population that no stimulus made."""
SHARED_SCALE = 1.0
"""s: how long such a fluctuation lasts."""
SHARED_SHARE = 0.4
"""Share of the variance of the noise that is common."""


def fluorescence(
    rng: np.random.Generator, drive: np.ndarray, *, rate: float, noise: float
) -> np.ndarray:
    """ΔF/F (frame, unit) float32 of a drive per frame.

    Args:
        rng: what is random.
        drive: (frame, unit): the ΔF/F that it would come to if it were kept up.
        rate: frames per second.
        noise: standard deviation of the noise (ΔF/F), of which a part is common to units.
    """
    keep = np.exp(-1 / (rate * DECAY))
    calcium = lfilter([1 - keep], [1, -keep], drive, axis=0)
    n_frames, n_units = drive.shape
    own = rng.standard_normal((n_frames, n_units))
    weights = rng.standard_normal((SHARED, n_units)) / np.sqrt(SHARED)
    common = wander(rng, n_frames, SHARED, rate=rate, scale=SHARED_SCALE) @ weights
    mixed = np.sqrt(1 - SHARED_SHARE) * own + np.sqrt(SHARED_SHARE) * common
    return (calcium + noise * mixed).astype(np.float32)


def wander(
    rng: np.random.Generator, n_frames: int, n: int, *, rate: float, scale: float
) -> np.ndarray:
    """(frame, n) signals of mean 0 and variance 1 that forget themselves in ``scale`` seconds."""
    keep = np.exp(-1 / (rate * scale))
    kicks = rng.standard_normal((n_frames, n)) * np.sqrt(1 - keep**2)
    kicks[0] = rng.standard_normal(n)
    return np.asarray(lfilter([1.0], [1, -keep], kicks, axis=0))


def gratings_clock(
    rng: np.random.Generator, n_trials: int, *, presented: float, pause: float, lead: float
) -> np.ndarray:
    """(trial, 2) s: presentations with pauses; their starts fall anywhere between frames."""
    start = lead + rng.uniform(0, 0.1) + np.arange(n_trials) * (presented + pause)
    return np.column_stack([start, start + presented])
