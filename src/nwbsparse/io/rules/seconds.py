"""Can these be the seconds of a session? Unix times, samples and milliseconds are not."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from nwbsparse.errors import BadInput

SECONDS_PER_DAY: Final = 86_400.0
EPOCH_LIKE: Final = 1e8
"""No session lasts three years: a first spike past this (s) is a Unix time or a sample count."""
SLOWEST: Final = 0.05
"""Hz: over more than a day, a lower median rate of all units means another unit of time."""


def check_seconds(
    extent: tuple[float, float],
    n_spikes: np.ndarray,
    path: Path,
    *,
    scalable: bool,
    sampling_frequency: float | None = None,
) -> None:
    """Refuse spike times that cannot be those of a session.

    ``extent`` is the first and last spike (s), ``n_spikes`` (unit,) how many each unit has.
    ``scalable`` says that the caller can be asked for a ``time_scale``; else the times come from
    ``sampling_frequency`` (samples per second), or were stored in seconds where that is None.

    Raises:
        BadInput: the first spike is years after 0, or the session lasts days at almost no rate.
    """
    first, last = extent
    if first > EPOCH_LIKE:
        kind, remedy = "Unix time", "Check the sampling frequency; Unix times"
        if scalable:
            kind = "Unix time or samples"
            remedy = "For samples or milliseconds give time_scale (--time-scale); Unix times"
        raise BadInput(
            f"the first spike of {path} is at {first:.6g} s: that looks like {kind}, not seconds "
            f"since the session start. {remedy} must be rewritten minus the session start."
        )
    days = (last - first) / SECONDS_PER_DAY
    if days <= 1:
        return
    rate = float(np.median(n_spikes[n_spikes > 0])) / (last - first)
    if rate >= SLOWEST:
        return
    if scalable:
        raise BadInput(
            f"median rate {rate:.2g} Hz and length {days:.1f} days of {path} look like samples or "
            "milliseconds; use time_scale (--time-scale): 0.001 for milliseconds, 1 / sampling "
            "rate for samples."
        )
    clock = "as seconds"
    if sampling_frequency is not None:
        clock = f"at {sampling_frequency:g} samples per second"
    raise BadInput(
        f"{clock} the spikes of {path} span {days:.1f} days with a median rate of {rate:.2g} Hz: "
        "that looks wrong; check the sampling frequency."
    )
