"""Trials of drifting gratings as tensors: sessions of other units, classes of other dynamics."""

from __future__ import annotations

import math

import numpy as np
import torch

from nwbsparse.splice.batches import SessionTrials, trial_parts
from nwbsparse.splice.heads import Head
from nwbsparse.splice.transformer import PopulationTransformer

N_DIRECTIONS, N_FREQUENCIES, N_CLASSES, N_BINS = 8, 3, 4, 12
HEADS = {
    "direction": Head("category", N_DIRECTIONS),
    "temporal_frequency": Head("category", N_FREQUENCIES),
    "cell_class": Head("category", N_CLASSES),
}


def grating_session(
    name: str,
    cell_class: int,
    *,
    n_trials: int = 600,
    n_units: int = 48,
    noise: float = 0.7,
    alike: bool = False,
    seed: int = 0,
) -> SessionTrials:
    """A session: units tuned to direction and temporal frequency, responses as its class makes them.

    Classes differ in when a unit responds within the trial (transient, sustained, late, off); a unit's
    preferences are its own. A fifth of the units does not respond at all. Where classes are ``alike``
    there is nothing to tell them apart by but which units a session has.
    """
    rng = np.random.default_rng([seed, *name.encode()])
    direction = rng.integers(0, N_DIRECTIONS, n_trials)
    frequency = rng.integers(0, N_FREQUENCIES, n_trials)
    preferred = rng.uniform(0, 2 * math.pi, n_units)
    sharpness = rng.uniform(1.0, 3.0, n_units)
    liked = rng.integers(0, N_FREQUENCIES, n_units)
    amplitude = rng.lognormal(0.4, 0.3, n_units) * (rng.random(n_units) > 0.2)
    angle = direction[:, None] * (2 * math.pi / N_DIRECTIONS) - preferred
    tuned = np.exp(sharpness * (np.cos(angle) - 1))
    matched = np.where(frequency[:, None] == liked, 1.0, 0.25)
    gain = rng.lognormal(0, 0.2, (n_trials, 1))
    response = gain * amplitude * tuned * matched
    activity = response[:, None, :] * _course(1 if alike else cell_class)[None, :, None]
    activity = activity + noise * rng.standard_normal((n_trials, N_BINS, n_units))
    codes = torch.from_numpy(direction * N_FREQUENCIES + frequency)
    return SessionTrials(
        name,
        torch.from_numpy(activity.astype(np.float32)),
        {
            "direction": torch.from_numpy(direction),
            "temporal_frequency": torch.from_numpy(frequency),
            "cell_class": torch.full((n_trials,), cell_class),
        },
        trial_parts(n_trials, strata=codes, seed=seed),
    )


def grating_sessions(n_sessions: int = 12, **options) -> list[SessionTrials]:
    """Sessions of all classes in turn."""
    return [grating_session(f"session-{i}", i % N_CLASSES, **options) for i in range(n_sessions)]


def decoder_of(sessions: list[SessionTrials], heads=HEADS, **options) -> PopulationTransformer:
    """An untrained decoder of these sessions."""
    units = {one.name: one.activity.shape[2] for one in sessions}
    return PopulationTransformer(units, heads, n_bins=sessions[0].activity.shape[1], **options)


def _course(cell_class: int) -> np.ndarray:
    """(time,) how a response of a class goes on over the trial."""
    time = np.arange(N_BINS) / N_BINS
    return [
        np.exp(-(((time - 0.15) / 0.12) ** 2)),
        np.where(time > 0.1, 0.7, 0.0),
        np.exp(-(((time - 0.6) / 0.15) ** 2)),
        np.where(time > 0.75, 1.0, 0.1),
    ][cell_class]
