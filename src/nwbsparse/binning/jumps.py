"""Where a position or an angle jumps: no movement, and no speed, lies across such a step."""

from __future__ import annotations

import numpy as np

from nwbsparse import names
from nwbsparse.binning.clock import GAP
from nwbsparse.binning.measured import is_measured
from nwbsparse.session import Series

FAR = 0.1
"""Share of the whole range by which a signal must change from one sample to the next to jump: no
animal crosses a tenth of its arena between two frames."""
SUDDEN = 10.0
"""Times the usual step around it that a jump must be: fast movement speeds up and slows down over
several samples, a jump does not."""
AROUND = 10
"""Samples before and after that say what is usual there."""
WHOLE_RANGE = 0.8
"""Share of the range that a jump must span to be a return to the start of a lap."""


def jumps(series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Samples that a position or angle jumps to, and how far, as a share of its range.

    A jump is a step of a tenth of the range or more that is ten times the usual (median) step of the
    ten samples before and after; of a signal of few values, which moves in steps, only one over
    (nearly) the whole range. Steps over gaps of the clock, from and to NaN are none.
    """
    data = series.data if series.data.ndim > 1 else series.data[:, None]
    good = np.isfinite(data).all(axis=1)
    nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
    if good.sum() < 2 * AROUND:
        return nothing
    with np.errstate(invalid="ignore"):
        change = np.diff(data, axis=0)
        if series.kind == names.CIRCULAR:
            change, extent = np.angle(np.exp(1j * change)), np.pi
        else:
            low, high = np.percentile(data[good], [0.5, 99.5], axis=0)
            extent = float((high - low).max())
    if extent <= 0:
        return nothing
    size = np.linalg.norm(change, axis=1) / extent
    apart = np.diff(series.times)
    size[(apart <= 0) | (apart > GAP * np.median(apart))] = np.nan
    far = np.flatnonzero(size >= FAR)
    if not is_measured(series):
        sudden = far[size[far] >= WHOLE_RANGE]
    else:
        usual = np.array([_usual(size, one) for one in far.tolist()])
        sudden = far[size[far] >= SUDDEN * usual] if len(far) else far
    return sudden + 1, size[sudden]


def _usual(size: np.ndarray, at: int) -> float:
    around = np.concatenate([size[max(at - AROUND, 0) : at], size[at + 1 : at + 1 + AROUND]])
    return float(np.median(around[np.isfinite(around)])) if np.isfinite(around).any() else np.inf
