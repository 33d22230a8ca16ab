"""When sampled activity was recorded: its step, and the stretches without a pause."""

from __future__ import annotations

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.session import Traces

GAP = 3.0
"""Median steps between two samples from which on the recording is taken to have paused."""


def trace_step(traces: Traces) -> float:
    """Seconds from one sample to the next (median), or the width of ready-made bins."""
    if traces.bin_width is not None:
        return float(traces.bin_width)
    return float(np.median(np.diff(traces.times))) if len(traces.times) > 1 else 0.0


def trace_stretches(traces: Traces) -> np.ndarray:
    """(n, 2) s: where samples follow one another without a pause; each covers half a step around.

    Raises:
        BadInput: fewer than two samples.
    """
    if len(traces.times) < 2:
        raise BadInput(f"{traces.name} has {len(traces.times)} samples; at least 2 are needed")
    step = trace_step(traces)
    # ready-made bins follow one another exactly, or there was a pause
    limit = (1 + 1e-3) * step if traces.bin_width is not None else GAP * step
    cuts = np.flatnonzero(np.diff(traces.times) > limit)
    first = traces.times[np.r_[0, cuts + 1]] - step / 2
    last = traces.times[np.r_[cuts, len(traces.times) - 1]] + step / 2
    return np.column_stack([first, last])
