"""Activity that is no spikes → an NWB file: fluorescence of ROIs, or a series with a table of units."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from typing import Any

import numpy as np
from hdmf.common import DynamicTable, DynamicTableRegion, VectorData
from pynwb import TimeSeries
from pynwb.ophys import (
    DfOverF,
    Fluorescence,
    ImageSegmentation,
    OpticalChannel,
    PlaneSegmentation,
)

from nwbsparse import names
from nwbsparse.annotated.elements.storage import packed
from nwbsparse.annotated.recording.tables import (
    columns_of_units,
    free,
    ids_of,
    plain_name,
    stretches,
)
from nwbsparse.io.nwb.marks import words_of_activity
from nwbsparse.io.nwb.unit_rows import MODALITY
from nwbsparse.session import Session, Traces

_RATIO = ("dF/F", "df/f", "dF_F")


def add_traces(nwbfile: Any, session: Session) -> None:
    """Add the activity, on its clock and with its units.

    Traces of ROIs become a PlaneSegmentation (without shapes, which no source of ours states as
    numbers) and a RoiResponseSeries. Ready-made counts and other traces become a plain series in the
    module ``ecephys``, (time, unit), beside a table with a row per unit; its comments say so.
    """
    assert session.traces is not None
    kinds = session.units.get(MODALITY)
    if kinds is not None and session.n_units and (kinds.values == "ophys").all():
        _add_fluorescence(nwbfile, session, session.traces)
    else:
        _add_series(nwbfile, session, session.traces)


def clock(times: np.ndarray) -> dict[str, Any]:
    """When samples were taken: by start and rate where these give the very same times, else by stamps."""
    if len(times) > 1 and times[-1] > times[0]:
        rate = (len(times) - 1) / (times[-1] - times[0])
        for one in dict.fromkeys((float(np.round(rate, 6)), float(rate))):
            if one > 0 and np.array_equal(times[0] + np.arange(len(times)) / one, times):
                return {"starting_time": float(times[0]), "rate": one}
    return {"timestamps": packed(np.asarray(times, np.float64))}


def _add_fluorescence(nwbfile: Any, session: Session, traces: Traces) -> None:
    device = nwbfile.create_device(name="microscope", description="not described by the source")
    plane = nwbfile.create_imaging_plane(
        name="ImagingPlane",
        description="not described by the source",
        optical_channel=OpticalChannel(
            name="OpticalChannel",
            description="not described by the source",
            emission_lambda=float("nan"),
        ),
        device=device,
        excitation_lambda=float("nan"),
        indicator="unknown",
        location="unknown",
    )
    columns = columns_of_units(session.units, without=(MODALITY, "plane"))
    ids, named = ids_of(session.units[names.UNIT_ID].values, {one.name for one in columns})
    rois = PlaneSegmentation(
        name="PlaneSegmentation",
        description="ROIs, as read; their shapes are not in this file",
        imaging_plane=plane,
        id=ids,
        columns=[_no_shapes(session.n_units), *named, *columns],
    )
    module = nwbfile.create_processing_module("ophys", "traces of ROIs, as read")
    module.add(ImageSegmentation(plane_segmentations=[rois]))
    # a region must lie in the file of its table before it gets its place
    holder: Any = (DfOverF if traces.name in _RATIO else Fluorescence)()
    module.add(holder)
    region = DynamicTableRegion(
        name="rois",
        description="every ROI",
        data=np.arange(session.n_units),
        table=rois,
    )
    holder.create_roi_response_series(
        name=plain_name(traces.name),
        data=packed(traces.data),
        rois=region,
        unit=traces.unit or "n.a.",
        description=traces.description or f"{traces.name} of every ROI",
        **clock(traces.times),
    )


def _no_shapes(n_units: int) -> VectorData:
    """NWB asks for a shape of every ROI: here no pixel is finite, so none is a member."""
    return VectorData(
        name="image_mask",
        description="the source states no shapes as numbers: not a number, in an image of one pixel",
        data=np.full((n_units, 1, 1), np.nan, dtype=np.float32),
    )


def _add_series(nwbfile: Any, session: Session, traces: Traces) -> None:
    module = nwbfile.processing.get("ecephys")
    if module is None:
        module = nwbfile.create_processing_module("ecephys", "activity of units, as read")
    name = free(plain_name(traces.name), module.data_interfaces)
    columns = columns_of_units(session.units)
    ids, named = ids_of(session.units[names.UNIT_ID].values, {one.name for one in columns})
    columns = [*named, *columns]
    if session.obs_intervals is not None:
        columns += stretches(session.obs_intervals)
    table = DynamicTable(
        name=f"{name}_units",
        description=f"the units whose activity is in '{name}', in the order of its columns",
        id=ids,
        columns=columns,
    )
    counts = traces.bin_width is not None
    module.add(table)
    module.add(
        TimeSeries(
            name=name,
            data=packed(traces.data),
            unit="spikes" if counts else traces.unit or "n.a.",
            description=traces.description or ("spikes per bin" if counts else "traces of units"),
            comments=words_of_activity(table.name, traces.bin_width),
            **clock(traces.times),
        )
    )
