"""Activity and behaviour in bins that are laid out anew from the start of every trial."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from nwbsparse import names
from nwbsparse.binning.clock import trace_step
from nwbsparse.binning.counts import bins_within, count_spikes, observed_bins
from nwbsparse.binning.grid import Grid
from nwbsparse.binning.observed import observed
from nwbsparse.binning.traces import bin_traces, interpolated
from nwbsparse.binning.variables import AXES, behaviour
from nwbsparse.session import EDGE_TOLERANCE, Session, Traces


@dataclass(frozen=True)
class Windows:
    """Equal runs of bins, one for each trial; they may overlap."""

    starts: np.ndarray
    """(trial,) s: left edge of the first bin."""
    n_bins: int
    bin_width: float

    def layers(self) -> list[tuple[np.ndarray, Grid]]:
        """The trials in as few grids as do it: in each no two windows overlap."""
        length = self.n_bins * self.bin_width
        members: list[list[int]] = []
        ends: list[float] = []
        for trial in np.argsort(self.starts, kind="stable"):
            start = float(self.starts[trial])
            free = (n for n, end in enumerate(ends) if end <= start + EDGE_TOLERANCE)
            layer = next(free, len(ends))
            if layer == len(ends):
                members.append([])
                ends.append(0.0)
            members[layer].append(int(trial))
            ends[layer] = start + length
        made = []
        for one in members:
            n_bins = np.full(len(one), self.n_bins, dtype=np.int64)
            made.append((np.array(one), Grid(self.starts[one], n_bins, self.bin_width)))
        return made

    def take(self, trials: np.ndarray) -> Windows:
        """Those of some trials."""
        return replace(self, starts=self.starts[trials])


def recorded_bins(session: Session, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """What of each window was recorded.

    Returns:
        (trial, time) bool: which bins the recording covers: of spikes the whole bin, for a bin that is cut
        short has too few of them; of traces, whose samples stand for the time around them, its centre.
        And (trial,) bool: windows that begin before the recording or end after it, by half a bin at least.

    Raises:
        BadInput: nothing was recorded at all.
    """
    stretches, _ = observed(session)
    half = 0.0
    if session.traces is not None:
        half = windows.bin_width / 2
        # the bin that ends half a step before a first sample, or at it, holds no sample
        stretches = stretches + np.array([2 * EDGE_TOLERANCE, 0.0])
    made = np.zeros((len(windows.starts), windows.n_bins), dtype=bool)
    for trials, grid in windows.layers():
        lefts = grid.lefts + half
        within = bins_within(stretches, lefts, lefts + (grid.bin_width - 2 * half))
        made[trials] = within.reshape(len(trials), -1)
    if not len(stretches):
        return made, np.ones(len(made), dtype=bool)
    first = windows.starts + windows.bin_width / 2 + EDGE_TOLERANCE
    last = windows.starts + (windows.n_bins - 0.5) * windows.bin_width - EDGE_TOLERANCE
    return made, (first < stretches[0, 0]) | (last > stretches[-1, 1])


def trial_activity(session: Session, windows: Windows, rows: np.ndarray) -> np.ndarray:
    """(trial, time, unit) float32: spikes per bin, or the mean of the samples in it; NaN where unknown.

    A bin between two samples that follow each other has what lies between them.
    """
    made = np.full((len(windows.starts), windows.n_bins, len(rows)), np.nan, dtype=np.float32)
    for trials, grid in windows.layers():
        if session.traces is not None:
            values, known = _traces_on(session.traces, grid, rows)
        else:
            (values, _), known = count_spikes(session, grid, rows), None
        seen = observed_bins(session, grid, rows)
        filled = values.astype(np.float32)
        for mask in (known, seen):
            if mask is not None:
                filled[~mask] = np.nan
        made[trials] = filled.reshape(len(trials), windows.n_bins, len(rows))
    return made


def _traces_on(
    traces: Traces, grid: Grid, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    values, known = bin_traces(traces, grid, rows)
    if known is None or traces.bin_width is not None or trace_step(traces) > grid.bin_width:
        return values, known
    # a clock that is not quite steady leaves bins of its own step without a sample now and then
    samples = np.bincount(grid.index(traces.times) + 1, minlength=grid.size + 1)[1:]
    empty = samples == 0
    between, near = interpolated(traces, grid, rows)
    close = empty[:, None] if near is None else near & empty[:, None]
    return np.where(close, between, values), known | close


def trial_signals(
    session: Session, windows: Windows, wanted: Iterable[str]
) -> dict[str, tuple[np.ndarray, str]]:
    """Behaviour on the bins of trials: (trial, time) float32, NaN where not measured, and its kind.

    Args:
        session: the recording.
        windows: the bins.
        wanted: names of signals; of several components ``position_x``.
    """
    wanted = set(wanted)
    if not wanted:
        return {}
    held = {
        name: one for name, one in session.series.items() if any(_is_of(w, name) for w in wanted)
    }
    only = replace(session, series=held)
    made: dict[str, tuple[np.ndarray, str]] = {}
    for trials, grid in windows.layers():
        for name, variable in behaviour(only, grid, None).items():
            values = variable.values
            columns = {name: values}
            if values.ndim > 1:
                columns = {f"{name}_{axis}": one for axis, one in zip(AXES, values.T, strict=False)}
            for key, column in columns.items():
                if key in wanted:
                    kind = str(variable.attrs[names.KIND])
                    kind = names.CIRCULAR if kind == names.CIRCULAR else names.CONTINUOUS
                    shape = (len(windows.starts), windows.n_bins)
                    out, _ = made.setdefault(key, (np.full(shape, np.nan, np.float32), kind))
                    out[trials] = column.reshape(len(trials), -1)
    return made


def _is_of(wanted: str, name: str) -> bool:
    return wanted == name or wanted in [f"{name}_{axis}" for axis in AXES]
