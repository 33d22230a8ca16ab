"""What a recording is too short for: variables that cannot be tested, and how much longer would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.association.design import Design
from nwbsparse.analysis.association.hindrance import too_short
from nwbsparse.analysis.association.label_draws import label_draws
from nwbsparse.analysis.association.memory import memories
from nwbsparse.analysis.association.shifts import LEAST_INDEPENDENT, MEMORIES, longest
from nwbsparse.analysis.association.trials import make_trials
from nwbsparse.analysis.behaviour.coding import Coded, code_variables, frequent
from nwbsparse.analysis.behaviour.event_codes import code_event
from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording
from nwbsparse.analysis.data_check.wording import length, listed, sentences
from nwbsparse.binning.clock import trace_step
from nwbsparse.binning.grid import MIN_BINS, Grid, make_grid
from nwbsparse.binning.observed import suggest_bin_width
from nwbsparse.binning.split import MIN_BLOCK
from nwbsparse.binning.to_bins import variables_beside
from nwbsparse.binning.variables import events_of
from nwbsparse.errors import BadInput
from nwbsparse.io.rules.account import counted
from nwbsparse.options.config import Config

CHECK = "too short"
STEP = 0.1
"""Bins (s) in which the memory of behaviour is measured, where those of the run are not wider: what
changes faster is never too short."""
LEAST_BLOCKS = 3
"""Held-out blocks that there are at least."""


@dataclass(frozen=True)
class Untestable:
    """One variable that latents cannot be compared with, or not with any certainty."""

    variable: str
    why: str
    numbers: dict[str, Any]


def too_short_to_be_told(recording: CheckedRecording) -> list[Finding]:
    """Variables that change too slowly, or in too few trials, for the length of the recording."""
    found = [*_too_few_bins(recording)]
    binned = _behaviour(recording)
    if binned is not None:
        untestable = [one for variable in _coded(binned) if (one := _untestable(variable, binned))]
        found += _cannot_be_tested(untestable)
    return found


def short_blocks(recording: CheckedRecording) -> list[Finding]:
    """Held-out blocks into which slow behaviour does not fit."""
    usual = Config()
    held_out = usual.test * recording.seconds
    if held_out >= LEAST_BLOCKS * MIN_BLOCK:
        return []
    needed = LEAST_BLOCKS * MIN_BLOCK / usual.test
    lasts = held_out / LEAST_BLOCKS
    pieces = ", each in several pieces between pauses" if _is_in_pieces(recording, lasts) else ""
    return [
        Finding(
            CHECK,
            "note",
            f"The recording of {length(recording.seconds)} has held-out blocks of {length(lasts)}{pieces}; "
            f"{MIN_BLOCK:g} s are wanted, so that slow behaviour fits into them. How well units "
            "are reconstructed and told while hidden is known from little.",
            "the whole recording",
            f"{length(needed - recording.seconds)} more would do ({length(needed)} in all).",
            {"seconds": recording.seconds, "needed": needed, "block": lasts},
        )
    ]


def _is_in_pieces(recording: CheckedRecording, lasts: float) -> bool:
    """Whether blocks of such a length hold several stretches between pauses of the recording."""
    lengths = recording.recorded[:, 1] - recording.recorded[:, 0]
    return bool(float(np.median(lengths)) < lasts / 2)


def _too_few_bins(recording: CheckedRecording) -> list[Finding]:
    width, _ = suggest_bin_width(recording.session)
    n = int(np.floor((recording.recorded[:, 1] - recording.recorded[:, 0]) / width + 1e-6).sum())
    if n >= MIN_BINS:
        return []
    return [
        Finding(
            CHECK,
            "problem",
            f"{length(recording.seconds)} hold {counted(n, 'bin')} of {width * 1000:g} ms; {MIN_BINS} "
            "are needed for anything to be learned.",
            "the whole recording",
            f"{length(MIN_BINS * width - recording.seconds)} more would do; else a smaller --bin-width.",
            {"n_bins": n, "needed": MIN_BINS, "bin_width": width},
        )
    ]


def _behaviour(recording: CheckedRecording) -> xr.Dataset | None:
    """Behaviour, trials and events in bins, without any activity; None where nothing can be binned."""
    session = recording.session
    width = max(STEP, suggest_bin_width(session)[0])
    if session.traces is not None:
        width = max(1, round(STEP / trace_step(session.traces))) * trace_step(session.traces)
    try:
        grid: Grid = make_grid(recording.recorded, width)
    except BadInput:
        return None
    variables = variables_beside(session, grid, ())
    coords = {
        names.TIME: grid.centres,
        names.SEGMENT: (names.TIME, grid.segment),
        names.SPLIT: (names.TIME, np.full(grid.size, names.TRAIN, dtype=np.int8)),
    }
    spaces = {dim for one in variables.values() for dim in one.dims if dim != names.TIME}
    sizes = {dim: one.sizes[dim] for one in variables.values() for dim in one.dims}
    coords |= {str(dim): np.arange(sizes[dim]) for dim in spaces}
    return xr.Dataset(variables, coords=coords, attrs={names.BIN_WIDTH: width})


def _coded(binned: xr.Dataset) -> list[Coded]:
    """The variables that latents would be compared with, coded as they are then."""
    events = set(events_of(binned))
    every = np.ones(binned.sizes[names.TIME], dtype=bool)
    around = [frequent(code_event(name, binned), binned, every) for name in sorted(events)]
    plain = [one for one in code_variables(binned) if one.name not in events]
    return [*plain, *(one for one in around if one is not None)]


def _untestable(variable: Coded, binned: xr.Dataset) -> Untestable | None:
    if variable.table is not None and variable.table in binned:
        return _of_trials(variable, binned)
    known = variable.codes[variable.codes >= 0]
    session = np.zeros(len(known), dtype=np.int32)
    own, _ = memories(known, np.zeros((0, variable.size)), session)
    width = float(binned.attrs[names.BIN_WIDTH])
    independent = longest(session) / (MEMORIES * own)
    if independent >= LEAST_INDEPENDENT:
        return None
    needed = MEMORIES * LEAST_INDEPENDENT * own * width
    numbers = {
        "independent": float(independent),
        "memory": own * width,
        "known_seconds": len(known) * width,
        "needed_seconds": needed,
    }
    return Untestable(variable.name, too_short(independent, own * width), numbers)


def _of_trials(variable: Coded, binned: xr.Dataset) -> Untestable | None:
    n_bins = binned.sizes[names.TIME]
    nowhere = np.zeros(n_bins, dtype=np.int32)
    design = Design(
        bins=np.arange(n_bins),
        times=binned[names.TIME].values,
        segment=binned[names.SEGMENT].values,
        session=nowhere,
        trials={},
        basis=np.zeros((n_bins, 0)),
        bin_width=float(binned.attrs[names.BIN_WIDTH]),
        n_draws=1,
        seed=0,
    )
    row = binned[str(variable.table)].values
    trials = make_trials(variable.codes, row, variable.size, design)
    why = trials.hindrance()
    if not why and trials.n:
        why = label_draws(trials, 1, (0, 0), 2).status
    if not why:
        return None
    return Untestable(variable.name, why, {"n_trials": trials.n, "table": str(variable.table)})


def _cannot_be_tested(untestable: list[Untestable]) -> list[Finding]:
    if not untestable:
        return []
    n = len(untestable)
    said = [f"{one.variable}: {one.why}" for one in untestable]
    it = "it" if n == 1 else "them"
    return [
        Finding(
            CHECK,
            "note",
            f"Whether latents follow {counted(n, 'variable')} cannot be tested in a recording of this "
            f"length. {sentences(said, most=4)}.",
            listed([one.variable for one in untestable], most=12),
            f"How closely latents go with {it} is shown all the same, and nothing is claimed. A longer "
            "recording, or several learned together, would do.",
            {
                "variables": [
                    {"variable": one.variable, "why": one.why, **one.numbers} for one in untestable
                ]
            },
        )
    ]
