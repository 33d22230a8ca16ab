"""Where the bins are: contiguous runs of equal bins over the stretches that were observed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nwbsparse import names
from nwbsparse.binning.clock import trace_step, trace_stretches
from nwbsparse.errors import BadInput, unknown
from nwbsparse.naming.listed_names import listed_names, names_in
from nwbsparse.session import EDGE_TOLERANCE, Session

BIN_WIDTHS = (0.01, 0.02, 0.025, 0.05, 0.1, 0.2)
SPIKES_PER_BIN = 5.0
MIN_BINS = 100


@dataclass(frozen=True)
class Grid:
    """Runs of half-open bins ``[start + k·w, start + (k + 1)·w)``; it restarts at every gap."""

    starts: np.ndarray
    """(segment,) float64 s, growing."""
    n_bins: np.ndarray
    """(segment,) int64."""
    bin_width: float

    @property
    def size(self) -> int:
        return int(self.n_bins.sum())

    @property
    def segment(self) -> np.ndarray:
        """(time,) int32: which run a bin belongs to."""
        return np.repeat(np.arange(len(self.starts), dtype=np.int32), self.n_bins)

    @property
    def lefts(self) -> np.ndarray:
        """(time,) float64: left edge of each bin (s)."""
        within = np.arange(self.size) - np.repeat(np.cumsum(self.n_bins) - self.n_bins, self.n_bins)
        return np.repeat(self.starts, self.n_bins) + within * self.bin_width

    @property
    def centres(self) -> np.ndarray:
        """(time,) float64: centre of each bin (s)."""
        return self.lefts + self.bin_width / 2

    def index(self, times: np.ndarray) -> np.ndarray:
        """The bin of each time, −1 where there is none (gaps, outside, partial last bins)."""
        times = np.asarray(times, dtype=np.float64)
        segment = np.searchsorted(self.starts, times + EDGE_TOLERANCE, side="right") - 1
        inside = segment >= 0
        safe = np.maximum(segment, 0)
        k = np.floor((times - self.starts[safe] + EDGE_TOLERANCE) / self.bin_width)
        inside &= (k >= 0) & (k < self.n_bins[safe])  # False for NaN times
        first = np.cumsum(self.n_bins) - self.n_bins
        return np.where(inside, first[safe] + np.where(inside, k, 0).astype(np.int64), -1)


def make_grid(stretches: np.ndarray, bin_width: float) -> Grid:
    """Bins over each stretch (s, (n, 2), sorted, disjoint); the partial last bin is left out.

    Raises:
        BadInput: the width is not > 0, or fewer than 100 bins fit.
    """
    if not (np.isfinite(bin_width) and bin_width > 0):
        raise BadInput(f"bin width must be > 0 s; it is {bin_width}")
    lengths = stretches[:, 1] - stretches[:, 0]
    n_bins = np.floor((lengths + EDGE_TOLERANCE) / bin_width)
    if n_bins.sum() > 2**31:
        raise BadInput(
            f"{n_bins.sum():.3g} bins of {bin_width} s over {lengths.sum():.3g} s are more than can be "
            "right; are the times in seconds? (--time-scale), else use a wider --bin-width"
        )
    kept = n_bins > 0
    grid = Grid(
        stretches[kept, 0].astype(np.float64), n_bins[kept].astype(np.int64), float(bin_width)
    )
    if not lengths.sum() > 0:
        raise BadInput("nothing is left of the recording: the stretches asked for lie outside it")
    if grid.size < MIN_BINS:
        raise BadInput(
            f"{lengths.sum():.6g} s of recording hold {grid.size} bins of {bin_width} s; at least "
            f"{MIN_BINS} are needed, so use a --bin-width of {lengths.sum() / MIN_BINS:.3g} s or less"
        )
    return grid


def observed(
    session: Session, *, epochs: str | None = None, intervals: str | np.ndarray | None = None
) -> tuple[np.ndarray, str]:
    """The stretches (n, 2) in which the recording ran, and where that is known from.

    In this order: epochs asked for; union of the units' obs_intervals; the epochs table; extent of
    the raw recording; first to last spike. Never from 0, never over all series: real files hold
    events stamped decades before the recording. Traces were recorded where they have samples.
    ``intervals`` restricts further; stretches in ``invalid_times`` are cut out.

    Raises:
        BadInput: there is no such epoch or table, or no spike.
    """
    found, said = _recorded(session, epochs)
    merged = union(found)
    if intervals is not None:
        merged = intersection(merged, _stretches(session, intervals))
        said += f", within {intervals if isinstance(intervals, str) else 'the intervals given'}"
    if session.invalid_times is not None and len(session.invalid_times):
        merged = _without(merged, union(session.invalid_times))
        said += ", without invalid_times"
    return merged, said


def _recorded(session: Session, epochs: str | None) -> tuple[np.ndarray, str]:
    if session.traces is not None:
        sampled, said = trace_stretches(session.traces), f"samples of {session.traces.name}"
        if epochs is None:
            return sampled, said
        return intersection(sampled, _asked(session, epochs)), f"{said} in epochs {epochs}"
    if epochs is not None:
        return _asked(session, epochs), f"epochs {epochs}"
    if session.obs_intervals is not None and any(len(o) for o in session.obs_intervals):
        return np.concatenate(
            [o for o in session.obs_intervals if len(o)]
        ), "obs_intervals of the units"
    if "epochs" in session.intervals and session.intervals["epochs"].sizes[names.INTERVAL]:
        return _bounds(session.intervals["epochs"]), "epochs table"
    if session.extent is not None:
        return np.array([session.extent]), "extent of the raw recording"
    if not len(session.spike_times):
        raise BadInput(f"no spikes in any of {session.n_units} units, so no recording to bin")
    spikes = session.spike_times
    return np.array([[spikes.min(), spikes.max()]]), "first to last spike"


def _stretches(session: Session, intervals: str | np.ndarray) -> np.ndarray:
    if not isinstance(intervals, str):
        return np.asarray(intervals, dtype=np.float64).reshape(-1, 2)
    if intervals not in session.intervals:
        raise unknown(intervals, session.intervals, what="interval table")
    return _bounds(session.intervals[intervals])


def union(stretches: np.ndarray) -> np.ndarray:
    """Overlapping or touching stretches merged, sorted; NaN and empty ones left out."""
    rows = np.asarray(stretches, dtype=np.float64).reshape(-1, 2)
    rows = rows[np.isfinite(rows).all(axis=1) & (rows[:, 1] > rows[:, 0])]
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    merged: list[list[float]] = []
    for start, stop in rows:
        if merged and start <= merged[-1][1] + EDGE_TOLERANCE:
            merged[-1][1] = max(merged[-1][1], stop)
        else:
            merged.append([start, stop])
    return np.array(merged).reshape(-1, 2)


def intersection(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The stretches that lie in both; each input may overlap itself."""
    found = [
        (max(a, c), min(b, d))
        for a, b in union(first)
        for c, d in union(second)
        if max(a, c) < min(b, d)
    ]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def suggest_bin_width(session: Session, *, epochs: str | None = None) -> tuple[float, float]:
    """A bin width (s) for this recording, and the population spikes per bin it gives.

    The smallest of 10, 20, 25, 50, 100 and 200 ms with at least 5 population spikes per bin on
    average; 200 ms where none reaches that. Traces keep their own step.
    """
    if session.traces is not None:
        return trace_step(session.traces), 0.0
    stretches, _ = observed(session, epochs=epochs)
    duration = float((stretches[:, 1] - stretches[:, 0]).sum())
    spikes = session.spike_times
    if len(stretches) == 1:  # most recordings: no need to sort
        start, stop = stretches[0]
        inside = np.count_nonzero((spikes >= start) & (spikes < stop))
    else:
        edges = np.searchsorted(np.sort(spikes), stretches.ravel()).reshape(-1, 2)
        inside = (edges[:, 1] - edges[:, 0]).sum()
    rate = float(inside) / duration if duration else 0.0
    width = next((w for w in BIN_WIDTHS if rate * w >= SPIKES_PER_BIN), BIN_WIDTHS[-1])
    return width, rate * width


def _bounds(intervals) -> np.ndarray:
    return np.column_stack([intervals["start_time"].values, intervals["stop_time"].values])


def _asked(session: Session, epochs: str) -> np.ndarray:
    table = session.intervals.get("epochs")
    if table is None:
        raise BadInput(f"epochs '{epochs}' was asked for, but the recording has no epochs table")
    parts: list[set[str]] = [set() for _ in range(table.sizes[names.INTERVAL])]
    for name, column in table.data_vars.items():
        if column.dtype.kind in "UO":
            for words, said in zip(parts, column.values, strict=True):
                words |= {one.casefold() for one in _names_of_epoch(str(name), str(said))}
    known = set[str]().union(*parts)
    wanted = set(names_in(epochs.casefold(), known))
    rows = np.array([bool(wanted & words) for words in parts])
    if unknown := wanted - known:
        there_are = listed_names(sorted(known)) or "(no names)"
        raise BadInput(
            f"no epoch is called {listed_names(sorted(unknown))}; there are: {there_are}"
        )
    return _bounds(table)[rows]


def _names_of_epoch(column: str, said: str) -> set[str]:
    """What a column calls an epoch: each of its tags; of other text the whole, and what commas part."""
    return {*names_in(said), *([said.strip()] if column != "tags" else [])} - {""}


def _without(stretches: np.ndarray, holes: np.ndarray) -> np.ndarray:
    left: list[tuple[float, float]] = []
    for start, stop in stretches:
        for hole_start, hole_stop in holes:
            if hole_stop <= start or hole_start >= stop:
                continue
            if hole_start > start:
                left.append((start, hole_start))
            start = max(start, hole_stop)
        if start < stop:
            left.append((start, stop))
    return np.array(left, dtype=np.float64).reshape(-1, 2)
