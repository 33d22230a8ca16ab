"""Can these be the seconds of a session? Unix times, samples and milliseconds are not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.rules.spikes import Spikes

SECONDS_PER_DAY: Final = 86_400.0
EPOCH_LIKE: Final = 1e8
"""No session lasts three years: a first spike past this (s) is a Unix time or a sample count."""
SLOWEST: Final = 0.05
"""Hz: over more than a day, a lower median rate of all units means another unit of time."""


HOUR: Final = 3600.0
"""Seconds: an hour in which nobody fires was not recorded, where nothing says when it was."""


def check_seconds(
    spikes: Spikes,
    path: Path,
    *,
    scalable: bool,
    observed: Sequence[np.ndarray] | None = None,
    sampling_frequency: float | None = None,
    answered: bool = False,
) -> None:
    """Refuse spike times that cannot be those of a session.

    Rates are those in the time that was observed: weeks of one animal are a few hours a day.

    Args:
        spikes: of all units.
        path: what messages call the source.
        scalable: the caller can be asked for a ``time_scale``; else the times come from
            ``sampling_frequency`` (samples per second), or were stored in seconds where that is None.
        observed: (unit,) stretches (s) in which each was observed; None where that is not known:
            then every hour counts in which some unit fired.
        sampling_frequency: see ``scalable``.
        answered: the caller said what the times are in; only Unix times are still refused.

    Raises:
        BadInput: the first spike is years after 0, or the session lasts days at almost no rate.
    """
    first, last = spikes.extent
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
    if answered or days <= 1:
        return
    rate = _median_rate(spikes, observed)
    if rate >= SLOWEST:
        return
    if scalable:
        raise BadInput(
            f"median rate {rate:.2g} Hz and length {days:.1f} days of {path} look like samples or "
            "milliseconds; use time_scale (--time-scale): 0.001 for milliseconds, 1 / sampling "
            "rate for samples; 1 says that they are seconds."
        )
    clock, remedy = "as seconds", "look at its clock"
    if sampling_frequency is not None:
        clock = f"at {sampling_frequency:g} samples per second"
        remedy = (
            "check the sampling frequency: sampling_frequency= (--sampling-frequency) states it"
        )
    raise BadInput(
        f"{clock} the spikes of {path} span {days:.1f} days with a median rate of {rate:.2g} Hz: "
        f"that looks wrong; {remedy}."
    )


def _median_rate(spikes: Spikes, observed: Sequence[np.ndarray] | None) -> float:
    """Median over the units that fire (Hz), in the time in which each was observed."""
    n_spikes = np.diff(spikes.index)
    if observed is None:
        hours = np.unique(np.floor(spikes.times / HOUR))
        seconds = np.full(
            len(n_spikes), min(len(hours) * HOUR, spikes.extent[1] - spikes.extent[0])
        )
    else:
        lengths = [float((own[:, 1] - own[:, 0]).sum()) for own in observed]
        seconds = np.array([one or spikes.extent[1] - spikes.extent[0] for one in lengths])
    fire = n_spikes > 0
    return float(np.median(n_spikes[fire] / seconds[fire]))
