"""``nwbsparse simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nwbsparse.cli.console import new_console


def simulate(
    name: str,
    /,
    *,
    out: Path,
    overwrite: bool = False,
    seed: int | None = None,
    variant: str | None = None,
    gain: float | None = None,
    n_sources: int | None = None,
    units_per_source: int | None = None,
    event_probability: float | None = None,
    baseline: float | None = None,
    n_bins: int | None = None,
    n_assemblies: int | None = None,
    units_per_assembly: int | None = None,
    duration: float | None = None,
    background: float | None = None,
    peak: float | None = None,
    drift: float | None = None,
    n_units: int | None = None,
    bin_width: float | None = None,
    session: int | None = None,
    n_sessions: int | None = None,
    n_classes: int | None = None,
    repeats: int | None = None,
    n_factors: int | None = None,
    n_active: int | None = None,
    n_trials: int | None = None,
    frame_rate: float | None = None,
    noise: float | None = None,
) -> None:
    """Write a recording with known truth as NWB.

    What is planted stands in the file: docs/reference/simulations.md says where. An option that a
    simulation does not have is refused.

    Parameters
    ----------
    name
        nldisco-placecells (four place cells among 96 noise units, on a track of 1 m; published, so
        without a seed), superposition (150 overlapping sources over 100 units), assemblies (12
        assemblies of 60 weak units, most by place on a circular track, some by movement),
        orientation (imaged mice of four Cre lines before drifting gratings) or factors (stimuli that
        are each made of 3 of 40 factors).
    out
        The NWB file to write; of orientation and factors the folder of all sessions, or with --session
        the file of one.
    overwrite
        Replace what is there.
    seed
        All but nldisco-placecells: of everything random (0).
    variant
        nldisco-placecells: overlapping or separate fields (overlapping).
    gain
        superposition: mean spikes that an event adds to each of its units; .6 is weak (2).
    n_sources
        superposition: planted sources (150).
    units_per_source
        superposition: units that each source drives (8).
    event_probability
        superposition: of each source in each bin (.02).
    baseline
        superposition: mean spikes per bin and unit without any event (.02).
    n_bins
        superposition: number of bins (60000).
    n_assemblies
        assemblies: planted assemblies (12).
    units_per_assembly
        assemblies: units that each assembly drives (8).
    duration
        assemblies: seconds (600).
    background
        assemblies: Hz of each unit without any drive (.8).
    peak
        assemblies: Hz that a fully driven assembly adds to a unit of weight and gain 1 (14).
    drift
        assemblies: spread of the log gain of assemblies and units over minutes (.2).
    n_units
        superposition (100), assemblies (60), orientation and factors (48): units of the population.
    bin_width
        superposition, assemblies: seconds (.02).
    session
        orientation, factors: write this one alone, counted from 0 (all).
    n_sessions
        orientation (12), factors (4): sessions, each of an animal of its own.
    n_classes
        orientation: Cre lines, up to 6, which take turns (4).
    repeats
        orientation: presentations of each direction at each temporal frequency, and blank sweeps (12).
    n_factors
        factors: what stimuli can be made of (40).
    n_active
        factors: how many of them each stimulus has (3).
    n_trials
        factors: presentations in each session (1000).
    frame_rate
        orientation, factors: Hz (10).
    noise
        orientation (.4), factors (.2): dF/F that no stimulus made, part of it common to units.
    """
    options = {key: value for key, value in locals().items() if value is not None}
    for own in ("name", "out", "overwrite"):
        del options[own]
    _write(name, out, options, overwrite=overwrite)


def _write(name: str, out: Path, options: dict[str, Any], *, overwrite: bool) -> None:
    from nwbsparse.simulate.catalog import simulation
    from nwbsparse.simulate.contents import Simulated
    from nwbsparse.simulate.nwb import write_sessions, write_simulation

    made = simulation(name).make(options)
    if isinstance(made, Simulated):
        written = [write_simulation(made, out, overwrite=overwrite)]
    else:
        written = write_sessions(made, out, overwrite=overwrite)
    for path in written:
        new_console().print(f"wrote {path}", soft_wrap=True)
