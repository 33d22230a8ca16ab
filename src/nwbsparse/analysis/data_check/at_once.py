"""Moments at which nearly all units are active at once: artefacts of stimulation, movement, licking."""

from __future__ import annotations

import inspect
import math

import numpy as np
from numba import njit

from nwbsparse.analysis.data_check.finding import Finding
from nwbsparse.analysis.data_check.recording import CheckedRecording
from nwbsparse.analysis.data_check.wording import listed, moment, percent
from nwbsparse.binning.clock import trace_step
from nwbsparse.training.start import FEWEST

CHECK = "all units at once"
WITHIN = 2e-3
"""Seconds within which spikes of many units are at once: an electrical artefact reaches all channels
at the same sample, a sorter places its peaks within 1 ms of each other; ripples last 50 ms."""
NEARLY_ALL = 0.8
"""Share of the units that fire. Bursts of a brain hardly take in more than a half."""
FEWEST_UNITS = 8
"""Units below which all of them may be at once by chance."""
TOGETHER = 5.0
"""Times its mean rate that a unit may fire in a burst of the population: common ups and downs must
not look like artefacts."""
BY_CHANCE = 0.01
"""How many such moments chance may make in the whole recording."""
APART = 0.1
"""Seconds between two moments that are told apart."""
JUMP = 8.0
"""Robust standard deviations by which fluorescence changes from one frame to the next in a jump."""
LISTED = 100
"""Moments whose times are given in full."""


def all_units_at_once(recording: CheckedRecording) -> list[Finding]:
    """Moments at which more units are active together than any brain state explains."""
    if recording.is_spikes:
        times, active, n_units = _of_spikes(recording)
        what, how = "fire", f"within {WITHIN * 1000:g} ms"
    else:
        times, active, n_units = _of_samples(recording)
        what = "are active" if recording.is_events else "jump"
        how = "in one bin" if recording.is_counts else "in one frame"
    if not len(times):
        return []
    first = np.flatnonzero(np.diff(times, prepend=-np.inf) > APART)
    most = np.maximum.reduceat(active, first)
    n = len(first)
    moments = f"At {n:,} moments" if n > 1 else "At one moment"
    shown = np.sort(np.argsort(-most, kind="stable")[:LISTED])
    when = times[first]
    return [
        Finding(
            CHECK,
            "caution",
            f"{moments} {percent(NEARLY_ALL)} or more of the {n_units:,} units that are ever active "
            f"{what} {how}, at most {int(most.max()):,} of them: no population does, even when all fire "
            f"{TOGETHER:g} times as much as usual.",
            listed([moment(one) for one in when[shown]]),
            "Look at the raw data around these moments (stimulation, licking, movement, light). "
            "Stretches can be left out with --intervals, or marked as invalid_times in the file: else a "
            "latent that stands for all units is learned from them.",
            {
                "n": n,
                "times": when[shown].tolist(),
                "most_units": int(most.max()),
                "n_units": int(n_units),
            },
        )
    ]


def units_needed(rate: np.ndarray, n_moments: float) -> float:
    """How many units must be active at once to be more than chance, common ups and downs allowed for.

    The smallest number of which independent units, each ``TOGETHER`` times as active as usual, make
    fewer than ``BY_CHANCE`` moments in the recording; at least ``NEARLY_ALL`` of them. Infinite where
    no number is enough.

    Args:
        rate: (unit,) share of the moments in which each is active.
        n_moments: of the recording.
    """
    exactly = np.ones(1)  # chance of 0, 1, … active units
    for one in np.minimum(TOGETHER * rate, 1.0):
        exactly = np.convolve(exactly, [1 - one, one])
    at_least = np.cumsum(exactly[::-1])[::-1]
    enough = np.flatnonzero(at_least * n_moments <= BY_CHANCE)
    if not len(enough):
        return math.inf
    return float(max(int(enough[0]), math.ceil(NEARLY_ALL * len(rate))))


def _of_spikes(recording: CheckedRecording) -> tuple[np.ndarray, np.ndarray, int]:
    """When (s) nearly all units fire, how many of them, and of how many."""
    often = recording.n_events >= FEWEST
    times, units = recording.spikes
    n_units = int(often.sum())
    if n_units < FEWEST_UNITS:
        return np.zeros(0), np.zeros(0, np.int64), n_units
    some = often[units]
    times, units = times[some], units[some]
    share = 1 - np.exp(-recording.n_events[often] * WITHIN / recording.seconds)
    needed = units_needed(share, recording.seconds / WITHIN)
    active = np.zeros(len(times), dtype=np.int64)
    _count(times, units, WITHIN, np.zeros(recording.n_units, np.int64), active)
    found = active >= needed
    return times[found], active[found], n_units


def _of_samples(recording: CheckedRecording) -> tuple[np.ndarray, np.ndarray, int]:
    """The same for samples: activity in one bin or frame, or a jump of fluorescence."""
    values, times = recording.samples, recording.sample_times
    if recording.is_events:
        on = values > 0
    else:
        on, times = _jumps(recording), times[1:]
    often = on.sum(axis=0) >= (FEWEST if recording.is_events else 1)
    n_units = int(often.sum())
    if n_units < FEWEST_UNITS or not len(times):
        return np.zeros(0), np.zeros(0, np.int64), n_units
    needed = units_needed(on[:, often].mean(axis=0), float(len(times)))
    active = on[:, often].sum(axis=1)
    found = active >= needed
    return times[found], active[found], n_units


def _jumps(recording: CheckedRecording) -> np.ndarray:
    """(frame − 1, unit) whether a trace jumps from one frame to the next, without a pause between."""
    values, times = recording.samples, recording.sample_times
    assert recording.session.traces is not None
    change = np.abs(np.diff(values.astype(np.float32), axis=0))
    if not len(change):
        return np.zeros((0, recording.n_units), dtype=bool)
    change[np.diff(times) > 1.5 * trace_step(recording.session.traces)] = 0
    change = np.nan_to_num(change, nan=0.0)
    usual = np.median(change, axis=0) / 0.6745
    return (change > JUMP * usual) & (usual > 0)


def _together(times, units, within, n_now, active) -> None:
    """For every spike, how many units fire in the window that begins with it."""
    end = 0
    n_units = 0
    for begin in range(len(times)):
        while end < len(times) and times[end] - times[begin] <= within:
            n_now[units[end]] += 1
            if n_now[units[end]] == 1:
                n_units += 1
            end += 1
        active[begin] = n_units
        n_now[units[begin]] -= 1
        if n_now[units[begin]] == 0:
            n_units -= 1


# the test suite wraps every function in a type checker, which numba cannot compile
_count = njit(cache=True, nogil=True)(inspect.unwrap(_together))
