"""Which time scales of the population come back: power and coherence, never across a gap."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.signal import get_window

from nwbsparse import names
from nwbsparse.analysis.apply.heldout import Scored

SECONDS = 10.0
"""Length of a window where the recording allows it."""
LEAST, MOST = 8, 1024
"""Bins of a window."""
WINDOWS = 8
"""Windows below which a shorter one is taken; the coherence of n windows of noise is 1/n."""
BANDS = {"slow": (0, 1), "delta": (1, 4), "theta": (4, 12), "beta": (12, 30), "gamma": (30, 100)}
"""Hz, lower edge included; the constant part belongs to none."""


class Spectrum:
    """Welch power of target and reconstruction, and their coherence, per unit.

    Hann windows that overlap by half, mean removed, one-sided density as
    ``scipy.signal.welch(scaling="density")``. A window lies within one run of neighbouring bins of
    the part; windows with a bin in which a unit was not observed do not count for that unit.
    Windows last 10 s, or a power of two of bins less where fewer than eight would fit.
    """

    def __init__(
        self, bins: Int[np.ndarray, " bin"], segment: np.ndarray, n_units: int, bin_width: float
    ) -> None:
        self.bin_width = bin_width
        self.segment = segment
        self.length = _window_length(bins, segment, bin_width)
        self.taper = np.asarray(get_window("hann", max(self.length, 1)))
        shape = (self.length // 2 + 1, n_units)
        self.of_target, self.of_guess = np.zeros(shape), np.zeros(shape)
        self.between = np.zeros(shape, dtype=complex)
        self.n_windows = np.zeros(n_units, dtype=np.int64)
        self.held: list[np.ndarray] = [np.empty((0, 3, n_units))]
        self.last = -2

    def add(self, piece: Scored) -> None:
        if not self.length:
            return
        values = np.stack([piece.target, piece.predicted[-1], piece.observed], axis=1)
        before = np.concatenate([[self.last], piece.bins[:-1]])
        starts = np.flatnonzero(
            (piece.bins != before + 1) | (self.segment[piece.bins] != self.segment[before])
        )
        for at, run in enumerate(np.split(values, starts)):
            if at:
                self.held = []  # a run ended: what was too short for a window is lost
            self.held.append(run)
            self._windows()
        self.last = int(piece.bins[-1])

    def _windows(self) -> None:
        """Use the windows that are complete, and keep what the next ones need."""
        held, step = np.concatenate(self.held), self.length // 2
        n = max(0, (len(held) - self.length) // step + 1)
        for start in range(0, n * step, step):
            target, guess, observed = held[start : start + self.length].transpose(1, 0, 2)
            whole = observed.all(axis=0)
            x, y = (_tapered(one, self.taper) * whole for one in (target, guess))
            self.of_target += np.abs(x) ** 2
            self.of_guess += np.abs(y) ** 2
            self.between += np.conj(x) * y
            self.n_windows += whole
        self.held = [held[n * step :]]

    def more_variables(self) -> dict[str, Any]:
        if not self.length:
            return {"spectrum_windows": (names.UNIT, self.n_windows)}
        density = self.bin_width / (self.taper**2).sum() / np.maximum(self.n_windows, 1)
        sides = np.full((len(self.of_target), 1), 2.0)
        sides[0] = 1
        if self.length % 2 == 0:
            sides[-1] = 1
        scale = np.where(self.n_windows > 0, density, np.nan) * sides
        power, guessed = self.of_target * scale, self.of_guess * scale
        both = self.of_target * self.of_guess
        floor = 1e-12 * both.max(axis=0, initial=0.0)
        coherence = np.full(power.shape, np.nan)
        np.divide(np.abs(self.between) ** 2, both, out=coherence, where=both > floor)
        frequency = np.fft.rfftfreq(self.length, self.bin_width)
        bands, unit_error, error = _by_band(frequency, power, guessed)
        dims = ("frequency", names.UNIT)
        return {
            "spectrum": (dims, power),
            "spectrum_reconstruction": (dims, guessed),
            "coherence": (dims, coherence),
            "spectrum_windows": (names.UNIT, self.n_windows),
            "unit_band_error": (("band", names.UNIT), unit_error),
            "band_error": ("band", error),
            "frequency": ("frequency", frequency),
            "band": ("band", np.array(bands, dtype=object)),
        }


def _tapered(values: Float[np.ndarray, "bin unit"], taper: Float[np.ndarray, " bin"]) -> np.ndarray:
    return np.fft.rfft((values - values.mean(axis=0)) * taper[:, None], axis=0)


def _by_band(
    frequency: np.ndarray, power: np.ndarray, guessed: np.ndarray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """(reconstructed − real power) / real power in each band that holds a frequency."""
    found = {
        f"{name} {low}-{high} Hz": (frequency >= low) & (frequency < high) & (frequency > 0)
        for name, (low, high) in BANDS.items()
    }
    kept = [name for name, inside in found.items() if inside.any()]
    real, made = (
        np.array([one[found[name]].sum(axis=0) for name in kept]).reshape(len(kept), -1)
        for one in (power, guessed)
    )
    unit_error = np.full(real.shape, np.nan)
    np.divide(made - real, real, out=unit_error, where=real > 0)
    known = np.isfinite(unit_error)
    total = np.where(known, real, 0.0).sum(axis=1)
    lost = np.where(known, made - real, 0.0).sum(axis=1)
    error = np.full(len(kept), np.nan)
    np.divide(lost, total, out=error, where=total > 0)
    return kept, unit_error, error


def _window_length(bins: np.ndarray, segment: np.ndarray, bin_width: float) -> int:
    """Bins of a window: a power of two; 0 where not even eight of the shortest fit."""
    if not len(bins):
        return 0
    breaks = (np.diff(bins) != 1) | (np.diff(segment[bins]) != 0)
    runs = np.diff(np.concatenate([[0], np.flatnonzero(breaks) + 1, [len(bins)]]))
    length = MOST
    while length >= LEAST:
        fits = np.maximum(0, (runs - length) // (length // 2) + 1).sum()
        if length * bin_width <= SECONDS and fits >= WINDOWS:
            return length
        length //= 2
    return 0
