"""When the recording ran by its raw series, and whether the spikes bear that out."""

from __future__ import annotations

from typing import Any

import numpy as np
from pynwb.ecephys import ElectricalSeries

from nwbsparse.io.nwb.contents import recorded
from nwbsparse.io.nwb.traces import is_turned
from nwbsparse.io.nwb.unit_rows import n_rows_of
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.values import shape_of
from nwbsparse.io.rules.vectors import is_vector, kind_of

NEARLY_ALL = 0.99
"""Share of the spikes that the raw series must hold to be when the recording ran: they were sorted from
it. Many files hold only a piece of it, to show what it looks like."""


def recording_extent(nwbfile: Any) -> tuple[float, float] | None:
    """Start and stop (s) of the raw electrical series in acquisition; None when there are none.

    Only the first and the last timestamp are read. Series without samples or a sound clock are
    passed over. One that was stored channels first lasts as long as its other axis.
    """
    spans = []
    for thing in recorded(nwbfile):
        series: Any = thing
        if not isinstance(thing, ElectricalSeries) or series.parent is not nwbfile:
            continue
        if not (n_samples := _n_samples(series)):
            continue
        if series.timestamps is not None and shape_of(series.timestamps)[0]:
            if (
                not is_vector(shape_of(series.timestamps))
                or kind_of(series.timestamps) not in "iuf"
            ):
                continue
            ends = np.ravel(series.timestamps[0]), np.ravel(series.timestamps[-1])
            start, stop = float(ends[0][0]), float(ends[1][-1])
        elif series.rate:
            start = float(series.starting_time or 0.0)
            stop = start + n_samples / float(series.rate)
        else:
            continue
        if np.isfinite([start, stop]).all() and stop > start:
            spans.append((start, stop))
    return (min(s for s, _ in spans), max(e for _, e in spans)) if spans else None


def borne_out(
    extent: tuple[float, float] | None, spikes: np.ndarray, account: Account
) -> tuple[float, float] | None:
    """The extent of the raw series where it holds (nearly) all spikes; else None, and it is said."""
    if extent is None or not len(spikes):
        return extent
    n_held = int(np.count_nonzero((spikes >= extent[0]) & (spikes <= extent[1])))
    if n_held >= NEARLY_ALL * len(spikes):
        return extent
    note = (
        f"{extent[0]:.6g} to {extent[1]:.6g} s: it holds {n_held:,} of {len(spikes):,} spikes "
        f"({spikes.min():.6g} to {spikes.max():.6g} s), so it is a piece of the recording or on another "
        "clock, and not when units were recorded"
    )
    account.add("other", "extent of the raw recording", 1, 0, notes=[note])
    return None


def _n_samples(series: Any) -> int:
    shape = shape_of(series.data)
    n_stamps = (shape_of(series.timestamps) or (None,))[0]
    n_channels = n_rows_of(getattr(series, "electrodes", None))
    turned = is_turned(shape, n_units=n_channels, n_stamps=n_stamps)
    return (shape[1] if turned else shape[0]) if shape else 0
