"""Trials of a variable that is constant in them: mean activity of each, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from nwbsparse.analysis.association.design import Design, Detrended
from nwbsparse.analysis.association.draws import Rows
from nwbsparse.analysis.association.sums import NOTHING, Sums

FOLDS = 10
BLOCKS = 40
"""Blocks of neighbouring trials that are left out for the interval, at most."""
SHRINK = 0.5
"""Trials at which a label counts half."""
LEAST, LEAST_PER_LABEL = 12, 3


@dataclass(frozen=True)
class Trials:
    """The trials whose label stands in enough of them, in the order of time."""

    row: np.ndarray
    """(bin,) which of them a bin is of, −1 for none."""
    codes: np.ndarray
    """(trial,)"""
    session: np.ndarray
    """(trial,)"""
    size: int
    """Codes of the variable."""

    @property
    def n(self) -> int:
        return len(self.codes)

    @property
    def block(self) -> np.ndarray:
        """(trial,) runs of neighbours that are left out together."""
        return np.arange(self.n) * min(self.n, BLOCKS) // max(self.n, 1)

    @property
    def fold(self) -> np.ndarray:
        """(block,) contiguous folds: neighbouring trials share what drifts."""
        n = min(self.n, BLOCKS)
        return np.arange(n) * FOLDS // max(n, 1)

    def hindrance(self) -> str:
        """Why these labels cannot be tested; '' if they can."""
        n_labels = len(np.unique(self.codes))
        if n_labels < 2:
            return (
                f"{n_labels} of its labels stands in {LEAST_PER_LABEL} trials or more, 2 are needed"
            )
        return "" if self.n >= LEAST else f"{self.n} trials, {LEAST} are needed"


def make_trials(codes: np.ndarray, row: np.ndarray, size: int, design: Design) -> Trials:
    """The trials (rows of a table, ``row`` per bin) in which a variable has a code."""
    known = (codes >= 0) & (row >= 0)
    _, first, at, n_bins = np.unique(
        row[known], return_index=True, return_inverse=True, return_counts=True
    )
    label, session = codes[known][first], design.session[known][first]
    centre = np.bincount(at, weights=design.times[known], minlength=len(first)) / n_bins
    often = np.bincount(label, minlength=size)[label] >= LEAST_PER_LABEL
    order = np.lexsort((centre, session))
    order = order[often[order]]
    place = np.full(len(first) + 1, -1)
    place[order] = np.arange(len(order))
    of_bin = np.full(len(codes), -1)
    of_bin[known] = place[at]
    return Trials(of_bin, label[order], session[order], size)


def trial_means(activity: Detrended, trials: Trials, design: Design) -> np.ndarray:
    """(channel, trial) mean activity without drift."""
    there = np.flatnonzero(trials.row >= 0)
    row = trials.row[there]
    n = np.bincount(row, minlength=trials.n)
    weights = 1 / n[row]
    member = sparse.csr_matrix((weights, (there, row)), shape=(len(trials.row), trials.n))
    means = np.asarray((activity.kept.table.T @ member).todense())
    return means - activity.beta @ (design.basis.T @ member)


def trial_sums(means: np.ndarray, trials: Trials) -> Sums:
    """Means of trials summed by block and label."""
    n_blocks, size, block = len(trials.fold), trials.size, trials.block
    place = block * size + trials.codes
    member = np.zeros((trials.n, n_blocks * size))
    member[np.arange(trials.n), place] = 1.0
    of_block = np.zeros((trials.n, n_blocks))
    of_block[np.arange(trials.n), block] = 1.0
    squares = means**2 @ of_block
    scale = (means.mean(axis=1) ** 2 * trials.n)[:, None]
    squares = np.where(squares.sum(axis=1, keepdims=True) > NOTHING * scale, squares, 0.0)
    return Sums(
        member.sum(axis=0).reshape(n_blocks, size),
        (means @ member).reshape(-1, n_blocks, size),
        squares,
        trials.fold,
        SHRINK,
    )


def trial_rows(means: np.ndarray, trials: Trials) -> Rows:
    """Means of trials as rows whose labels are rearranged."""
    n_channels = len(means)
    return Rows(
        indptr=np.arange(n_channels + 1, dtype=np.int64) * trials.n,
        rows=np.tile(np.arange(trials.n), n_channels),
        value=means.ravel(),
        beta=np.zeros((n_channels, 0)),
        basis=np.zeros((trials.n, 0)),
        fold=trials.fold[trials.block],
        squares=(means**2).sum(axis=1),
        first=means.sum(axis=1),
        size=trials.size,
        shrink=SHRINK,
    )
