"""What the units of a recording did, as one checksum per unit: so that edits made later are noticed.

A checksum of a file says that something in it changed, not what; and an annotated copy is another file
than its recording anyway. These are taken over the activity as it was read, so that they are the same
for HDF5 and Zarr, and for every copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from nwbsparse.session import Session

SAMPLES = 4096
"""Samples of a series that are looked at: all of a long one would take as long as reading it."""
COMPUTED = "lfp"
"""Modality of units whose activity is computed on reading (band power), not read: it may differ in its
last digits from one machine to the next, so it has no checksum."""

Unit = tuple[int, str]
"""Row in the table of the source, and name: its id, with its row where ids repeat."""
UnitDigests = Mapping[Unit, str]


def unit_digests(session: Session) -> dict[Unit, str]:
    """The SHA-256 of what each unit of a recording did.

    Of spikes: their times (float64, s, as read). Of a series: the number of its samples, and time and
    value (float64) of at most 4,096 of them, evenly spaced; an edit of samples between these is not
    noticed. Units of which nothing can be said (power in a band) are left out.
    """
    rows = session.unit_rows
    if session.traces is None:
        said = [_sha256(session.spikes_of(unit)) for unit in range(session.n_units)]
    else:
        said = _of_traces(session)
    return {
        (int(row), str(name)): digest
        for row, name, digest in zip(rows, session.unit_names, said, strict=True)
        if digest
    }


def _of_traces(session: Session) -> list[str]:
    traces = session.traces
    assert traces is not None
    n = len(traces.times)
    looked_at = np.unique(np.linspace(0, max(n - 1, 0), min(n, SAMPLES)).round().astype(np.int64))
    times, values = traces.times[looked_at], traces.data[looked_at]
    kinds = session.units.get("modality")
    return [
        ""
        if kinds is not None and str(kinds.values[unit]) == COMPUTED
        else _sha256(np.concatenate([[n], times, values[:, unit]]))
        for unit in range(session.n_units)
    ]


def _sha256(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values, dtype="<f8").tobytes()).hexdigest()
