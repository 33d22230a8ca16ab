"""``orientation``: drifting gratings before mice of several genotypes, imaged as the Allen Institute does.

One session is one mouse. What its cells are like depends on its Cre line: when within a presentation
they respond, and how sharply they are tuned. All lines respond equally strongly on average, so that a
session's line is in the course of its population responses and in no mean of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nwbsparse.simulate.bounds import refuse_outside
from nwbsparse.simulate.calcium import fluorescence, over_presentations, presentations, wander
from nwbsparse.simulate.contents import Contents, Imaging, Intervals, Signal, Table

DIRECTIONS = np.arange(8) * 45.0
"""Degrees."""
TEMPORAL_FREQUENCIES = np.array([1.0, 2.0, 4.0])
"""Hz."""
PRESENTED, PAUSE, LEAD = 2.0, 1.0, 5.0
"""s: a grating, the grey after it, the grey before the first and after the last."""
OTHER_FREQUENCY = 0.1
"""Response to a temporal frequency that is not the preferred one."""


@dataclass(frozen=True)
class CellClass:
    """What the cells of a Cre line have in common."""

    line: str
    course: tuple[float, ...]
    """Drive in each quarter of a presentation; mean 1."""
    sharpness: float
    """Concentration κ of the tuning to direction (von Mises)."""


CLASSES = (
    CellClass("Cux2-CreERT2", (1.0, 1.0, 1.0, 1.0), 3.0),
    CellClass("Rorb-IRES2-Cre", (3.1, 0.5, 0.2, 0.2), 4.5),
    CellClass("Scnn1a-Tg3-Cre", (0.1, 0.5, 1.2, 2.2), 2.0),
    CellClass("Rbp4-Cre_KL100", (0.3, 2.6, 0.9, 0.2), 3.5),
    CellClass("Nr5a1-Cre", (1.9, 0.1, 0.1, 1.9), 2.5),
    CellClass("Ntsr1-Cre_GN220", (0.1, 1.9, 0.1, 1.9), 4.0),
)


@dataclass(frozen=True)
class OrientationSession:
    """One mouse before gratings."""

    name: str
    cell_class: CellClass
    dff: np.ndarray
    """(frame, unit) float32 ΔF/F."""
    rate: float
    """Frames per second."""
    spans: np.ndarray
    """(trial, 2) s."""
    direction: np.ndarray
    """(trial,) degrees; NaN in blank sweeps."""
    temporal_frequency: np.ndarray
    """(trial,) Hz; NaN in blank sweeps."""
    preferred_direction: np.ndarray
    """(unit,) degrees."""
    preferred_frequency: np.ndarray
    """(unit,) Hz."""
    direction_share: np.ndarray
    """(unit,) 1: driven by the direction alone; 0: by the temporal frequency alone."""
    gain: np.ndarray
    """(unit,)."""
    running: np.ndarray
    """(frame,) cm/s."""
    pupil: np.ndarray
    """(frame,) pupil area, standard deviations from its mean."""

    def contents(self) -> Contents:
        """What an NWB file of this session holds.

        As in files of the Allen Institute the column ``orientation`` goes round to 315 degrees: it is the
        direction in which the grating drifts.
        """
        columns = {
            "orientation": self.direction,
            "temporal_frequency": self.temporal_frequency,
            "blank_sweep": np.isnan(self.direction),
        }
        kind = self.cell_class
        return Contents(
            identifier=self.name,
            description="drifting gratings, calcium imaging (simulated)",
            spike_times=(),
            duration=len(self.dff) / self.rate,
            subject={
                "subject_id": self.name.replace("orientation", "mouse"),
                "species": "Mus musculus",
                "genotype": kind.line,
            },
            imaging=Imaging(self.dff, self.rate, region="VISp", indicator="GCaMP6f"),
            unit_columns={
                "preferred_direction": self.preferred_direction,
                "preferred_temporal_frequency": self.preferred_frequency,
                "direction_share": self.direction_share,
                "gain": self.gain,
            },
            signals=(
                Signal("running_speed", self.running, "cm/s", "on a wheel", 0.0, self.rate),
                Signal("pupil_area", self.pupil, "z", "area of the pupil", 0.0, self.rate),
            ),
            intervals=(
                Intervals(
                    "drifting_gratings", "drifting gratings and blank sweeps", self.spans, columns,
                    is_stimulus=True,
                ),
            ),
            tables=(
                Table(
                    "cell_class",
                    "what the cells of this mouse have in common",
                    {
                        "genotype": ("Cre line", [kind.line]),
                        "course": (
                            "drive in each quarter of a presentation (mean 1)",
                            np.array([kind.course]),
                        ),
                        "sharpness": (
                            "concentration of the tuning to direction (von Mises)",
                            np.array([kind.sharpness]),
                        ),
                    },
                ),
            ),
        )  # fmt: skip


def simulate_orientation(
    *,
    seed: int = 0,
    session: int | None = None,
    n_sessions: int = 12,
    n_classes: int = 4,
    n_units: int = 48,
    repeats: int = 12,
    frame_rate: float = 10.0,
    noise: float = 0.4,
) -> OrientationSession | tuple[OrientationSession, ...]:
    """Let mice of several Cre lines look at drifting gratings: 8 directions, 3 temporal frequencies.

    Args:
        seed: of everything random.
        session: make this one alone, counted from 0; None: all. A session is the same either way.
        n_sessions: mice; their lines take turns.
        n_classes: Cre lines, at most 6.
        n_units: ROIs of each session.
        repeats: presentations of each direction at each temporal frequency, and blank sweeps.
        frame_rate: Hz.
        noise: standard deviation (ΔF/F) of what no grating made, part of it common to the units.

    Raises:
        BadInput: a number is out of its bounds.
    """
    refuse_outside(
        "orientation",
        seed=(seed, 0, math.inf),
        session=(0 if session is None else session, 0, n_sessions - 1),
        n_sessions=(n_sessions, 1, 1000),
        n_classes=(n_classes, 1, len(CLASSES)),
        n_units=(n_units, 2, 10_000),
        repeats=(repeats, 1, 1000),
        frame_rate=(frame_rate, 4.0, 100.0),
        noise=(noise, 0.0, 100.0),
    )
    given = (n_units, repeats, frame_rate, noise)
    numbers = range(n_sessions) if session is None else (session,)
    made = tuple(_session(seed, number, CLASSES[number % n_classes], *given) for number in numbers)
    return made if session is None else made[0]


def _session(
    seed: int,
    number: int,
    cell_class: CellClass,
    n_units: int,
    repeats: int,
    frame_rate: float,
    noise: float,
) -> OrientationSession:
    rng = np.random.default_rng([seed, number])
    pairs = np.array([(d, f) for d in DIRECTIONS for f in TEMPORAL_FREQUENCIES])
    shown = np.concatenate([np.tile(pairs, (repeats, 1)), np.full((repeats, 2), np.nan)])
    shown = shown[rng.permutation(len(shown))]
    spans = presentations(rng, len(shown), presented=PRESENTED, pause=PAUSE, lead=LEAD)
    preferred = rng.uniform(0, 360, n_units)
    opposite = rng.uniform(0.1, 0.5, n_units)
    frequency = rng.choice(TEMPORAL_FREQUENCIES, n_units)
    share = rng.beta(0.6, 0.6, n_units)
    gain = rng.lognormal(0, 0.4, n_units)
    n_frames = round((spans[-1, 1] + LEAD) * frame_rate)
    arousal = wander(rng, n_frames, 1, rate=frame_rate, scale=10.0)[:, 0]
    running = np.maximum(
        8 * arousal + 2 * wander(rng, n_frames, 1, rate=frame_rate, scale=0.5)[:, 0], 0
    )
    pupil = 0.8 * arousal + 0.6 * wander(rng, n_frames, 1, rate=frame_rate, scale=2.0)[:, 0]

    tuned = _direction_tuning(shown[:, 0], preferred, opposite, cell_class.sharpness)
    is_preferred = shown[:, 1, None] == frequency
    liked = np.where(is_preferred, 1.0, OTHER_FREQUENCY) * np.isfinite(shown[:, 1, None])
    response = gain * (share * tuned + (1 - share) * liked)
    response = response * rng.lognormal(
        -0.02, 0.2, (len(shown), 1)
    )  # from trial to trial, all units alike
    drive = over_presentations(response, spans, cell_class.course, n_frames, rate=frame_rate)
    drive *= np.exp(0.1 * arousal)[:, None]
    return OrientationSession(
        name=f"orientation-{seed}-{number:02d}",
        cell_class=cell_class,
        dff=fluorescence(rng, drive, rate=frame_rate, noise=noise),
        rate=frame_rate,
        spans=spans,
        direction=shown[:, 0],
        temporal_frequency=shown[:, 1],
        preferred_direction=preferred,
        preferred_frequency=frequency,
        direction_share=share,
        gain=gain,
        running=running,
        pupil=pupil,
    )


def _direction_tuning(
    shown: np.ndarray, preferred: np.ndarray, opposite: np.ndarray, sharpness: float
) -> np.ndarray:
    """(trial, unit): 1 at the preferred direction, ``opposite`` at the one against it; 0 in blanks."""
    apart = np.deg2rad(shown[:, None] - preferred)
    towards = np.exp(sharpness * (np.cos(apart) - 1))
    against = np.exp(sharpness * (-np.cos(apart) - 1))
    return np.nan_to_num(np.maximum(towards, opposite * against))
