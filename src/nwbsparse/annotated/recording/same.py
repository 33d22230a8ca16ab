"""Does a recording that was written read as the one that it was made of?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.errors import IntegrityError
from nwbsparse.session import Session


def check_reads_the_same(session: Session, again: Session) -> None:
    """Compare two sessions, part by part: every spike and sample, every id, all behaviour.

    Raises:
        IntegrityError: they differ; which parts.
    """
    wrong = [
        name for name, (one, other) in _activity(session, again).items() if not _same(one, other)
    ]
    for what in ("series", "events", "intervals"):
        wrong += _of_kind(what, getattr(session, what), getattr(again, what))
    if wrong:
        raise IntegrityError(f"the recording reads otherwise after writing: {', '.join(wrong[:8])}")


def _activity(session: Session, again: Session) -> dict[str, tuple[Any, Any]]:
    pairs = {
        "unit ids": (session.units[names.UNIT_ID].values, again.units[names.UNIT_ID].values),
        "spike times": (session.spike_times, again.spike_times),
        "whose spikes they are": (session.spike_index, again.spike_index),
    }
    ours, theirs = session.traces, again.traces
    if (ours is None) != (theirs is None):
        return pairs | {"traces": (ours is None, theirs is None)}
    if ours is not None and theirs is not None:
        pairs["traces"] = ours.data, theirs.data
        pairs["times of traces"] = ours.times, theirs.times
        pairs["bin width"] = np.array([ours.bin_width or 0.0]), np.array([theirs.bin_width or 0.0])
    return pairs


def _of_kind(what: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    wrong = []
    for name, one in ours.items():
        other = theirs.get(name)
        if what == "events" and not len(one.times):
            continue  # not written
        if other is None:
            wrong.append(f"{what} '{name}' (missing)")
            continue
        if what == "intervals":
            pairs = [(one[key].values, other[key].values if key in other else None) for key in one]
        elif what == "events":
            pairs = [(one.times, other.times), (_labels(one), _labels(other))]
        else:
            pairs = [(one.times, other.times), (one.data, other.data)]
            pairs.append((np.array([one.kind]), np.array([other.kind])))
        if not all(_same(*pair) for pair in pairs):
            wrong.append(f"{what} '{name}'")
    return wrong


def _labels(events: Any) -> np.ndarray:
    """A label that all events share tells nothing apart, and is not read."""
    known = events.labels
    return np.zeros(0) if known is None or len(np.unique(known)) <= 1 else known


def _same(one: Any, other: Any) -> bool:
    if other is None:
        return False
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    if one.dtype.kind in "UO" or other.dtype.kind in "UO":
        return [str(value) for value in one.flat] == [str(value) for value in other.flat]
    floats = "f" in (one.dtype.kind, other.dtype.kind)
    return bool(np.array_equal(one, other, equal_nan=floats))
