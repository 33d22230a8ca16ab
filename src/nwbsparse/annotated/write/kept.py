"""What of a recording is carried over into its annotated copy: all but raw data that nothing needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynwb import NWBFile
from pynwb.base import TimeSeriesReferenceVectorData
from pynwb.ecephys import ElectricalSeries
from pynwb.image import ImageSeries
from pynwb.ophys import OnePhotonSeries, TwoPhotonSeries

from nwbsparse.io.nwb.contents import is_within

RAW = (ElectricalSeries, TwoPhotonSeries, OnePhotonSeries, ImageSeries)
"""What counts as raw data in acquisition; everything else there stays."""


def leave_out_raw(nwbfile: Any) -> None:
    """Remove raw series from acquisition, except those that something kept refers to.

    Also kept is a series whose parts are shared: an LFP often uses the raw series' electrodes.
    """
    raw = {name: thing for name, thing in nwbfile.acquisition.items() if isinstance(thing, RAW)}
    for name in _unneeded(nwbfile, raw):
        nwbfile.acquisition.pop(name)


def leave_out_films(nwbfile: Any) -> tuple[str, ...]:
    """Remove stimuli whose frames lie in films outside the file, which no self-contained file has.

    Except those that something kept refers to, as in ``leave_out_raw``. Returns their names.
    """
    films = {
        name: thing
        for name, thing in nwbfile.stimulus.items()
        if isinstance(thing, ImageSeries) and getattr(thing, "external_file", None) is not None
    }
    gone = _unneeded(nwbfile, films)
    for name in gone:
        nwbfile.stimulus.pop(name)
    return tuple(sorted(gone))


def _unneeded(nwbfile: Any, candidates: Mapping[str, Any]) -> set[str]:
    """Those of some series that nothing else in the file refers to."""
    owner = {
        id(part): name
        for part in nwbfile.objects.values()
        for name, thing in candidates.items()
        if is_within(part, thing)
    }
    needed = {
        owner[id(value)]
        for thing in nwbfile.objects.values()
        for value in _referred(thing)
        if id(value) in owner and owner.get(id(thing)) != owner[id(value)]
    }
    return set(candidates) - needed


def allow_plain_columns(nwbfile: Any) -> None:
    """Let columns that should be ragged but were stored without an index be exported as they are.

    Real files (DANDI:000207) hold one electrode per unit as a plain column. pynwb reads that, but
    cannot write it again: it asks the table for an index and the column for the target of one.
    """
    for thing in nwbfile.objects.values():
        for column in getattr(type(thing), "__columns__", ()):
            index = f"{column['name']}_index"
            if column.get("index") and not hasattr(thing, index):
                object.__setattr__(thing, index, None)
                plain = thing.get(column["name"])
                if plain is not None:
                    object.__setattr__(plain, "target", plain)


def _referred(thing: Any) -> list[Any]:
    if isinstance(thing, TimeSeriesReferenceVectorData):
        return [thing[row].timeseries for row in range(len(thing))]
    if isinstance(thing, NWBFile):
        return []
    found: list[Any] = []
    for value in thing.fields.values():
        found += list(value) if isinstance(value, list | tuple) else [value]
    return found
