"""The bins that all trials have, and the trials that were recorded in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nwbsparse.binning.trial_activity import Windows, recorded_bins
from nwbsparse.binning.trial_rows import Gathered
from nwbsparse.errors import BadInput

MIN_RECORDED = 0.5
"""Share of the bins of a trial that the recording must cover for the trial to be used."""
UNEVEN = 0.5
"""Share of the median duration below which the shortest trial is no measure of all of them."""
_SLACK = 1e-3  # bins: a step that was measured on a clock is not exact


@dataclass(frozen=True)
class Bins:
    """The bins of every trial, relative to its start."""

    start: float
    n_bins: int
    bin_width: float

    @property
    def centres(self) -> np.ndarray:
        """(time,) s from the start of a trial."""
        return self.start + (np.arange(self.n_bins) + 0.5) * self.bin_width


def window_of(
    gathered: Sequence[Gathered],
    window: Sequence[float | int] | None,
    bin_width: float,
    problems: list[str],
) -> Bins:
    """The bins of all trials; what stands against them is appended to ``problems``.

    Args:
        gathered: the sessions.
        window: s from the start of a trial; None: up to the end of the shortest that is not blank.
        bin_width: s.
        problems: gets a line for each.
    """
    nothing = Bins(0.0, 0, bin_width)
    if not (np.isfinite(bin_width) and bin_width > 0):
        problems.append(f"bin width must be > 0 s; it is {bin_width}")
        return nothing
    lasting = [one.table.duration[~one.blank] for one in gathered]
    every = np.concatenate(lasting)
    if not len(every):
        problems.append("every trial is blank: none has a label")
        return nothing
    if window is None:
        shortest = float(every.min())
        if shortest < UNEVEN * float(np.median(every)):
            problems.append(
                f"trials last from {shortest:.6g} to {every.max():.6g} s: say how much of them is to be "
                "used, window=(0, …)"
            )
            return nothing
        window = (0.0, shortest)
    if len(window) != 2:
        problems.append(
            f"a window is (first, last) s from the start of a trial, not {list(window)}"
        )
        return nothing
    begin, end = map(float, window)
    n_bins = int((end - begin) / bin_width + _SLACK) if np.isfinite([begin, end]).all() else 0
    if n_bins < 1:
        problems.append(
            f"a window from {begin:g} to {end:g} s holds no bin of {bin_width:g} s; a window is "
            "(first, last) s from the start of a trial"
        )
        return nothing
    for one, durations in zip(gathered, lasting, strict=True):
        short = durations < end - bin_width / 2
        if short.any():
            problems.append(
                f"{one.name}: {int(short.sum())} of {len(durations)} trials are shorter than the "
                f"window, which ends {end:g} s after their start (the shortest lasts "
                f"{durations.min():.6g} s); end it earlier, or leave them out with "
                f"where='duration >= {end:g}'"
            )
    return Bins(begin, n_bins, bin_width)


def keep_recorded(one: Gathered, bins: Bins, problems: list[str]) -> Gathered:
    """The trials whose window the recording covers; what is left out is said in ``notes``.

    Left out are trials that begin before the recording or end after it, and those of which it covers
    less than half (pauses). Problems are appended: no trial remains, or there are bins that were
    recorded in none.
    """
    windows = Windows(one.table.start + bins.start, bins.n_bins, bins.bin_width)
    try:
        covered, beyond = recorded_bins(one.session, windows)
    except BadInput as error:
        problems.append(f"{one.name}: {error}")
        return one
    ends = bins.start + bins.n_bins * bins.bin_width
    short = one.blank & (one.table.duration < ends - bins.bin_width / 2)
    outside = ~short & beyond
    pauses = ~short & ~outside & (covered.mean(axis=1) < MIN_RECORDED)
    notes = [
        f"{_trials(mask)} left out: {why}"
        for mask, why in (
            (short, "blank, and shorter than the window"),
            (outside, "the window lies outside the recording"),
            (pauses, "the recording covers less than half of the window"),
        )
        if mask.any()
    ]
    kept = np.flatnonzero(~(short | outside | pauses))
    labelled = kept[~one.blank[kept]]
    if not len(labelled):
        why = "; ".join(notes) or "all are blank"
        problems.append(f"{one.name}: no trial is left of {len(covered)}: {why}")
        return one
    never = ~covered[kept].any(axis=0)
    if never.any():
        at = bins.centres[never]
        half = bins.bin_width / 2
        problems.append(
            f"{one.name}: nothing was recorded between {at.min() - half:.6g} and "
            f"{at.max() + half:.6g} s of any trial; choose a window that was recorded"
        )
    partly = int((~covered[kept]).any(axis=1).sum())
    if partly:
        notes.append(f"in {partly} of {len(kept)} trials some bins were not recorded: they are NaN")
    whole = replace(one, windows=windows, recorded=covered)
    return whole.take(kept).saying(*notes)


def _trials(mask: np.ndarray) -> str:
    n = int(mask.sum())
    return f"{n} trial" if n == 1 else f"{n} trials"
