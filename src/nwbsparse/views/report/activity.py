"""What a recording holds of its units, in words: spikes, or traces of imaging."""

from __future__ import annotations

import xarray as xr

from nwbsparse import names


def is_of_traces(binned: xr.Dataset) -> bool:
    """Whether units have traces, and no spikes to speak of."""
    return bool(binned[names.COUNTS].dtype.kind == "f")


def activity_called(binned: xr.Dataset) -> str:
    """'spikes', or 'traces'."""
    return "traces" if is_of_traces(binned) else "spikes"
