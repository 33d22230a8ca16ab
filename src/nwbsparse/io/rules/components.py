"""Components of a signal (x, y, z) that say nothing: found where it is read, and named."""

from __future__ import annotations

import numpy as np

from nwbsparse.io.rules.account import listed

AXES = "xyz"


def measured_components(data: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The data (sample, space) without components that hold no number at all, and what to say.

    They would make every sample unknown. What never changes stays, since it is measured: it is named.
    """
    if data.ndim != 2 or not data.size:
        return data, []
    known = np.isfinite(data)
    measured = known.any(axis=0)
    if not measured.any():
        return data, []
    notes = []
    if not measured.all():
        gone = listed([AXES[at] for at in np.flatnonzero(~measured)])
        notes.append(f"its {gone} was never measured: left out")
    low, high = np.fmin.reduce(data), np.fmax.reduce(data)
    still = np.flatnonzero(measured & (low == high))
    if len(still) and len(still) < measured.sum():
        axes = listed([f"{AXES[at]} ({low[at]:g})" for at in still])
        notes.append(
            f"its {axes} never changes: it says nothing, and is neither mapped nor decoded"
        )
    kept = data[:, measured]
    return (kept[:, 0] if kept.shape[1] == 1 else kept), notes
