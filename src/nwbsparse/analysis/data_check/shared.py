"""Which units share spikes: what a sorter split is one cell, or part of one."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import connected_components

from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording
from nwbsparse.analysis.data_check.wording import listed, percent, percents
from nwbsparse.binning.groups import SHARED, WITHIN
from nwbsparse.io.rules.account import counted

CHECK = "shared spikes"
MANY_TIMES = 10.0
"""Times the spikes of every other unit of its group from which on a unit is a heap of leftovers rather
than a cell that was split."""
ON_THE_CLOCK = 0.01
"""Distance from a whole step, in steps, up to which a time lies on a clock: rounding of float32."""


def units_that_share_spikes(recording: CheckedRecording) -> list[Finding]:
    """Pairs of units whose spikes coincide within 0.5 ms far more often than chance."""
    if not recording.is_spikes:
        return []
    share = recording.shared
    pairs = np.argwhere(np.triu(share > SHARED))
    if not len(pairs):
        return []
    if step := _coarse_clock(recording):
        return [_cannot_be_told(step, len(pairs))]
    _, number = connected_components(share > SHARED, directed=False)
    ids = recording.ids
    groups = [np.flatnonzero(number == one) for one in np.unique(number[pairs[:, 0]])]
    named = [
        f"{listed([ids[unit] for unit in group], most=8)} ({percents(within[within > SHARED])})"
        for group in groups
        for within in [share[np.ix_(group, group)]]
    ]
    n = sum(map(len, groups))
    clear = " each" if len(groups) > 1 else ""
    noise = [ids[unit] for group in groups if (unit := _heap(recording, group)) >= 0]
    beware = (
        f" But unit {listed(noise)} has {MANY_TIMES:g} times the spikes of any other in its group, or "
        "more: it may be what the sorter left over, which is no cell to merge into; leave it out first."
        if noise
        else ""
    )
    return [
        Finding(
            CHECK,
            "caution",
            f"{counted(n, 'unit')} share spikes, in {counted(len(groups), 'group')}: more than "
            f"{percent(SHARED)} of the rarer unit's spikes lie within {WITHIN * 1000:g} ms of the "
            "other's, beyond chance. A sorter gave the spikes of one cell to several units.",
            f"units {'; '.join(named[:6])}{f'; {len(named) - 6} more groups' if len(named) > 6 else ''}",
            f"{_what_becomes(recording)} To make{clear} one unit, use --duplicates merge; to keep only "
            f"the one of most spikes, --duplicates drop. Best is to look at the sorting again.{beware}",
            {
                "groups": [[ids[unit] for unit in group] for group in groups],
                "pairs": [
                    {"units": [ids[a], ids[b]], "share": float(share[a, b])} for a, b in pairs
                ],
            },
        )
    ]


def _what_becomes(recording: CheckedRecording) -> str:
    if recording.pooled:
        return "In the sum of a pool such a spike counts as often as it is there."
    return "The units of a group count as one group: none is told from the others."


def _heap(recording: CheckedRecording, group: np.ndarray) -> int:
    """The unit of a group that has many times the spikes of all others; −1 where there is none."""
    n = recording.n_events[group]
    first, second = np.sort(n)[::-1][:2]
    return int(group[n.argmax()]) if first >= MANY_TIMES * second else -1


def _coarse_clock(recording: CheckedRecording) -> float:
    """The step (s) of the clock of the spikes, where it is too coarse for coincidences; else 0."""
    apart = np.diff(recording.spikes[0])
    apart = apart[apart > 0]
    if not len(apart):
        return 0.0
    step = float(apart.min())
    if step <= 2 * WITHIN:  # as wide as what counts as one spike, so no more than chance takes off
        return 0.0
    off = np.abs(apart / step - np.round(apart / step))
    return step if np.quantile(off, 0.99) < ON_THE_CLOCK else 0.0


def _cannot_be_told(step: float, n_pairs: int) -> Finding:
    return Finding(
        CHECK,
        "note",
        f"Spike times lie on a clock of {step * 1000:.3g} ms, on which spikes of any two units "
        f"coincide within {WITHIN * 1000:g} ms: {counted(n_pairs, 'pair')} of units seem to share spikes, "
        "and whether they do cannot be told.",
        "all units",
        "Use the spike times as they were sorted; else --groups none, so that units that merely "
        "fire in the same step are not hidden together.",
        {"clock_step": step, "n_pairs": n_pairs},
    )
