"""Planted assemblies through the same path as a lab's recording: found, and named by what they follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.recovery import matching_rows
from nwbsparse.options.config import Config
from nwbsparse.progress import Progress, silent
from nwbsparse.runs.demo.methods import ALIKE, Matched, compare, rows_of
from nwbsparse.runs.run import Notify, Run, run
from nwbsparse.simulate.assemblies import ANGLE, SPEED, Assemblies, simulate_assemblies
from nwbsparse.simulate.nwb import write_simulation

ASSEMBLIES = Config(name="assemblies", bin_width=0.02)
"""Defaults, on the bins of the simulation."""
DURATION = 300.0
NEAR = 0.5
"""Radians by which a latent's preferred place may differ from the planted one to be named right."""


@dataclass(frozen=True)
class Named:
    """One planted assembly, and the latent that stands for it."""

    follows: str
    """What drives it: 'angle', 'speed' or 'starts' (of runs; no variable of the file)."""
    planted: str
    """The same in words."""
    latent: int | None
    cosine: float
    said: str
    """What is said of the latent; '' where it is said to follow nothing."""
    right: bool
    """Whether that is what drives it; of starts, whether it is said to follow speed or nothing."""


@dataclass(frozen=True)
class AssembliesDemo:
    """A run with defaults, what it recovered, and what other methods do."""

    run: Run
    methods: Mapping[str, Matched]
    named: tuple[Named, ...]


def assemblies_demo(
    folder: Path, *, seed: int = 0, notify: Notify = lambda _: None, progress: Progress = silent
) -> AssembliesDemo:
    """Write the assemblies as NWB, run everything with defaults, see what was found and said."""
    truth = simulate_assemblies(duration=DURATION)
    source = write_simulation(truth, folder / "assemblies.nwb", overwrite=True)
    notify(
        f"simulated {len(truth.kind)} assemblies of {truth.counts.shape[1]} weak units, "
        f"{DURATION / 60:g} minutes of laps: {source}"
    )
    config = ASSEMBLIES.replace(seed=seed)
    done = run(
        source, folder / "run-assemblies", config, overwrite=True, progress=progress, notify=notify
    )
    coder = done.results.coder
    methods = compare(coder, done.binned, truth.dictionary, seed=seed)
    return AssembliesDemo(
        done, methods, name_assemblies(truth, rows_of(coder), done.results.attribution)
    )


def name_assemblies(
    truth: Assemblies, rows: np.ndarray, attribution: xr.Dataset
) -> tuple[Named, ...]:
    """Which row stands for each planted assembly, and whether what is said of it is what drives it."""
    row, cosine = matching_rows(rows, truth.dictionary)
    status = attribution["association_status"].values
    made = []
    for at, follows in enumerate(truth.follows):
        latent = int(row[at]) if row[at] >= 0 and cosine[at] >= ALIKE else None
        said = ""
        if latent is not None and status[latent] == "found":
            said = str(attribution["best_variable"].values[latent])
        where = float(truth.preferred_angle[at])
        right = said in ("", SPEED) if follows not in (ANGLE, SPEED) else said == follows
        if right and follows == ANGLE and latent is not None:
            preferred = _preferred(attribution, latent)
            right = bool(abs(np.angle(np.exp(1j * (preferred - where)))) <= NEAR)
            said = f"{said}, most at {preferred % (2 * np.pi):.1f} rad"
        planted = f"angle, most at {where % (2 * np.pi):.1f} rad" if follows == ANGLE else follows
        made.append(
            Named(follows, planted, latent, float(cosine[at]), said, latent is not None and right)
        )
    return tuple(made)


def _preferred(attribution: xr.Dataset, latent: int) -> float:
    curve = attribution["tuning.angle"].isel({names.LATENT: latent})
    weight = np.nan_to_num(curve.values)
    angles = curve[curve.dims[0]].values
    return float(np.angle((weight * np.exp(1j * angles)).sum()))
