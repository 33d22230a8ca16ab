"""Which bins trained, chose and tested a model ⇄ a table of stretches of bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from pynwb.epoch import TimeIntervals

from nwbsparse import names
from nwbsparse.annotated.elements.placed import Placed, there

_PARTS = {"gap": names.GAP} | {name: value for value, name in enumerate(names.SPLIT_NAMES)}


def splits_table(latents: xr.Dataset) -> tuple[TimeIntervals, Placed]:
    """Which part of the recording each stretch of bins belongs to, in the order of the bins."""
    table = TimeIntervals(
        name="splits", description="stretches of neighbouring bins and the part each belongs to"
    )
    table.add_column(name="split", description="train, validation, test, or gap (left out)")
    table.add_column(name="segment", description="run of bins without a gap in the recording")
    table.add_column(name="n_bins", description="number of bins in the stretch")
    times, parts = latents[names.TIME].values, latents[names.SPLIT].values
    half = float(latents.attrs[names.BIN_WIDTH]) / 2
    segment = latents[names.SEGMENT].values
    cuts = np.flatnonzero((np.diff(parts) != 0) | (np.diff(segment) != 0)) + 1
    for start, stop in zip(np.r_[0, cuts], np.r_[cuts, len(parts)], strict=True):
        part = parts[start]
        table.add_row(
            start_time=float(times[start] - half),
            stop_time=float(times[stop - 1] + half),
            split="gap" if part == names.GAP else names.SPLIT_NAMES[part],
            segment=int(segment[start]),
            n_bins=int(stop - start),
        )
    return table, Placed(latents=there(latents, names.SEGMENT, names.SPLIT))


def splits_in(model: Any) -> dict[str, Any]:
    """Segment and part of every bin of a model in a file."""
    n_bins = np.asarray(model.splits["n_bins"][:])
    parts = np.array([_PARTS[str(part)] for part in model.splits["split"][:]], dtype=np.int8)
    return {
        names.SEGMENT: np.repeat(np.asarray(model.splits["segment"][:]), n_bins),
        names.SPLIT: np.repeat(parts, n_bins),
    }
