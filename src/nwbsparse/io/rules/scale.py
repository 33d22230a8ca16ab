"""What turns the stored numbers of a series into its unit of measure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nwbsparse.io.rules.vectors import OddForm, vector


def scale_of(series: Any) -> tuple[float, float, list[str]]:
    """Conversion and offset of a series, and what was mended about them.

    Some writers leave NaN or 0 where they know no conversion, which would turn every sample into
    NaN or into the same number: the stored numbers are taken as they are.
    """
    conversion, offset, repairs = 1.0, 0.0, []
    if getattr(series, "conversion", None) is not None:
        conversion = float(series.conversion)
    if getattr(series, "offset", None) is not None:
        offset = float(series.offset)
    if not math.isfinite(conversion) or conversion == 0:
        repairs.append(f"its conversion is {conversion:g}: values taken as they are stored")
        conversion = 1.0
    if not math.isfinite(offset):
        repairs.append(f"its offset is {offset:g}: taken as 0")
        offset = 0.0
    return conversion, offset, repairs


def channel_scale(series: Any, n_channels: int) -> tuple[np.ndarray | None, list[str]]:
    """The conversion of each channel on top of that of the series; None where there is none."""
    own = getattr(series, "channel_conversion", None)
    if own is None:
        return None, []
    try:
        each = vector(own, what="channel_conversion").astype(np.float64)
    except OddForm as error:
        return None, [f"its channel_conversion {error.why}: not applied"]
    if len(each) != n_channels:
        said = f"{len(each):,} channel conversions for {n_channels:,} channels: not applied"
        return None, [said]
    none = ~np.isfinite(each) | (each == 0)
    said = f"{int(none.sum()):,} of {n_channels:,} channel conversions are NaN or 0: taken as 1"
    return np.where(none, 1.0, each), [said] if none.any() else []
