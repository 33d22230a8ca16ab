"""Moments of a recording: licks, rewards, TTL pulses, notes; found by what they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from hdmf.common import DynamicTable
from pynwb import NWBFile, TimeSeries
from pynwb.misc import AnnotationSeries

from nwbsparse.io.nwb.contents import recorded
from nwbsparse.io.nwb.event_tables import holds_events, read_event_table
from nwbsparse.io.rules.account import Account, counted
from nwbsparse.io.rules.clock import Reach
from nwbsparse.io.rules.falls import far_falls
from nwbsparse.io.rules.names import identifier, type_name, with_unique_names
from nwbsparse.io.rules.values import shape_of, text
from nwbsparse.io.rules.vectors import (
    NUMBERS_OR_TEXT,
    OddForm,
    is_vector,
    kind_of,
    pointers,
    seconds,
    vector,
)
from nwbsparse.naming.number_words import number_words
from nwbsparse.session import Events

EVENT_OBJECTS = ("Events", "LabeledEvents", "TTLs")
"""Types of ndx-events before 0.4, known by their names: their classes come from the file itself."""

DETECTED = "EventDetection"
"""NWB's type of moments that were found in a signal: ripples, threshold crossings."""

_SAYS_EVENTS = re.compile(r"event|ttl|marker|trigger|strobe", re.IGNORECASE)


def read_events(
    nwbfile: Any,
    account: Account,
    *,
    reach: Reach,
    path_of: Callable[[Any], str],
    used: frozenset[int],
) -> tuple[dict[str, Events], frozenset[int]]:
    """Every kind of event of a file by its name, and the ``id`` of each object it came from.

    Taken: series with timestamps in BehavioralEvents; AnnotationSeries; EventDetection with times;
    the types of ndx-events; tables with a column of timestamps; series of whole-number codes in
    acquisition whose name or description speaks of events. Times are sorted, those that are NaN are
    dropped and counted; of a series, times that fall back far are a repair.

    A stamp that lies outside the activity by more than the activity is long (and an hour) cannot
    be one of this recording and is dropped too: a public file has an event 49 years before its
    spikes. What lies nearer is kept.
    """
    found: list[tuple[Events, str]] = []
    taken = set()
    events_in = [thing for thing in recorded(nwbfile) if id(thing) not in used and is_event(thing)]
    for thing in sorted(events_in, key=path_of):
        path = path_of(thing)
        if isinstance(thing, DynamicTable):
            stamps, labels, repairs = read_event_table(thing, account)
        else:
            stamps, labels, repairs = _read_object(thing, path)
        taken.add(id(thing))
        n_found, is_table = len(stamps), isinstance(thing, DynamicTable)
        stamps, labels, mended, notes = _sound(stamps, labels, reach, any_order=is_table)
        account.add(
            *("events", path, n_found, len(stamps)), notes=notes, repairs=[*repairs, *mended]
        )
        events = Events(
            name=identifier(text(thing.name)),
            times=stamps,
            labels=labels,
            path=path,
            object_id=thing.object_id,
            description=text(getattr(thing, "description", "")),
        )
        found.append((events, identifier(text(getattr(thing.parent, "name", "")))))
    return with_unique_names(found), frozenset(taken)


def is_event(thing: Any) -> bool:
    """Whether an object of a file states moments rather than a signal."""
    if isinstance(thing, DynamicTable):
        return holds_events(thing)
    if type_name(thing) in EVENT_OBJECTS:
        return getattr(thing, "timestamps", None) is not None
    if type_name(thing) == DETECTED:
        return getattr(thing, "times", None) is not None
    if not isinstance(thing, TimeSeries) or thing.timestamps is None:
        return False  # with a rate it is a signal
    if isinstance(thing, AnnotationSeries) or type_name(thing.parent) == "BehavioralEvents":
        return True
    return _is_code(thing)


def _is_code(series: Any) -> bool:
    """Whether a plain series in acquisition holds whole-number codes and says what they are."""
    at_top = isinstance(series.parent, NWBFile)
    if not at_top or type_name(series) != "TimeSeries" or not is_vector(shape_of(series.data)):
        return False
    said = f"{text(series.name)} {text(series.description)}"
    return kind_of(series.data) in "iu" and _SAYS_EVENTS.search(said) is not None


def _read_object(thing: Any, path: str) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
    """The stamps (s) of an object that is not a table, and what each event was."""
    is_detected = type_name(thing) == DETECTED
    try:
        stamps = seconds(thing.times if is_detected else thing.timestamps, what="timestamps")
    except OddForm as error:
        return np.empty(0), None, [f"left out: {error}"]
    stored = None if is_detected else getattr(thing, "data", None)
    if stored is None:
        return stamps, None, []
    try:
        data = vector(stored, what="data", kinds=NUMBERS_OR_TEXT)
    except OddForm as error:
        return stamps, None, [f"{error}: no labels taken"]
    repairs = []
    if len(data) != len(stamps):
        n = min(len(data), len(stamps))
        repairs.append(f"{len(stamps):,} timestamps for {len(data):,} values: cut to the shorter")
        stamps, data = stamps[:n], data[:n]
    words = as_text(data)
    # a class made from the file's own words names an attribute after its dataset
    own = getattr(thing, "labels", getattr(thing, "data__labels", None))
    if own is not None and data.dtype.kind in "iu":
        try:
            meanings = vector(own, what=f"{path}/labels", kinds=NUMBERS_OR_TEXT).astype(str)
            inside = (data >= 0) & (data < len(meanings))
            if not (data == 0).any():  # nothing shows that it counts from 0
                pointers(data, len(meanings), what="data", of="its labels")
            if len(meanings):  # a code without a label is its own
                words = np.where(inside, meanings[np.where(inside, data, 0)], words)
        except OddForm as error:
            repairs.append(f"{error}: events keep their numbers")
    return stamps, words, repairs


def as_text(values: np.ndarray) -> np.ndarray:
    """Values as the words a person would write: 1, 0.5, left."""
    if values.dtype.kind == "f":
        return number_words(values)
    return values.astype(str)


def _sound(
    stamps: np.ndarray, labels: np.ndarray | None, reach: Reach, *, any_order: bool
) -> tuple[np.ndarray, np.ndarray | None, list[str], list[str]]:
    """Growing finite times near the recording, with labels that tell them apart or none.

    Then what was mended, and what to know. The rows of a table may stand in ``any_order``; a series
    is written as it happens, so that times that fall back far are not what they say.
    """
    margin = max(reach.stop - reach.start, 3600.0)
    finite = np.isfinite(stamps)
    far = finite & ((stamps < reach.start - margin) | (stamps > reach.stop + margin))
    mended = []
    if lost := int((~finite).sum()):
        mended.append(f"{counted(lost, 'event')} with NaN or infinite times dropped")
    if far.any():
        first, last = stamps[far].min(), stamps[far].max()
        span = f"{first:.6g} s" if first == last else f"{first:.6g} to {last:.6g} s"
        lost = counted(int(far.sum()), "event")
        mended.append(f"{lost} far outside the recording ({span}; {reach.of}: {reach}) dropped")
    keep = np.flatnonzero(finite & ~far)
    order = keep[np.argsort(stamps[keep], kind="stable")]
    notes = []
    backwards = int((np.diff(stamps[keep]) < 0).sum())
    if backwards and not any_order and (falls := far_falls(stamps[keep])):
        mended.append(falls.said)
    elif backwards:
        notes.append(f"not in the order of time at {counted(backwards, 'place')}: sorted")
    times = stamps[order]
    outside = int(((times < reach.start) | (times > reach.stop)).sum())
    if outside:
        notes.append(f"{counted(outside, 'event')} before or after {reach.of} ({reach}) kept")
    if labels is not None:
        labels = labels[order]
        if len(kinds := np.unique(labels)) <= 1:
            labels = None
        else:
            notes.append(f"{len(kinds):,} different labels")
    return times, labels, mended, notes
