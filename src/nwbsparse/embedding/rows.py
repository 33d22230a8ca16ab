"""What an embedding method is given: activity as rows, and which of them it may learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int

from nwbsparse import names
from nwbsparse.binning.smoothing import smoothed, stretches
from nwbsparse.binning.split import part
from nwbsparse.errors import BadInput


@dataclass(frozen=True)
class Rows:
    """The activity of a population, bin by bin."""

    table: Float[np.ndarray, "time unit"]
    """float32 and finite: a unit that was not observed in a bin stands at its mean over training bins."""
    stretch: Int[np.ndarray, " time"]
    """Number of the stretch of each bin: neighbours of one segment and one part. No method sees across."""
    learned: Bool[np.ndarray, " time"]
    """Bins that may be learned from."""
    known: Bool[np.ndarray, " time"]
    """Bins in which any unit was observed; the others get no embedding."""

    def edges(self) -> Iterator[tuple[int, int]]:
        """First bin and end of each stretch."""
        return pairwise(np.flatnonzero(np.diff(self.stretch, prepend=-1, append=-1)).tolist())

    def but(self, learned: Bool[np.ndarray, " time"]) -> Rows:
        """The same rows, of which fewer may be learned from."""
        return replace(self, learned=self.learned & learned)

    def windows(self, before: int, after: int) -> Int[np.ndarray, "time window"]:
        """The rows that a receptive field sees around each bin, ``before`` to ``after`` − 1 bins away.

        Beyond the edge of a stretch the bin at the edge stands in, so that nothing of a neighbouring
        part is seen.
        """
        reach = np.arange(-before, after)
        out = np.empty((len(self.table), len(reach)), dtype=np.int64)
        for first, stop in self.edges():
            seen = np.arange(first, stop)[:, None] + reach
            out[first:stop] = np.clip(seen, first, stop - 1)
        return out

    def whole(self, before: int, after: int) -> Bool[np.ndarray, " time"]:
        """Bins whose receptive field lies inside their stretch, all of it known."""
        out = np.zeros(len(self.table), dtype=bool)
        for first, stop in self.edges():
            if stop - first >= before + after:
                unknown = np.cumsum(np.concatenate([[0], ~self.known[first:stop]]))
                centres = np.arange(before, stop - first - after + 1)
                out[first + centres] = unknown[centres + after] == unknown[centres - before]
        return out


def rows_of(binned: xr.Dataset, *, smoothing: float = 0.0) -> Rows:
    """The counts or traces of a Binned dataset as rows; learned from is its train part.

    Args:
        binned: a dataset that went through ``split``.
        smoothing: standard deviation (s) of a Gaussian, kept inside stretches.

    Raises:
        BadInput: it was not split, or no training bin is observed.
    """
    train, stretch = part(binned, "train"), stretches(binned)
    counts = binned[names.COUNTS].values
    valid = np.isfinite(counts) if counts.dtype.kind == "f" else np.ones(counts.shape, dtype=bool)
    if names.VALID in binned:
        valid = valid & binned[names.VALID].values
    known = np.asarray(valid.any(axis=1))
    if not (train & known).any():
        raise BadInput("no training bin was observed; nothing can be embedded")
    sigma = smoothing / float(binned.attrs[names.BIN_WIDTH])
    table = smoothed(np.where(valid, counts, 0), stretch, sigma, valid=valid)
    seen = valid & train[:, None]
    mean = np.where(seen, table, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    filled = np.where(valid, table, mean).astype(np.float32)
    return Rows(filled, stretch, train & known, known)
