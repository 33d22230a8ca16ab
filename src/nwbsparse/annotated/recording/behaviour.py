"""Behaviour, events and intervals of a session → an NWB file, new or not."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable, VectorData
from pynwb import TimeSeries
from pynwb.behavior import CompassDirection, Position, SpatialSeries

from nwbsparse import names
from nwbsparse.annotated.elements.storage import packed
from nwbsparse.annotated.recording import tables
from nwbsparse.annotated.recording.traces import clock
from nwbsparse.errors import BadInput
from nwbsparse.session import Events, Series

_NAMED = ("trials", "epochs")


def add_behaviour(
    nwbfile: Any,
    *,
    series: Mapping[str, Series],
    events: Mapping[str, Events],
    intervals: Mapping[str, xr.Dataset],
) -> None:
    """Add behaviour to a file, where NWB has its place: found again by what it is, under its name.

    Positions stand in ``Position``, angles in ``CompassDirection``, other signals in the module
    ``behavior`` itself; events are tables there, a row each; intervals are tables of /intervals.

    Raises:
        BadInput: the file has a table of intervals of that name.
    """
    for name, table in intervals.items():
        _add_intervals(nwbfile, name, table)
    if not series and not events:
        return
    module = nwbfile.processing.get("behavior")
    if module is None:
        module = nwbfile.create_processing_module("behavior", "behaviour and events, as read")
    taken = {*module.data_interfaces, *series, *events}
    for kind, make in ((names.POSITION, Position), (names.CIRCULAR, CompassDirection)):
        placed = [_spatial(one) for one in series.values() if one.kind == kind]
        if placed:
            name = tables.free(make.__name__, taken)
            module.add(make(name=name, spatial_series=placed))
    for one in series.values():
        if one.kind == names.CONTINUOUS:
            module.add(TimeSeries(**_sampled(one, one.unit or "n.a.")))
    for one in events.values():
        if len(one.times):  # what never happened has no place
            module.add(_moments(one))


def _add_intervals(nwbfile: Any, name: str, table: xr.Dataset) -> None:
    made = tables.intervals(name, table)
    if name in (nwbfile.intervals or {}) or (name in _NAMED and getattr(nwbfile, name) is not None):
        raise BadInput(f"the file has intervals '{name}' already; rename those that are joined")
    if name in _NAMED:
        setattr(nwbfile, name, made)
    else:
        nwbfile.add_time_intervals(made)


def _sampled(one: Series, unit: str) -> dict[str, Any]:
    return {
        "name": one.name,
        "data": packed(one.data),
        "unit": unit,
        "description": one.description or f"{one.name.replace('_', ' ')}, as read",
        **clock(one.times),
    }


def _spatial(one: Series) -> SpatialSeries:
    unit = "radians" if one.kind == names.CIRCULAR else one.unit or "n.a."
    return SpatialSeries(**_sampled(one, unit), reference_frame="not described by the source")


def _moments(one: Events) -> DynamicTable:
    """A row per event: when, and what it was where they differ."""
    stamps = np.asarray(one.times, np.float64)
    columns = [VectorData(name="timestamp", description="when the event was, s", data=stamps)]
    if one.labels is not None:
        columns.append(tables.column("event_type", one.labels, "what the event was"))
    return DynamicTable(
        name=one.name,
        description=one.description or f"{one.name.replace('_', ' ')}: one event per row",
        columns=columns,
    )
