"""The units of a session and their spikes → /units of a new NWB file."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from typing import Any

import numpy as np
from hdmf.common import VectorData
from pynwb.misc import Units

from nwbsparse import names
from nwbsparse.annotated.recording.identity import with_object_id
from nwbsparse.annotated.recording.tables import columns_of_units, ids_of, ragged, stretches
from nwbsparse.session import Session

_GROUP = "electrode_group"
_MEANT_OTHERWISE = ("waveform_mean", "waveform_sd", "waveforms", "electrodes", "spike_times")
"""Columns that NWB defines as more than one value per unit."""


def add_units(nwbfile: Any, session: Session) -> None:
    """Add the Units table: a row per unit, in the order of the session.

    Ids that are text stand in a column beside numbers. ``electrode_group`` becomes groups with the
    region of their first unit as their place. When units were observed is kept; where it is only known
    how long the recording was, that is what stands there.
    """
    units = session.units
    own = columns_of_units(units, without=(_GROUP, *_MEANT_OTHERWISE))
    ids, named = ids_of(units[names.UNIT_ID].values, {one.name for one in own})
    trains = [session.spikes_of(row) for row in range(session.n_units)]
    columns: list[VectorData] = [*ragged("spike_times", trains, "spike times, s"), *named, *own]
    if observed := observed_of(session):
        columns += stretches(observed)
    if _GROUP in units:
        columns.append(_groups(nwbfile, session))
    spacing = float(units.attrs.get("spike_time_spacing", 0.0))
    nwbfile.units = with_object_id(
        Units,
        session.source.units_object_id,
        name="units",
        description=f"the units of {session.source.identifier or 'the recording'}, as read",
        id=ids,
        columns=columns,
        **({"resolution": spacing} if spacing > 1e-9 else {}),
    )


def observed_of(session: Session) -> list[np.ndarray]:
    """When each unit was observed (s), as bins will be laid; empty where nothing is known of it."""
    if session.obs_intervals is not None:
        return list(session.obs_intervals)
    epochs = session.intervals.get("epochs")
    if session.extent is None or session.traces is not None:
        return []
    if epochs is not None and epochs.sizes[names.INTERVAL]:  # these say it before the extent does
        return []
    return [np.array([session.extent])] * session.n_units


def _groups(nwbfile: Any, session: Session) -> VectorData:
    """The electrode group of each unit."""
    said = session.units[_GROUP].values.astype(str)
    region = session.units.get("region")
    device = nwbfile.create_device(name="probe", description="not described by the source")
    made: dict[str, Any] = {}
    for at, name in enumerate(said):
        if name in made:
            continue
        place = "" if region is None or region.dtype.kind != "U" else str(region.values[at])
        made[name] = nwbfile.create_electrode_group(
            name=name.replace("/", "_") or "unknown",
            description="electrode group, as read",
            location=place or "unknown",
            device=device,
        )
    groups = [made[name] for name in said]
    return VectorData(name=_GROUP, description="the electrode group of the unit", data=groups)
