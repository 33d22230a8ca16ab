"""``nldisco-placecells``: four overlapping place cells among 96 noise units on a 1-m track.

Bhagat et al. 2025's simulation, reproduced to the bit: motion and spikes have the published
SHA-256 (a golden test), so that recovery can be compared with their table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.simulate.contents import Contents, Signal

N_STEPS = 60_000
DT = 0.01
BASELINE_HZ = 0.1
N_NOISE = 96


@dataclass(frozen=True)
class Field:
    """A place field: a Gaussian with its own width on either side of the centre."""

    centre: float
    """m."""
    left: float
    """Standard deviation (m) before the centre."""
    right: float
    """Standard deviation (m) from the centre on."""
    peak: float
    """Hz above the baseline."""

    def shape(self, position: np.ndarray) -> np.ndarray:
        """The field's profile at each position, 1 at its centre."""
        width = np.where(position < self.centre, self.left, self.right)
        return np.exp(-0.5 * ((position - self.centre) / width) ** 2)


FIELDS = {
    "overlapping": (
        Field(0.2, 0.05, 0.10, 10.0),
        Field(0.4, 0.10, 0.05, 28.0),
        Field(0.7, 0.14, 0.14, 20.0),
        Field(0.7, 0.06, 0.06, 20.0),
    ),
    "separate": (
        Field(0.2, 0.05, 0.10, 10.0),
        Field(0.4, 0.10, 0.05, 28.0),
        Field(0.6, 0.07, 0.07, 20.0),
        Field(0.8, 0.07, 0.07, 20.0),
    ),
}


@dataclass(frozen=True)
class PlaceCells:
    """The simulated recording: units 0-3 are the place cells, the rest is noise."""

    spikes: np.ndarray
    """(unit, time) bool: at most one spike per 10-ms step."""
    positions: np.ndarray
    """(time,) m, at the start of each step."""
    velocities: np.ndarray
    """(time,) m/s."""
    fields: tuple[Field, ...]
    dt: float = DT

    def contents(self) -> Contents:
        """What an NWB file of this simulation holds.

        Spikes stand in the middle of their 10-ms step, never on a bin edge. The units say which of
        them are place cells and where their fields lie.
        """
        n_noise = len(self.spikes) - len(self.fields)
        return Contents(
            identifier="nldisco-placecells",
            description="four place cells among 96 noise units (simulated)",
            spike_times=[(np.flatnonzero(row) + 0.5) * self.dt for row in self.spikes],
            duration=self.spikes.shape[1] * self.dt,
            unit_columns={
                "cell_type": ["place"] * len(self.fields) + ["noise"] * n_noise,
                "field_centre": [one.centre for one in self.fields] + [float("nan")] * n_noise,
            },
            signals=(
                Signal(
                    "position", self.positions, "meters",
                    "distance from the start of the linear track", 0.0, 1 / self.dt,
                ),
            ),
        )  # fmt: skip


def simulate_placecells(variant: str = "overlapping") -> PlaceCells:
    """Make the recording; the seeds are part of the published definition and cannot be chosen.

    Args:
        variant: 'overlapping' (two cells share a centre) or 'separate'.

    Raises:
        BadInput: there is no such variant.
    """
    if variant not in FIELDS:
        raise BadInput(f"variant is {variant!r}; choose one of {', '.join(FIELDS)}")
    fields = FIELDS[variant]
    positions, velocities = _motion()
    rates = np.stack([BASELINE_HZ + field.peak * field.shape(positions) for field in fields])
    place = np.random.default_rng(123).random((len(fields), N_STEPS)) < rates * DT
    noise_rates = np.random.default_rng(0).uniform(1.0, 5.0, N_NOISE)
    noise = np.random.default_rng(456).random((N_NOISE, N_STEPS)) < noise_rates[:, None] * DT
    return PlaceCells(np.concatenate([place, noise]), positions, velocities, fields)


def _motion() -> tuple[np.ndarray, np.ndarray]:
    """An Ornstein-Uhlenbeck velocity (θ = 1/s, σ = 0.4), reflected at both ends of the track."""
    noise = np.random.default_rng(42).standard_normal(N_STEPS - 1)
    positions, velocities = np.empty(N_STEPS), np.empty(N_STEPS)
    x, v = 0.5, 0.0
    positions[0], velocities[0] = x, v
    for step, kick in enumerate(noise, start=1):
        v = v * (1 - DT) + 0.4 * np.sqrt(DT) * kick  # the order of rounding is part of the hash
        x = x + v * DT
        if x < 0.0:
            x, v = -x, -v
        elif x > 1.0:
            x, v = 2.0 - x, -v
        positions[step], velocities[step] = x, v
    return positions, velocities
