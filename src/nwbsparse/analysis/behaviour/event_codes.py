"""Kinds of event as time before and after the nearest one: what activity around events follows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.behaviour.coding import Coded

BEFORE, AFTER, STEP = 1.0, 2.0, 0.25
"""Seconds before and after an event that are looked at, and the width of their bins."""


def code_event(name: str, binned: xr.Dataset) -> Coded:
    """A kind of event as bins of 0.25 s (or one time bin) from 1 s before to 2 s after it, and far.

    A bin within 2 s after an event counts from that event; else it is before the next one, where
    that is within 1 s; else far (the last code). Events of other segments do not count; where a
    session did not record them (NaN) nothing is known.
    """
    width = float(binned.attrs[names.BIN_WIDTH])
    per_code = max(1, round(STEP / width))
    n_before, n_after = (max(1, round(one / (per_code * width))) for one in (BEFORE, AFTER))
    n = binned[name].values.astype(np.float64)
    since, until = _bins_since(n > 0, binned), _bins_until(n > 0, binned)
    after = np.where(since < n_after * per_code, n_before + since // per_code, -1)
    before = np.where(until <= n_before * per_code, n_before - 1 - (until - 1) // per_code, -1)
    far = n_before + n_after
    codes = np.where(after >= 0, after, np.where(before >= 0, before, far))
    edges = np.arange(-n_before, n_after + 1) * per_code * width
    around = [f"{a:.4g} to {b:.4g} s" for a, b in pairwise(edges)]
    return Coded(
        name,
        names.PERI_EVENT,
        np.where(np.isnan(n), -1, codes).astype(np.int32),
        (*around, "far"),
        edges=(edges,),
        shape=(far + 1,),
        unit="s",
    )


def _bins_since(event: np.ndarray, binned: xr.Dataset) -> np.ndarray:
    """(time,) bins since the last event of the segment; very many where there was none."""
    n = len(event)
    number = np.arange(n)
    last = np.maximum.accumulate(np.where(event, number, -1))
    segment = binned[names.SEGMENT].values
    same = (last >= 0) & (segment[np.maximum(last, 0)] == segment)
    return np.where(same, number - last, 10 * n)


def _bins_until(event: np.ndarray, binned: xr.Dataset) -> np.ndarray:
    reverse = binned.isel({names.TIME: slice(None, None, -1)})
    return _bins_since(event[::-1], reverse)[::-1]
