"""``assemblies``: groups of units that fire together, some by place and some by movement.

An animal runs laps on a circular track and pauses now and then. Each assembly is driven by one
thing: the place on the track, the speed of running, or the start of a run. How strongly varies from
moment to moment and drifts over minutes, for each assembly by itself; units are weak, Poisson, and
many belong to several assemblies, so that no single unit tells what its assemblies do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nwbsparse.simulate.behaviour import Runs, run_laps
from nwbsparse.simulate.bounds import refuse_outside
from nwbsparse.simulate.contents import Contents, Intervals, Signal, Table, spread_spikes

PLACE, MOVEMENT = "place", "movement"
ANGLE, SPEED, STARTS = "angle", "speed", "starts"

VARIABILITY, MOMENT = 0.7, 0.4
"""Spread of an assembly's log gain from moment to moment, and how long (s) a moment is."""
SLOW = 60.0
"""Time scale (s) of the drift of assemblies and units."""
WIDTH = 0.35
"""Mean width (rad) of a place field: the drive is ``exp((cos(angle − preferred) − 1) / width²)``."""
WEIGHTS = (0.4, 1.6)
"""Smallest and largest weight of a unit in its assembly, before the unit's own gain."""
GAINS = (0.5, 1.5)
"""Smallest and largest gain of a unit: how strongly it answers to all that drives it."""
ONSET = 0.6
"""Time constant (s) with which the drive of an assembly of starts fades after a start."""


@dataclass(frozen=True)
class Assemblies:
    """Counts with the assemblies, their drive and the behaviour that made them."""

    counts: np.ndarray
    """(time, unit) in the smallest unsigned type that holds the largest count."""
    dictionary: np.ndarray
    """(assembly, unit) float64, rows of unit length, non-negative: what an assembly adds to counts."""
    drive: np.ndarray
    """(time, assembly) float32, 1 where the assembly is fully driven and at its mean gain."""
    kind: tuple[str, ...]
    """'place' or 'movement' of each assembly."""
    follows: tuple[str, ...]
    """What drives each assembly: 'angle', 'speed' or 'starts'."""
    preferred_angle: np.ndarray
    """(assembly,) rad, where an assembly of places is driven most; NaN for the others."""
    speed_threshold: np.ndarray
    """(assembly,) rad/s from which on an assembly of speed is driven; NaN for the others."""
    speed_slope: np.ndarray
    """(assembly,) drive per rad/s above the threshold; NaN for all but those of speed."""
    position: np.ndarray
    """(time,) rad from 0 to 2π: the animal's angle on the track at the middle of each bin."""
    speed: np.ndarray
    """(time,) rad/s, never negative: laps go one way."""
    laps: np.ndarray
    """(lap, 2) s, start and stop of each whole lap."""
    bin_width: float
    """s."""

    def contents(self) -> Contents:
        """What an NWB file of this simulation holds."""
        middle = self.bin_width / 2
        clock = {"start": middle, "rate": 1 / self.bin_width}
        unit_weights = "what the assembly adds to the counts of each unit (rows of unit length)"
        return Contents(
            identifier="assemblies",
            description=f"{len(self.kind)} assemblies of {self.counts.shape[1]} units on a "
            "circular track (simulated)",
            spike_times=spread_spikes(self.counts, self.bin_width),
            duration=len(self.counts) * self.bin_width,
            signals=(
                Signal("angle", self.position, "radians", "place on the circular track", **clock),
                Signal("speed", self.speed, "rad/s", "running speed along the track", **clock),
            ),
            intervals=(
                Intervals(
                    "laps", "whole laps on the circular track", self.laps,
                    {"number": np.arange(1, len(self.laps) + 1)},
                ),
            ),
            tables=(
                Table(
                    "assemblies",
                    "planted assemblies, one a row",
                    {
                        "unit_weights": (unit_weights, self.dictionary),
                        "kind": ("place or movement", list(self.kind)),
                        "follows": ("what drives the assembly", list(self.follows)),
                        "preferred_angle": ("rad, of assemblies of places", self.preferred_angle),
                        "speed_threshold": (
                            "rad/s from which on it is driven, of assemblies of speed",
                            self.speed_threshold,
                        ),
                        "speed_slope": (
                            "drive per rad/s above the threshold, of assemblies of speed",
                            self.speed_slope,
                        ),
                    },
                ),
            ),
            truth=(
                Signal(
                    "drive", self.drive, "a.u.", "drive of each assembly (row of 'assemblies')",
                    **clock,
                ),
            ),
        )  # fmt: skip


def simulate_assemblies(
    *,
    seed: int = 0,
    n_assemblies: int = 12,
    n_units: int = 60,
    units_per_assembly: int = 8,
    duration: float = 600.0,
    bin_width: float = 0.02,
    background: float = 0.8,
    peak: float = 14.0,
    drift: float = 0.2,
) -> Assemblies:
    """Make counts of units in overlapping assemblies that follow place and movement.

    A quarter of the assemblies follow movement: speed and starts of runs in turn. Units are dealt to
    assemblies so that all have about equally many; with the defaults every unit is in one or two.

    Args:
        seed: of everything random.
        n_assemblies: planted assemblies.
        n_units: units of the population.
        units_per_assembly: how many units each assembly drives.
        duration: seconds.
        bin_width: seconds.
        background: Hz of each unit without any drive.
        peak: Hz that a fully driven assembly adds to a unit of weight and gain 1.
        drift: spread of the log gain of each assembly and each unit over minutes.

    Raises:
        BadInput: a number is out of its bounds.
    """
    refuse_outside(
        "assemblies",
        seed=(seed, 0, math.inf),
        n_assemblies=(n_assemblies, 1, 1000),
        n_units=(n_units, 2, 100_000),
        units_per_assembly=(units_per_assembly, 1, n_units),
        bin_width=(bin_width, 0.001, 1.0),
        duration=(duration, 10.0, 86_400.0),
        background=(background, 0.0, 500.0),
        peak=(peak, 0.0, 500.0),
        drift=(drift, 0.0, 2.0),
    )
    rng = np.random.default_rng(seed)
    n_bins = round(duration / bin_width)
    runs = run_laps(rng, n_bins=n_bins, bin_width=bin_width)
    n_movement = round(n_assemblies / 4)
    n_place = n_assemblies - n_movement
    follows = [ANGLE] * n_place + [(SPEED, STARTS)[at % 2] for at in range(n_movement)]
    tuning, facts = _tuning(rng, follows, runs, bin_width)
    shape = (n_bins, n_assemblies)
    moments = VARIABILITY * _wander(rng, shape, MOMENT / bin_width) - VARIABILITY**2 / 2
    slow = drift * _wander(rng, shape, SLOW / bin_width) - drift**2 / 2
    drive = (tuning * np.exp(moments + slow)).astype(np.float32)
    weights = _weights(rng, n_assemblies, n_units, units_per_assembly)
    added = (peak * bin_width) * (drive @ weights.astype(np.float32))
    unit_drift = drift * _wander(rng, (n_bins, n_units), SLOW / bin_width) - drift**2 / 2
    counts = rng.poisson(background * bin_width + added * np.exp(unit_drift))
    return Assemblies(
        counts=counts.astype(np.min_scalar_type(int(counts.max()))),
        dictionary=weights / np.linalg.norm(weights, axis=1, keepdims=True),
        drive=drive,
        kind=tuple(PLACE if one == ANGLE else MOVEMENT for one in follows),
        follows=tuple(follows),
        position=runs.position,
        speed=runs.speed,
        laps=runs.laps,
        bin_width=bin_width,
        **facts,
    )


def _tuning(
    rng: np.random.Generator, follows: list[str], runs: Runs, bin_width: float
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(time, assembly) drive at mean gain, and the numbers that describe it."""
    n, n_place = len(follows), follows.count(ANGLE)
    # evenly about the track but for some jitter: no stretch of it is left to chance
    places = (np.arange(n_place) + rng.uniform(-0.3, 0.3, n_place)) * 2 * np.pi / max(n_place, 1)
    angle, threshold, slope = (np.full(n, np.nan) for _ in range(3))
    angle[:n_place] = (places + rng.uniform(0, 2 * np.pi)) % (2 * np.pi)
    tuning = np.empty((len(runs.speed), n))
    for at, what in enumerate(follows):
        if what == ANGLE:
            width = WIDTH * rng.uniform(0.6, 1.4)
            tuning[:, at] = np.exp((np.cos(runs.position - angle[at]) - 1) / width**2)
        elif what == SPEED:
            threshold[at] = np.quantile(runs.speed, rng.uniform(0.55, 0.75))
            slope[at] = 1 / max(np.quantile(runs.speed, 0.95) - threshold[at], 1e-9)
            tuning[:, at] = slope[at] * np.maximum(runs.speed - threshold[at], 0)
        else:
            since = (np.arange(len(runs.speed)) - runs.last_start) * bin_width
            tuning[:, at] = np.where(runs.last_start >= 0, np.exp(-since / ONSET), 0.0)
    return tuning, {
        "preferred_angle": angle, "speed_threshold": threshold, "speed_slope": slope,
    }  # fmt: skip


def _weights(rng: np.random.Generator, n: int, n_units: int, per_assembly: int) -> np.ndarray:
    """(assembly, unit), each assembly's units those that are in the fewest so far."""
    weights = np.zeros((n, n_units))
    member = np.zeros(n_units, dtype=np.int64)
    for assembly in range(n):
        units = np.lexsort((rng.random(n_units), member))[:per_assembly]
        weights[assembly, units] = rng.uniform(*WEIGHTS, per_assembly)
        member[units] += 1
    return weights * rng.uniform(*GAINS, n_units)


def _wander(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    """(time, channel) noise smoothed by a Gaussian of ``scale`` bins, of standard deviation 1.

    In the Fourier domain: over minutes the Gaussian is nearly as long as the recording.
    """
    frequency = np.fft.rfftfreq(shape[0])[:, None]
    spectrum = np.fft.rfft(rng.standard_normal(shape), axis=0)
    spectrum *= np.exp(-2 * (np.pi * scale * frequency) ** 2)
    smooth = np.fft.irfft(spectrum, n=shape[0], axis=0)
    smooth -= smooth.mean(axis=0)
    return smooth / np.maximum(smooth.std(axis=0), 1e-12)
