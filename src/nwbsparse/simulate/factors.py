"""``factors``: stimuli made of many sparse factors, more of them than a network's layer has dimensions.

Each presentation holds a few of the factors and every unit responds to some of them. A network that is
to tell from the activity which were there, through a layer narrower than the number of factors, has to
put several of them on each dimension: superposition, where a rotation such as PCA cannot separate them
and a sparse overcomplete dictionary can.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nwbsparse.simulate.bounds import refuse_outside
from nwbsparse.simulate.calcium import fluorescence, over_presentations, presentations
from nwbsparse.simulate.contents import Contents, Imaging, Intervals, Table

PRESENTED, PAUSE, LEAD = 1.0, 0.5, 5.0
"""s: a stimulus, the grey after it, the grey before the first and after the last."""
FACTORS_PER_UNIT = 5
"""Factors that drive each unit."""


@dataclass(frozen=True)
class FactorSession:
    """One animal before stimuli made of factors."""

    name: str
    dff: np.ndarray
    """(frame, unit) float32 ΔF/F."""
    rate: float
    """Frames per second."""
    spans: np.ndarray
    """(trial, 2) s."""
    shown: np.ndarray
    """(trial, factor) bool: which factors a stimulus had."""
    weights: np.ndarray
    """(factor, unit): what each factor drives each unit with; 0 for most."""

    def contents(self) -> Contents:
        """What an NWB file of this session holds: a column per factor says where it was shown."""
        n_factors = self.shown.shape[1]
        columns = {factor_name(factor): self.shown[:, factor] for factor in range(n_factors)}
        return Contents(
            identifier=self.name,
            description="stimuli made of sparse factors, calcium imaging (simulated)",
            spike_times=(),
            duration=len(self.dff) / self.rate,
            subject={
                "subject_id": self.name.replace("factors", "mouse"),
                "species": "Mus musculus",
            },
            imaging=Imaging(self.dff, self.rate, region="VISp", indicator="GCaMP6f"),
            intervals=(
                Intervals(
                    "stimuli", "which factors were shown", self.spans, columns, is_stimulus=True
                ),
            ),
            tables=(
                Table(
                    "factors",
                    "planted factors: the weight of each ROI",
                    {"unit_weights": ("weight of each row of the ROIs", self.weights)},
                ),
            ),
        )


def factor_name(factor: int) -> str:
    """The column of a factor, counted from 0."""
    return f"factor_{factor + 1}"


def simulate_factors(
    *,
    seed: int = 0,
    session: int | None = None,
    n_sessions: int = 4,
    n_factors: int = 40,
    n_active: int = 3,
    n_units: int = 48,
    n_trials: int = 1000,
    frame_rate: float = 10.0,
    noise: float = 0.2,
) -> FactorSession | tuple[FactorSession, ...]:
    """Show stimuli that are each made of a few of many factors.

    Args:
        seed: of everything random.
        session: make this one alone, counted from 0; None: all. A session is the same either way.
        n_sessions: animals, each with units of its own.
        n_factors: of the stimuli.
        n_active: factors of each stimulus.
        n_units: ROIs of each session.
        n_trials: presentations in each session.
        frame_rate: Hz.
        noise: standard deviation (ΔF/F) of what no stimulus made, part of it common to the units.

    Raises:
        BadInput: a number is out of its bounds.
    """
    refuse_outside(
        "factors",
        seed=(seed, 0, math.inf),
        session=(0 if session is None else session, 0, n_sessions - 1),
        n_sessions=(n_sessions, 1, 1000),
        n_factors=(n_factors, FACTORS_PER_UNIT, 10_000),
        n_active=(n_active, 1, n_factors - 1),
        n_units=(n_units, 2, 10_000),
        n_trials=(n_trials, 10, 1_000_000),
        frame_rate=(frame_rate, 4.0, 100.0),
        noise=(noise, 0.0, 100.0),
    )
    given = (n_factors, n_active, n_units, n_trials, frame_rate, noise)
    numbers = range(n_sessions) if session is None else (session,)
    made = tuple(_session(seed, number, *given) for number in numbers)
    return made if session is None else made[0]


def _session(
    seed: int,
    number: int,
    n_factors: int,
    n_active: int,
    n_units: int,
    n_trials: int,
    frame_rate: float,
    noise: float,
) -> FactorSession:
    rng = np.random.default_rng([seed, number])
    weights = np.zeros((n_factors, n_units))
    for unit in range(
        n_units
    ):  # the factors that drive the fewest so far, so that none drives no unit
        driven = np.count_nonzero(weights, axis=1) + rng.random(n_factors)
        factors = np.argsort(driven)[:FACTORS_PER_UNIT]
        weights[factors, unit] = rng.lognormal(0, 0.5, FACTORS_PER_UNIT)
    order = rng.random((n_trials, n_factors)).argsort(axis=1)
    shown = (
        order < n_active
    )  # ranks of random numbers: any n_active factors are as likely as any others
    size = rng.lognormal(-0.02, 0.2, shown.shape)
    response = (shown * size) @ weights
    spans = presentations(rng, n_trials, presented=PRESENTED, pause=PAUSE, lead=LEAD)
    n_frames = round((spans[-1, 1] + LEAD) * frame_rate)
    drive = over_presentations(response, spans, (1.0,), n_frames, rate=frame_rate)
    return FactorSession(
        name=f"factors-{seed}-{number:02d}",
        dff=fluorescence(rng, drive, rate=frame_rate, noise=noise),
        rate=frame_rate,
        spans=spans,
        shown=shown,
        weights=weights,
    )
