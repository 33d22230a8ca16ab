"""Contiguous blocks of bins, dealt to folds in turn: what is left out together."""

from __future__ import annotations

import numpy as np

FOLDS = 5
LEAST_BLOCK = 10.0
"""Seconds of a block at least, where five of them fit."""
MOST_PER_FOLD = 8


def make_blocks(piece: np.ndarray, bin_width: float) -> np.ndarray:
    """(bin,) block of each bin; block b is of fold b % 5.

    Blocks are as long as one another, 10 s at least and 40 at most; of a recording below 50 s there
    are five. A piece of less than 10 s (a short segment, a trial) is never cut: a block is then
    several of them in a row, and there may be fewer.

    Args:
        piece: (bin,) which stretch of the recording a bin is of; alike in neighbouring bins.
        bin_width: seconds.
    """
    n = len(piece)
    per_fold = int(np.clip(n * bin_width / (FOLDS * LEAST_BLOCK), 1, MOST_PER_FOLD))
    n_blocks = FOLDS * per_fold
    cuts = -(-np.arange(1, n_blocks) * n // n_blocks)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(piece)) + 1, [n]])
    at = np.searchsorted(starts, cuts, side="right") - 1
    before, after = starts[at], starts[np.minimum(at + 1, len(starts) - 1)]
    short = (after - before) * bin_width < LEAST_BLOCK
    nearest = np.where(cuts - before <= after - cuts, before, after)
    cuts = np.unique(np.where(short, nearest, cuts))
    return np.searchsorted(cuts[(cuts > 0) & (cuts < n)], np.arange(n), side="right")
