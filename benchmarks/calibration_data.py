"""Made-up behaviour and latents whose relation is known, for ``calibration.py`` and its tests."""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from nwbsparse import names
from nwbsparse.analysis.association.design import Design
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.statistics.slow_drift import drift_basis

BEHAVIOURS = ("position5", "position20", "speed", "steps", "band", "walk", "laps", "bursts")


def wander(n, memory, rng, channels=1):
    """(bin, channel) noise of variance 1 whose autocorrelation is 1/e after ``memory`` bins."""
    keep = np.exp(-1 / memory) if memory > 0 else 0.0
    noise = rng.standard_normal((n + int(10 * memory) + 1, channels)) * np.sqrt(1 - keep**2)
    return lfilter([1], [1, -keep], noise, axis=0)[-n:]


def behaviour(kind, n, step, rng):
    """(bin,) values of one kind of behaviour, bins of ``step`` seconds."""
    if kind.startswith("position"):
        return wander(n, float(kind.removeprefix("position")) / step, rng)[:, 0]
    if kind == "speed":
        smooth = gaussian_filter1d(wander(n + 100, 10 / step, rng)[:, 0], 0.5 / step)
        return np.abs(np.gradient(smooth))[50 : n + 50]
    if kind == "steps":
        return _pieces(n, step, rng, 20, 60, lambda length: np.full(length, rng.integers(4)))
    if kind == "band":
        noise = rng.standard_normal(n + 1000)
        made = gaussian_filter1d(noise, 2 / step) - gaussian_filter1d(noise, 8 / step)
        return made[500 : n + 500]
    if kind == "walk":
        steps = np.cumsum(rng.standard_normal(n) * 0.1 * np.sqrt(step))
        return np.abs((steps + rng.random() * 2) % 2 - 1)
    if kind == "laps":
        return _pieces(n, step, rng, 15, 30, lambda length: np.linspace(0, 1, length))
    if kind == "bursts":
        return np.maximum(wander(n, 3 / step, rng)[:, 0] - 1.0, 0) + 1e-3 * rng.standard_normal(n)
    if kind in ("track", "running"):
        return _track(n, step, rng, steady=kind == "track")
    raise ValueError(kind)


def _pieces(n, step, rng, shortest, longest, make):
    made = []
    while sum(map(len, made)) < n + int(longest / step):
        made.append(make(int(rng.uniform(shortest, longest) / step)))
    offset = rng.integers(0, int(shortest / step))
    return np.concatenate(made)[offset : offset + n].astype(float)


def _track(n, step, rng, *, steady):
    """Runs from end to end, and pauses there; slower at the ends unless steady."""
    made, direction = [], 1
    while sum(map(len, made)) < n:
        length = max(4, int(5 * np.exp(0.3 * rng.standard_normal()) / step))
        along = np.linspace(0, 1, length)
        if not steady:
            pace = np.maximum(0.15, 0.2 + np.sin(np.pi * along)) * np.exp(
                0.3 * rng.standard_normal(length)
            )
            along = np.cumsum(pace) / pace.sum()
        along = along if direction > 0 else 1 - along
        made += [along, np.full(int(rng.exponential(3) / step), along[-1])]
        direction = -direction
    return np.concatenate(made)[:n]


def drifted(values, rng):
    """With a slow drift added, as large as the values vary."""
    return values + 1.5 * values.std() * rng.choice([-1, 1]) * np.linspace(-1, 1, len(values))


def coded(kind, values, *, table=None):
    """A behaviour as tuning bins: 20 places, deciles, or labels as they are."""
    if kind in ("labels", "steps") and np.allclose(values, np.round(values)):
        codes = values.astype(np.int32)
        size, shape = int(codes.max()) + 1, names.CATEGORICAL
    elif kind in ("track", "running", "walk", "laps"):
        low, high = values.min(), values.max()
        codes, size = np.clip(((values - low) / (high - low) * 20).astype(np.int32), 0, 19), 20
        shape = names.POSITION
    else:
        edges = np.quantile(values, np.linspace(0, 1, 11)[1:-1])
        codes, size = np.searchsorted(edges, values, side="right").astype(np.int32), 10
        shape = names.CONTINUOUS
    edges = () if shape == names.CATEGORICAL else (np.arange(size + 1.0),)
    return Coded(kind, shape, codes, tuple(map(str, range(size))), edges, (size,), table=table)


def latents_of(n, step, rng, channels, *, memory=None, active=None, drift=False):
    """(bin, latent) rectified noise: memories of 0.1-30 s, active in 5-20 % unless said."""
    memories = (
        np.exp(rng.uniform(np.log(0.1), np.log(30), channels))
        if memory is None
        else np.full(channels, memory)
    )
    shares = rng.uniform(0.05, 0.2, channels) if active is None else np.full(channels, active)
    made = np.concatenate([wander(n, one / step, rng) for one in memories], axis=1)
    if drift:
        made = made + 1.5 * rng.choice([-1, 1], channels) * np.linspace(-1, 1, n)[:, None]
    threshold = [np.quantile(one, 1 - share) for one, share in zip(made.T, shares, strict=True)]
    return np.maximum(made - threshold, 0)


def place_like(
    codes, size, channels, strength, step, rng, *, memory=0.5, centres=None, given=False
):
    """(bin, latent) with a bump over the codes, active in a tenth of the bins.

    ``strength`` is the correlation with the bump before rectifying where ``given``; else the r that
    is expected after it.
    """
    centres = rng.integers(0, size, channels) if centres is None else centres
    bump = np.exp(-0.5 * ((codes[:, None] - centres) / (0.08 * size)) ** 2)
    bump = (bump - bump.mean(axis=0)) / np.maximum(bump.std(axis=0), 1e-9)
    before = strength if given else _before(bump, strength, memory / step, rng)
    made = before * bump + np.sqrt(1 - np.square(before)) * wander(
        len(codes), memory / step, rng, channels
    )
    return np.maximum(made - np.quantile(made, 0.9, axis=0), 0)


def _before(bump, expected, memory, rng):
    """The correlation before rectifying that gives the expected r with the bump after it."""
    low, high = 0.0, 0.99
    noise = wander(len(bump), memory, rng, bump.shape[1])
    for _ in range(20):
        middle = (low + high) / 2
        made = middle * bump + np.sqrt(1 - middle**2) * noise
        made = np.maximum(made - np.quantile(made, 0.9, axis=0), 0)
        made = (made - made.mean(axis=0)) / np.maximum(made.std(axis=0), 1e-9)
        low, high = (middle, high) if (made * bump).mean() < expected else (low, middle)
    return (low + high) / 2


def labels_of(n, size, how, rng):
    """(trial,) labels: random, balanced in blocks, repeating, or drifting in how often they come."""
    if how == "random":
        return rng.integers(0, size, n)
    if how == "blocked":
        return np.concatenate([rng.permutation(size) for _ in range(-(-n // size))])[:n]
    if how == "sticky":
        made = [rng.integers(size)]
        for _ in range(n - 1):
            made.append(made[-1] if rng.random() < 0.8 else rng.integers(size))
        return np.array(made)
    early = rng.random(n) < np.linspace(0.15, 0.85, n)
    half = max(1, size // 2)
    return np.where(early, rng.integers(0, half, n), rng.integers(half, size, n))


def design_of(n, step, *, seed=0, n_draws=2000, trials=False):
    """The assessed bins of a recording without gaps; of trials, one bin each."""
    times, one = np.arange(n) * step, np.zeros(n, dtype=np.int64)
    rows = {"trials": np.arange(n)} if trials else {}
    basis = drift_basis(times, np.zeros(n))
    return Design(np.arange(n), times, one, one, rows, basis, step, n_draws, seed)
