"""Activity around every trial: (trial, time, unit), aligned to the moment that is asked for."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.counts import count_window
from nwbsparse.binning.observed import observed
from nwbsparse.binning.select_units import Units, select_units
from nwbsparse.errors import BadInput, unknown
from nwbsparse.session import EDGE_TOLERANCE, Session


def trial_counts(
    session: Session,
    table: str = "trials",
    *,
    align: str = "start_time",
    before: float,
    after: float,
    bin_width: float,
    units: Units | None = None,
) -> xr.Dataset:
    """Count spikes in bins around one moment of every trial.

    The bins are laid out anew around each moment, so that the moment itself is always an edge:
    no trial is shifted by part of a bin.

    Args:
        session: a recording with spikes.
        table: name of the interval table.
        align: column with the moment (s): ``start_time``, ``stop_time`` or an event time.
        before: seconds before the moment; a negative value starts after it.
        after: seconds after it.
        bin_width: seconds; before + after should be a multiple of it.
        units: as in :func:`nwbsparse.to_bins`.

    Returns:
        Dataset with ``counts(trial, time, unit)``; ``time`` are bin centres relative to the moment;
        ``observed(trial)`` is False where the window leaves the recording (a zero there is not
        silence) or the moment is NaN; the table's columns are coordinates of ``trial``.

    Raises:
        BadInput: there is no such table or column, or the window is empty.
    """
    if table not in session.intervals:
        raise unknown(table, session.intervals, what="table")
    rows = session.intervals[table]
    if align not in rows:
        raise unknown(align, rows.data_vars, what="column", of=table)
    n_bins = int(np.floor((before + after + EDGE_TOLERANCE) / bin_width)) if bin_width > 0 else 0
    if n_bins < 1:
        raise BadInput(f"a window of {before + after:g} s holds no bin of {bin_width:g} s")
    chosen = select_units(session, units)
    moments = rows[align].values.astype(np.float64)
    counts = np.zeros((len(moments), n_bins, len(chosen)), dtype=np.uint16)
    seen = np.zeros(len(moments), dtype=bool)
    starts = moments - before
    stretches, _ = observed(session)
    if len(stretches):
        # of sorted stretches only the last that begins by then can hold it; after all for NaN
        at = np.searchsorted(stretches[:, 0], starts + EDGE_TOLERANCE, side="right") - 1
        ends = np.where(at >= 0, stretches[np.maximum(at, 0), 1], -np.inf) + EDGE_TOLERANCE
        seen = np.isfinite(moments) & (starts + n_bins * bin_width <= ends)
    for trial, start in enumerate(starts):
        if np.isfinite(start):
            counts[trial] = count_window(session, chosen, start, n_bins, bin_width)
    coords: dict[str, object] = {
        names.TRIAL: np.arange(len(moments)),
        names.TIME: (np.arange(n_bins) + 0.5) * bin_width - before,
        names.UNIT: np.arange(len(chosen)),
        names.UNIT_ID: (names.UNIT, session.unit_names[chosen]),
    }
    for name, column in rows.data_vars.items():
        if name not in coords:
            coords[str(name)] = (names.TRIAL, column.values)
    return xr.Dataset(
        {
            names.COUNTS: ((names.TRIAL, names.TIME, names.UNIT), counts),
            "observed": (names.TRIAL, seen),
        },
        coords=coords,
        attrs={names.BIN_WIDTH: bin_width, "align": f"{table}.{align}", names.TIME_UNIT: "s"},
    )
