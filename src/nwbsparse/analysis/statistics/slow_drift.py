"""What drifts slowly over a session."""

from __future__ import annotations

import numpy as np


def drift_basis(times: np.ndarray, population: np.ndarray) -> np.ndarray:
    """(bin, column) orthonormal: a cubic in session time and the population rate, where it varies."""
    span = max(float(np.ptp(times)), 1e-9)
    t = 2 * (times - times.min()) / span - 1
    rate = population - population.mean()
    spread = rate.std()
    columns = [np.ones_like(t), t, t**2, t**3] + ([rate / spread] if spread > 0 else [])
    return np.linalg.qr(np.stack(columns, axis=1))[0]
