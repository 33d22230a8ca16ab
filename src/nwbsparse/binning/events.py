"""Moments → how many of them fall into each bin."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.grid import Grid
from nwbsparse.session import Events


def count_events(events: Events, grid: Grid) -> xr.DataArray:
    """(time,) number of events in each bin (role 'event'); those in no bin are counted beside.

    The kinds of event, where they differ, stand in the attribute ``labels`` with how often each
    occurred.
    """
    bins = grid.index(events.times)
    counts = np.bincount(bins[bins >= 0], minlength=grid.size)
    attrs = {
        names.ROLE: names.ROLE_EVENT,
        "dropped": int((bins < 0).sum()),
        "path": events.path,
        "object_id": events.object_id,
    }
    if events.labels is not None:
        kinds, n = np.unique(events.labels.astype(str), return_counts=True)
        attrs["labels"] = json.dumps(dict(zip(kinds.tolist(), n.tolist(), strict=True)))
    kind = np.min_scalar_type(int(counts.max(initial=0)))
    return xr.DataArray(counts.astype(kind), dims=names.TIME, attrs=attrs)
