"""Where the bins are: contiguous runs of equal bins over the stretches that were observed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.session import EDGE_TOLERANCE

MIN_BINS = 100


@dataclass(frozen=True)
class Grid:
    """Runs of half-open bins ``[start + k·w, start + (k + 1)·w)``; it restarts at every gap."""

    starts: np.ndarray
    """(segment,) float64 s, growing."""
    n_bins: np.ndarray
    """(segment,) int64."""
    bin_width: float

    @property
    def size(self) -> int:
        return int(self.n_bins.sum())

    @property
    def segment(self) -> np.ndarray:
        """(time,) int32: which run a bin belongs to."""
        return np.repeat(np.arange(len(self.starts), dtype=np.int32), self.n_bins)

    @property
    def lefts(self) -> np.ndarray:
        """(time,) float64: left edge of each bin (s)."""
        within = np.arange(self.size) - np.repeat(np.cumsum(self.n_bins) - self.n_bins, self.n_bins)
        return np.repeat(self.starts, self.n_bins) + within * self.bin_width

    @property
    def centres(self) -> np.ndarray:
        """(time,) float64: centre of each bin (s)."""
        return self.lefts + self.bin_width / 2

    def index(self, times: np.ndarray) -> np.ndarray:
        """The bin of each time, −1 where there is none (gaps, outside, partial last bins)."""
        times = np.asarray(times, dtype=np.float64)
        segment = np.searchsorted(self.starts, times + EDGE_TOLERANCE, side="right") - 1
        inside = segment >= 0
        safe = np.maximum(segment, 0)
        k = np.floor((times - self.starts[safe] + EDGE_TOLERANCE) / self.bin_width)
        inside &= (k >= 0) & (k < self.n_bins[safe])  # False for NaN times
        first = np.cumsum(self.n_bins) - self.n_bins
        return np.where(inside, first[safe] + np.where(inside, k, 0).astype(np.int64), -1)


def make_grid(stretches: np.ndarray, bin_width: float) -> Grid:
    """Bins over each stretch (s, (n, 2), sorted, disjoint); the partial last bin is left out.

    Raises:
        BadInput: the width is not > 0, or fewer than 100 bins fit.
    """
    if not (np.isfinite(bin_width) and bin_width > 0):
        raise BadInput(f"bin width must be > 0 s; it is {bin_width}")
    lengths = stretches[:, 1] - stretches[:, 0]
    n_bins = np.floor((lengths + EDGE_TOLERANCE) / bin_width)
    if n_bins.sum() > 2**31:
        raise BadInput(
            f"{n_bins.sum():.3g} bins of {bin_width} s over {lengths.sum():.3g} s are more than can be "
            "right; are the times in seconds? (--time-scale), else use a wider --bin-width"
        )
    kept = n_bins > 0
    grid = Grid(
        stretches[kept, 0].astype(np.float64), n_bins[kept].astype(np.int64), float(bin_width)
    )
    if not lengths.sum() > 0:
        raise BadInput("nothing is left of the recording: the stretches asked for lie outside it")
    if grid.size < MIN_BINS:
        raise BadInput(
            f"{lengths.sum():.6g} s of recording hold {grid.size} bins of {bin_width} s; at least "
            f"{MIN_BINS} are needed, so use a --bin-width of {lengths.sum() / MIN_BINS:.3g} s or less"
        )
    return grid
