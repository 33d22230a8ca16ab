"""How many different things the found latents prefer: places, directions, categories."""

from __future__ import annotations

import numpy as np

from nwbsparse.analysis.association.cross_fit import CrossFit
from nwbsparse.analysis.behaviour.coding import Coded, near

FOLDS_THAT_AGREE = 0.6
"""Share of the folds whose curves must peak within one code of the whole curve's peak."""


def preferred(fit: CrossFit, variable: Coded) -> np.ndarray:
    """(channel,) the code each channel prefers, −1 where the folds do not agree on it."""
    agree = near(variable, fit.peaks, np.repeat(fit.peak[:, None], fit.peaks.shape[1], axis=1))
    return np.where(agree.mean(axis=1) >= FOLDS_THAT_AGREE, fit.peak, -1)


def n_different(codes: np.ndarray, variable: Coded) -> int:
    """How many of some preferred codes (−1: none) are two codes or more apart from one another.

    Picked one after another, from each of them in turn: the most that any order finds.
    """
    codes = np.unique(codes[codes >= 0])
    most = 0
    for first in range(len(codes)):
        kept: list[int] = []
        for code in np.roll(codes, -first):
            if not near(variable, np.full(len(kept), code), np.array(kept, dtype=np.int64)).any():
                kept.append(int(code))
        most = max(most, len(kept))
    return most
