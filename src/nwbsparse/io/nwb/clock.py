"""The clock of a TimeSeries."""

from __future__ import annotations

from typing import Any

from nwbsparse.io.rules.clock import Clock, clock_of_rate, clock_of_stamps
from nwbsparse.io.rules.vectors import OddForm, seconds


def clock_of(series: Any, n_samples: int, *, path: str, rate: float | None = None) -> Clock:
    """When the samples of a series were taken, from its timestamps or from its rate.

    ``rate`` (Hz) takes the place of a stored rate that is no clock.
    """
    if series.timestamps is None:
        stated = None if series.rate is None else float(series.rate)
        return clock_of_rate(stated, float(series.starting_time or 0.0), n_samples, given=rate)
    try:
        stamps = seconds(series.timestamps, what=f"{path}/timestamps")
    except OddForm as error:
        return Clock(refusal=f"left out: {error}")
    return clock_of_stamps(stamps, n_samples)
