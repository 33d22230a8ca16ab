"""False-discovery rates over many tests."""

from __future__ import annotations

import numpy as np
from scipy import stats


def false_discovery_rate(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg q values; NaN stays NaN and does not count as a test."""
    q = np.full(p.shape, np.nan)
    tested = np.isfinite(p)
    if tested.any():
        q[tested] = stats.false_discovery_control(p[tested], method="bh")
    return q
