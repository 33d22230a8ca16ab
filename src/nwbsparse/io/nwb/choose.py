"""Which series of a recording are its activity: found by type, chosen by name, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pynwb import TimeSeries
from pynwb.ecephys import ElectricalSeries, SpikeEventSeries
from pynwb.image import ImageSeries
from pynwb.ophys import RoiResponseSeries

from nwbsparse.errors import BadInput, did_you_mean
from nwbsparse.io.nwb.contents import recorded
from nwbsparse.io.nwb.marks import units_of_activity
from nwbsparse.io.rules.names import type_name
from nwbsparse.io.rules.values import shape_of, text
from nwbsparse.io.rules.vectors import NUMBERS, kind_of
from nwbsparse.naming.listed_names import names_in

ROI = "fluorescence"
FIELD = "field potential"
COUNTS = "binned spikes"
OWN = "activity"
"""What nwbsparse wrote of a source that was no NWB file."""
PLAIN = "series"
_COUNT_TYPES = ("BinnedSpikes", "BinnedAlignedSpikes")
_WILD = frozenset("*?[")


@dataclass(frozen=True)
class Candidate:
    """A series that could be the activity of a recording."""

    thing: Any
    path: str
    kind: str
    """ROI, FIELD, COUNTS, OWN or PLAIN."""

    @property
    def name(self) -> str:
        return text(self.thing.name)

    def __str__(self) -> str:
        unit = "counts" if self.kind == COUNTS else text(self.thing.unit)
        shape = " × ".join(str(n) for n in shape_of(self.thing.data))
        return f"{self.path} ({self.kind}, {shape}, in {unit or 'no unit'})"


def activity_kind(thing: Any) -> str:
    """What kind of activity an object of a file could be; '' when it cannot be any."""
    if type_name(thing) in _COUNT_TYPES:
        return COUNTS
    if not isinstance(thing, TimeSeries) or isinstance(thing, (ImageSeries, SpikeEventSeries)):
        return ""
    shape = shape_of(thing.data)
    if not shape or 0 in shape or len(shape) > 2:
        return ""
    if kind_of(thing.data) not in NUMBERS:
        return ""
    if isinstance(thing, RoiResponseSeries):
        return ROI
    if isinstance(thing, ElectricalSeries):
        return FIELD
    return PLAIN if units_of_activity(thing) is None else OWN


def activity_in(nwbfile: Any, *, path_of: Callable[[Any], str]) -> list[Candidate]:
    """Every series of a file that could be its activity, in the order of their paths."""
    found = [
        Candidate(thing, path_of(thing), kind)
        for thing in recorded(nwbfile)
        if (kind := activity_kind(thing))
    ]
    return sorted(found, key=lambda candidate: candidate.path)


def how_to_ask(thing: Any, *, path: str) -> str:
    """How a series that was left alone is read as activity; '' when it cannot be."""
    kind = activity_kind(thing)
    if kind in (ROI, COUNTS, OWN):
        return f"read it as activity with series='{path}'"
    return f"read its band power with series='{path}', band=(low, high)" if kind == FIELD else ""


def choose(
    candidates: Sequence[Candidate], series: str | None, *, band: bool, path: Any
) -> list[Candidate]:
    """The candidates that ``series`` names; without it, the only one there is.

    ``series`` is a name, container/name or a full path; several of them joined by commas; or a
    pattern such as ``Activity_*`` that takes all series whose names fit. A container's name stands
    for the one series in it. With ``band`` only field potentials are meant. Nothing is returned
    where nothing was asked for and nothing can be.

    Raises:
        BadInput: nothing or more than one series has a name, or several could be meant and
            ``series`` does not say which; all that there is is listed.
    """
    wanted = (FIELD,) if band else (ROI, COUNTS, OWN)
    if series is None:
        fitting = [candidate for candidate in candidates if candidate.kind in wanted]
        if len(fitting) > 1:
            raise BadInput(
                f"{len(fitting)} series of {path} could be its activity: give series= one of them, "
                f"or several joined by commas.{_list(fitting)}"
            )
        if band and not fitting:
            raise BadInput(f"band was given, but {path} holds no electrical series.")
        return fitting
    whole = _named(series, candidates)
    known = {said for one in candidates for said in (one.name, one.path, one.path[1:])}
    selectors = [series] if whole else names_in(series, known)
    chosen: list[Candidate] = []
    for selector in selectors:
        found = _named(selector, candidates)
        if not found:
            raise BadInput(_unknown(selector, candidates, wanted, path))
        if len(found) > 1 and not _WILD & set(selector):
            raise BadInput(
                f"series='{selector}' names {len(found)} series of {path}: give container/name or "
                f"the full path.{_list(found)}"
            )
        chosen += [candidate for candidate in found if candidate not in chosen]
    _check_kinds(chosen, band=band, path=path)
    return chosen


def pattern_of(candidates: Iterable[Candidate]) -> str:
    """The pattern that takes one series per unit (Activity_1, Activity_2 …); '' where none would do.

    They have one name but for a number, one column and as many samples.
    """
    alike: dict[tuple[str, int], list[Candidate]] = {}
    everything = list(candidates)
    for one in everything:
        shape = shape_of(one.thing.data)
        stem = one.name.rstrip("0123456789")
        if stem and stem != one.name and (len(shape) == 1 or shape[1] == 1):
            alike.setdefault((stem, shape[0]), []).append(one)
    several = [(stem, found) for (stem, _), found in alike.items() if len(found) > 1]
    if not several:
        return ""
    stem, found = max(several, key=lambda one: len(one[1]))
    for pattern in (f"{stem}*", f"{stem}[0-9]*"):
        if _named(pattern, everything) == found:
            return pattern
    return ""


def _named(selector: str, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that a selector names, by the first rule that finds any."""
    place = f"/{selector.strip('/')}"
    rules: tuple[Callable[[Candidate], bool], ...] = (
        lambda one: one.path == place,
        lambda one: one.name == selector,
        lambda one: one.path.endswith(place),
        lambda one: one.path.rpartition("/")[0].endswith(place),
        lambda one: fnmatchcase(one.path if "/" in selector else f"/{one.name}", f"*{place}"),
    )
    if "/" not in selector:  # a pattern of names fits whole names
        rules = (*rules[:-1], lambda one: fnmatchcase(one.name, selector))
    everything = list(candidates)
    for rule in rules:
        if found := [candidate for candidate in everything if rule(candidate)]:
            return found
    return []


def _check_kinds(chosen: list[Candidate], *, band: bool, path: Any) -> None:
    kinds = {candidate.kind for candidate in chosen}
    if band and kinds != {FIELD}:
        other = next(candidate for candidate in chosen if candidate.kind != FIELD)
        raise BadInput(f"band is for electrical series; {other} of {path} is none. Leave it out.")
    if not band and FIELD in kinds:
        field = next(candidate for candidate in chosen if candidate.kind == FIELD)
        raise BadInput(
            f"{field} of {path} is a field potential: give band=(low, high) in Hz, and its power "
            "in that band is read."
        )
    if COUNTS in kinds and len(chosen) > 1:
        raise BadInput(f"binned spikes cannot be joined with other series.{_list(chosen)}")


def _unknown(selector: str, candidates: Sequence[Candidate], wanted: Any, path: Any) -> str:
    known = [candidate.name for candidate in candidates] + [one.path for one in candidates]
    fitting = [candidate for candidate in candidates if candidate.kind in wanted]
    return (
        f"no series '{selector}' in {path}{did_you_mean(selector, dict.fromkeys(known))}. "
        f"There {'is' if len(fitting or candidates) == 1 else 'are'}:"
        f"{_list(fitting or candidates)}"
    )


def _list(candidates: Sequence[Candidate], *, most: int = 20) -> str:
    lines = [f"\n- {candidate}" for candidate in candidates[:most]] or ["\n- nothing"]
    more = len(candidates) - most
    return "".join(lines) + (f"\n- and {more} more" if more > 0 else "")
