"""Fluorescence of ROIs: what drives them, through a slow indicator, with noise that they share."""

from __future__ import annotations

from collections.abc import Sequence

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


def presentations(
    rng: np.random.Generator, n_trials: int, *, presented: float, pause: float, lead: float
) -> np.ndarray:
    """(trial, 2) s: presentations with pauses; their starts fall anywhere between frames."""
    start = lead + rng.uniform(0, 0.1) + np.arange(n_trials) * (presented + pause)
    return np.column_stack([start, start + presented])


def over_presentations(
    response: np.ndarray,
    spans: np.ndarray,
    course: Sequence[float],
    n_frames: int,
    *,
    rate: float,
) -> np.ndarray:
    """(frame, unit) drive: the response to each presentation, shared out over it; 0 in between.

    Args:
        response: (trial, unit).
        spans: (trial, 2) s, growing.
        course: what the response is multiplied with in equal periods of a presentation.
        n_frames: length.
        rate: frames per second.
    """
    times = (np.arange(n_frames) + 0.5) / rate  # a frame is the mean over its own time
    trial = np.maximum(np.searchsorted(spans[:, 0], times, side="right") - 1, 0)
    since = (times - spans[trial, 0]) / (spans[trial, 1] - spans[trial, 0])
    period = np.clip((since * len(course)).astype(int), 0, len(course) - 1)
    weight = np.where((since >= 0) & (since < 1), np.array(course)[period], 0.0)
    return weight[:, None] * response[trial]
