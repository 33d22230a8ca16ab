"""How much of the population comes back: R² and cosines, summed up piece by piece."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from nwbsparse import names
from nwbsparse.analysis.apply.heldout import Scored
from nwbsparse.models.coder import SparseCoder


class Reconstruction:
    """R² and cosine per unit, per bin and per level, from pieces in any number."""

    def __init__(self, coder: SparseCoder, n_bins: int) -> None:
        n_units, n_levels = coder.n_targets, len(coder.levels)
        self.sizes = np.array([size for size, _ in coder.levels])
        self.squared_error = np.zeros((n_levels, n_units))
        self.n, self.sum, self.square, self.cross, self.guessed_square = np.zeros((5, n_units))
        self.bin_cosine = np.full(n_bins, np.nan)
        self.bin_r2 = np.full(n_bins, np.nan)
        self.done = 0

    def add(self, piece: Scored) -> None:
        z, guess, observed = piece.target, piece.predicted[-1], piece.observed
        self.squared_error += ((z - piece.predicted) ** 2).sum(axis=1)
        self.n += observed.sum(axis=0)
        self.sum += z.sum(axis=0)
        self.square += (z**2).sum(axis=0)
        self.cross += (z * guess).sum(axis=0)
        self.guessed_square += (guess**2).sum(axis=0)
        here = slice(self.done, self.done + len(piece.bins))
        self.done = here.stop
        square, n = (z**2).sum(axis=1), observed.sum(axis=1)
        self.bin_cosine[here] = cosine((z * guess).sum(axis=1), square, (guess**2).sum(axis=1))
        spread = square - z.sum(axis=1) ** 2 / np.maximum(n, 1)
        self.bin_r2[here] = _r2(((z - guess) ** 2).sum(axis=1), spread, square)

    @property
    def variance(self) -> Float[np.ndarray, " unit"]:
        """Σ(z − z̄)² of each unit; 0 where it is constant but for rounding."""
        found = self.square - self.sum**2 / np.maximum(self.n, 1)
        return np.where(_varies(found, self.square), found, 0.0)

    def variables(self) -> dict[str, Any]:
        variance = self.variance
        varies = variance > 0
        level_r2 = np.full(len(self.sizes), np.nan)
        if varies.any():
            level_r2 = 1 - self.squared_error[:, varies].sum(axis=1) / variance[varies].sum()
        unit_cosine = cosine(self.cross, self.square, self.guessed_square)
        return {
            "r2": level_r2[-1],
            "unit_r2": (names.UNIT, _r2(self.squared_error[-1], variance, self.square)),
            "level_r2": ("matryoshka_level", level_r2),
            "level_size": ("matryoshka_level", self.sizes),
            "unit_cosine": (names.UNIT, unit_cosine),
            "bin_cosine": (names.TIME, self.bin_cosine),
        }

    def more_variables(self) -> dict[str, Any]:
        """R² of each bin, and what is left of the distributions over bins and units: their means."""
        unit_r2 = _r2(self.squared_error[-1], self.variance, self.square)
        unit_cosine = cosine(self.cross, self.square, self.guessed_square)
        return {
            "bin_r2": (names.TIME, self.bin_r2),
            "bin_r2_mean": _over(np.mean, self.bin_r2),
            "bin_r2_median": _over(np.median, self.bin_r2),
            "bin_cosine_mean": _over(np.mean, self.bin_cosine),
            "unit_r2_mean": _over(np.mean, unit_r2),
            "unit_r2_median": _over(np.median, unit_r2),
            "unit_cosine_mean": _over(np.mean, unit_cosine),
        }


class Sparsity:
    """How many latents are active, and how often each is."""

    ALWAYS_ON = 0.5
    """Share of bins above which a latent is active too often to be called sparse."""

    def __init__(self, coder: SparseCoder, n_bins: int) -> None:
        self.l0 = np.zeros(n_bins, dtype=np.int64)
        self.used = np.zeros(coder.n_latents)
        self.done = 0

    def add(self, piece: Scored) -> None:
        active = piece.activation > 0
        self.l0[self.done : self.done + len(active)] = active.sum(axis=1)
        self.used += active.sum(axis=0)
        self.done += len(active)

    def variables(self) -> dict[str, Any]:
        density = self.used / max(self.done, 1)
        return {
            "l0": (names.TIME, self.l0),
            "density": (names.LATENT, density),
            "dead": (names.LATENT, density == 0),
            "always_on": (names.LATENT, density > self.ALWAYS_ON),
        }

    def more_variables(self) -> dict[str, Any]:
        share = self.l0.sum() / max(self.done * len(self.used), 1)
        return {"nonzero_ratio": share if self.done else np.nan}


def cosine(cross: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Σab / √(Σa²·Σb²); NaN where either is zero throughout."""
    length = np.sqrt(first * second)
    return np.divide(cross, length, out=np.full(length.shape, np.nan), where=length > 0)


def _varies(variance: np.ndarray, square: np.ndarray) -> np.ndarray:
    return variance > 1e-9 * np.maximum(square, 1e-12)


def _r2(squared_error: np.ndarray, variance: np.ndarray, square: np.ndarray) -> np.ndarray:
    """1 − error / variance; NaN where there is no variance but for rounding."""
    share = np.full(variance.shape, np.nan)
    np.divide(squared_error, variance, out=share, where=_varies(variance, square))
    return 1 - share


def _over(statistic: Any, values: np.ndarray) -> float:
    """A statistic of the values that are defined; NaN where none is."""
    known = values[np.isfinite(values)]
    return float(statistic(known)) if len(known) else np.nan
