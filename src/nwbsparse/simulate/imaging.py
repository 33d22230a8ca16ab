"""Calcium imaging of a simulation → NWB: a plane, its ROIs, and ΔF/F of each."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pynwb.ophys import DfOverF, ImageSegmentation, OpticalChannel

from nwbsparse.simulate.contents import Imaging

_SIDE = 512
"""Pixels of the image, each way."""
_SOMA = 4
"""Pixels from the middle of a ROI to its edge."""


def add_imaging(
    nwbfile: Any, imaging: Imaging, columns: Mapping[str, Sequence[object] | np.ndarray]
) -> None:
    """Add the fluorescence as labs store it: ``processing/ophys/DfOverF``, with a ROI for each unit.

    Args:
        nwbfile: gets a device, a plane and the module ``ophys``.
        imaging: what was measured, and where.
        columns: what was planted in each unit, as columns of the ROIs.
    """
    n_units = imaging.dff.shape[1]
    channel = OpticalChannel(name="green", description="simulated", emission_lambda=520.0)
    plane = nwbfile.create_imaging_plane(
        name="plane",
        description="simulated",
        optical_channel=channel,
        device=nwbfile.create_device(name="microscope", description="simulated"),
        excitation_lambda=910.0,
        indicator=imaging.indicator,
        location=imaging.region,
        imaging_rate=imaging.rate,
    )
    segmentation: Any = ImageSegmentation()
    module = nwbfile.create_processing_module("ophys", "simulated calcium imaging")
    module.add(segmentation)
    rois = segmentation.create_plane_segmentation(
        name="rois", description="ROIs (simulated: discs side by side)", imaging_plane=plane
    )
    for name in columns:
        rois.add_column(name, f"{name.replace('_', ' ')} (planted)")
    for unit in range(n_units):
        values = {name: column[unit] for name, column in columns.items()}
        rois.add_roi(pixel_mask=_disc(unit), **values)
    region = rois.create_roi_table_region(description="every ROI", region=list(range(n_units)))
    dff: Any = DfOverF()
    module.add(dff)
    dff.create_roi_response_series(
        name="dff",
        data=imaging.dff,
        rois=region,
        unit="dF/F",
        description="dF/F of every ROI (simulated)",
        starting_time=0.5 / imaging.rate,  # in the middle of the first frame
        rate=imaging.rate,
    )


def _disc(unit: int) -> list[tuple[int, int, float]]:
    """Pixels (x, y, weight) of a ROI: discs in rows, from the top of the image on."""
    step = 2 * _SOMA + 4
    in_row = _SIDE // step
    x0, y0 = step * (unit % in_row) + step // 2, step * (unit // in_row) + step // 2
    reach = np.arange(-_SOMA, _SOMA + 1)
    inside = [(x, y) for x in reach for y in reach if x * x + y * y <= _SOMA * _SOMA]
    return [(int(x0 + x), int(y0 + y), 1.0) for x, y in inside]
