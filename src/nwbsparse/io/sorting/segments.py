"""When each segment of a sorting ran: its start, its stretches, and the time (s) of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.rules.account import Account, counted

MAX_STEP = 0.01
"""Time stamps of a recording that are further apart (s) are a gap: the narrowest bin we suggest."""
ON_A_SAMPLE = 1e-4
"""Samples by which a start may miss a whole sample and still count as on it (rounding)."""
_BLOCK = 2**20


@dataclass(frozen=True)
class Segment:
    """One uninterrupted run of a recorder, and how its samples become session seconds."""

    index: int
    rate: float
    """Samples per second."""
    start: float
    """Of its first sample (s)."""
    stretches: np.ndarray
    """(n, 2) s: when it was recorded; up to the last spike where its length is not known."""
    n_samples: int | None
    stamped: Any = None
    """What turns samples into time stamps (``sample_index_to_time``); None: a uniform clock."""
    path: str = ""

    @property
    def on_samples(self) -> bool:
        """Whether times are whole samples counted from 0 s."""
        offset = self.start * self.rate
        return self.stamped is None and abs(offset - round(offset)) < ON_A_SAMPLE

    def times_of(self, samples: np.ndarray, *, unit: Any) -> np.ndarray:
        """Session times (s, float64) of samples of this segment.

        Raises:
            BadInput: the recording has a time stamp for each sample, but not for these.
        """
        if self.stamped is None:
            return on_clock(samples, self.start, self.rate)
        outside = int(((samples < 0) | (samples >= (self.n_samples or 0))).sum())
        if outside:
            raise BadInput(
                f"unit {unit} of {self.path} has {counted(outside, 'spike')} outside of segment "
                f"{self.index}, which has time stamps only for {self.n_samples:,} samples; remove "
                "them with spikeinterface.curation.remove_excess_spikes, or give start_time=."
            )
        return np.asarray(
            self.stamped.sample_index_to_time(samples, segment_index=self.index), dtype=np.float64
        )


def on_clock(samples: np.ndarray, start: float, rate: float) -> np.ndarray:
    """Times (s) of samples; one division where the start is a whole sample, so that they are exact."""
    offset = start * rate
    if abs(offset - round(offset)) < ON_A_SAMPLE:
        return (np.asarray(samples, dtype=np.int64) + round(offset)) / rate
    return start + np.asarray(samples, dtype=np.int64) / rate


def read_segments(
    sorting: Any, analyzer: Any, start_time: float | Sequence[float] | None, account: Account
) -> list[Segment]:
    """The segments of a sorting in the order of time, which they must be in.

    Starts are those asked for, else those that the sorting or the recording states. SpikeInterface
    answers 0 where nothing is stated: one segment may start there, several may not.

    Raises:
        BadInput: ``start_time`` does not fit, or segments overlap or have no starts of their own.
    """
    n_segments = int(sorting.get_num_segments())
    rate = float(sorting.get_sampling_frequency())
    clock = _clock(sorting, analyzer)
    if start_time is None:
        starts = [_start_of(clock, index) for index in range(n_segments)]
    else:
        starts = _given(start_time, n_segments, account)
    segments = []
    for index, start in enumerate(starts):
        n_samples = _length(sorting, analyzer, index)
        has_stamps = getattr(clock, "has_time_vector", None)
        stamped = start_time is None and bool(has_stamps and has_stamps(segment_index=index))
        if stamped and n_samples is not None:
            stretches = _stamped_stretches(clock, index, n_samples, rate)
        else:
            stop = _last_sample(sorting, index) + 1 if n_samples is None else n_samples
            stretches = on_clock(np.array([[0, stop]]), start, rate)
        segments.append(
            Segment(
                *(index, rate, start, stretches, n_samples, clock if stamped else None),
                path=str(account.path),
            )
        )
    _check_order(segments, account, given=start_time is not None)
    _report(segments, account, given=start_time is not None)
    return segments


def _clock(sorting: Any, analyzer: Any) -> Any:
    """What knows the times: the sorting where it states any, else the analyzer's recording."""
    if analyzer is None:
        return sorting
    n_segments = range(int(sorting.get_num_segments()))
    if _true(sorting, "has_recording") or any(_start_of(sorting, index) for index in n_segments):
        return sorting
    if _true(analyzer, "has_recording") or _true(analyzer, "has_temporary_recording"):
        return analyzer.recording
    return sorting


def _true(obj: Any, question: str) -> bool:
    return bool(getattr(obj, question, bool)())


def _start_of(clock: Any, index: int) -> float:
    ask = getattr(clock, "get_start_time", None)
    return float((ask(segment_index=index) if ask else None) or 0.0)


def _given(start_time: Any, n_segments: int, account: Account) -> list[float]:
    starts = np.atleast_1d(np.asarray(start_time, dtype=np.float64))
    if starts.shape != (n_segments,) or not np.isfinite(starts).all():
        raise BadInput(
            f"{account.path} has {counted(n_segments, 'segment')}; start_time must be as many numbers "
            f"(s), not {start_time!r}."
        )
    return starts.tolist()


def _length(sorting: Any, analyzer: Any, index: int) -> int | None:
    """How many samples a segment has, where a recording or an analyzer says it."""
    if analyzer is not None and hasattr(analyzer, "get_num_samples"):
        return int(analyzer.get_num_samples(segment_index=index))
    if _true(sorting, "has_recording"):
        return int(sorting.get_num_samples(segment_index=index))
    return None


def _last_sample(sorting: Any, index: int) -> int:
    trains = (sorting.get_unit_spike_train(u, segment_index=index) for u in sorting.unit_ids)
    return max((int(np.max(train)) for train in trains if len(train)), default=0)


def _stamped_stretches(clock: Any, index: int, n_samples: int, rate: float) -> np.ndarray:
    """The runs of a segment whose samples have time stamps, cut where these jump."""
    edges, last = [], None
    for first in range(0, n_samples, _BLOCK):
        stop = min(first + _BLOCK, n_samples)
        times = np.asarray(clock.get_times(segment_index=index, start_frame=first, end_frame=stop))
        joined = times if last is None else np.concatenate([[last], times])
        edges += [joined[0]] if last is None else []
        steps = np.diff(joined)
        for at in np.flatnonzero((steps > MAX_STEP) | (steps < 0)):
            edges += [joined[at] + 1 / rate, joined[at + 1]]
        last = times[-1]
    if last is None:
        return np.empty((0, 2))
    return np.array([*edges, last + 1 / rate], dtype=np.float64).reshape(-1, 2)


def _check_order(segments: Sequence[Segment], account: Account, *, given: bool) -> None:
    for before, after in pairwise(segments):
        stop = before.stretches[:, 1].max(initial=before.start)
        if after.start >= stop - 0.5 / before.rate and after.start > before.start:
            continue
        asked = (
            "start_time: they" if given else "give start_time=, one per segment (s): its segments"
        )
        raise BadInput(
            f"{account.path} has {counted(len(segments), 'segment')} whose place in time is unknown; "
            f"{asked} overlap (segment {before.index} runs until {stop:g} s, segment {after.index} starts "
            f"at {after.start:g} s)."
        )


def _report(segments: Sequence[Segment], account: Account, *, given: bool) -> None:
    for segment in segments:
        n_gaps = max(len(segment.stretches) - 1, 0)
        notes = [f"starts at {segment.start:g} s" + (" as asked" if given else "")]
        if not given and not segment.start and segment.stamped is None:
            notes[0] += ", which SpikeInterface also says where nothing is stated (start_time=)"
        if segment.stamped is not None:
            notes.append("each sample has its own time stamp")
        if n_gaps:
            notes.append(f"{counted(n_gaps, 'gap')} in the time stamps: bins restart there")
        if segment.n_samples is None:
            notes.append("its length is not known: taken to end with its last spike")
        n = len(segment.stretches)
        account.add("other", f"segment {segment.index}", n, n, notes=notes)
