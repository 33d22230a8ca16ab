"""When a recording ran: what was asked for, what it states, and what its spikes say of that."""

from __future__ import annotations

import numpy as np

from nwbsparse import names
from nwbsparse.binning.clock import trace_step, trace_stretches
from nwbsparse.binning.stretches import intersection, union, without
from nwbsparse.errors import BadInput, unknown
from nwbsparse.naming.listed_names import listed_names, names_in
from nwbsparse.session import Session

BIN_WIDTHS = (0.01, 0.02, 0.025, 0.05, 0.1, 0.2)
SPIKES_PER_BIN = 5.0
MOST = 0.5
"""Share of the spikes that stated epochs must hold, and of the epochs that the time of the spikes must
cover, to be when the recording ran: some files list a few stimuli, or another clock's times."""
MISSED = 100
"""Spikes that were to be expected after the last (or before the first) for their absence to tell."""


def observed(
    session: Session, *, epochs: str | None = None, intervals: str | np.ndarray | None = None
) -> tuple[np.ndarray, str]:
    """The stretches (n, 2) in which the recording ran, and where that is known from.

    In this order: epochs asked for; union of the units' obs_intervals; the epochs table; extent of
    the raw recording; first to last spike. Never from 0, never over all series: real files hold
    events stamped decades before the recording. Traces were recorded where they have samples.
    The epochs table counts only where it holds most of the spikes, and only as far as the spikes
    reach where it goes on for much longer; both are said.
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
        merged = without(merged, session.invalid_times)
        said += ", without invalid_times"
    return merged, said


def suggest_bin_width(session: Session, *, epochs: str | None = None) -> tuple[float, float]:
    """A bin width (s) for this recording, and the population spikes per bin it gives.

    The smallest of 10, 20, 25, 50, 100 and 200 ms with at least 5 population spikes per bin on
    average; 200 ms where none reaches that. Traces keep their own step.
    """
    if session.traces is not None:
        return trace_step(session.traces), 0.0
    stretches, _ = observed(session, epochs=epochs)
    duration = float((stretches[:, 1] - stretches[:, 0]).sum())
    rate = spikes_in(session, stretches) / duration if duration else 0.0
    width = next((w for w in BIN_WIDTHS if rate * w >= SPIKES_PER_BIN), BIN_WIDTHS[-1])
    return width, rate * width


def spikes_in(session: Session, stretches: np.ndarray) -> int:
    """How many spikes of all units lie in sorted, disjoint stretches."""
    if len(stretches) == 1:  # most recordings: no need to search
        spikes, (start, stop) = session.spike_times, stretches[0]
        return int(np.count_nonzero((spikes >= start) & (spikes < stop)))
    n = 0
    for row in range(session.n_units):
        at = np.searchsorted(session.spikes_of(row), stretches.ravel())
        n += int((at[1::2] - at[::2]).sum())
    return n


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
    doubt = ""
    if "epochs" in session.intervals and session.intervals["epochs"].sizes[names.INTERVAL]:
        stated, said = _held_to_spikes(session, union(_bounds(session.intervals["epochs"])))
        if stated is not None:
            return stated, f"epochs table{said}"
        doubt = f"; {said}"
    if session.extent is not None:
        return np.array([session.extent]), f"extent of the raw recording{doubt}"
    if not len(session.spike_times):
        raise BadInput(f"no spikes in any of {session.n_units} units, so no recording to bin")
    return _reach(session), f"first to last spike{doubt}"


def _reach(session: Session) -> np.ndarray:
    return np.array([[session.spike_times.min(), session.spike_times.max()]])


def _held_to_spikes(session: Session, stated: np.ndarray) -> tuple[np.ndarray | None, str]:
    """Stated epochs as far as the spikes bear them out (None: not at all), and what to say."""
    n_spikes = len(session.spike_times)
    if not n_spikes:
        return stated, ""
    share = spikes_in(session, stated) / n_spikes
    if share < MOST:
        return None, f"the epochs table holds {share:.0%} of the spikes only"
    reached = intersection(stated, _reach(session))
    whole, spiking = (float((one[:, 1] - one[:, 0]).sum()) for one in (stated, reached))
    if (
        not spiking
        or spiking >= MOST * whole
        or n_spikes * share / spiking * (whole - spiking) < MISSED
    ):
        return stated, ""
    return reached, (
        f" as far as there are spikes: it goes on for {whole - spiking:.6g} s without any"
    )


def _stretches(session: Session, intervals: str | np.ndarray) -> np.ndarray:
    if not isinstance(intervals, str):
        return np.asarray(intervals, dtype=np.float64).reshape(-1, 2)
    if intervals not in session.intervals:
        raise unknown(intervals, session.intervals, what="interval table")
    return _bounds(session.intervals[intervals])


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
