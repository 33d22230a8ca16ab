"""Does a latent follow a variable beyond the others? What is left when they have told what they can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from nwbsparse.analysis.association.blocks import FOLDS, make_blocks
from nwbsparse.analysis.association.cross_fit import jackknife, pooled_r
from nwbsparse.analysis.association.design import Design, Detrended
from nwbsparse.analysis.association.sums import Sums, sums_by_block
from nwbsparse.analysis.behaviour.coding import Coded

SHRINK = 1.0
"""Seconds of occupancy at which a code counts half in the curve."""
PENALTY = 0.01
"""Of the ridge on the rivals' codes, as a share of that: what it leaves of a rival's own signal would
pass for the variable's, where the two are nearly one."""


@dataclass(frozen=True)
class Beyond:
    """r (channel,) of what the rivals leave with the variable's curve, and its one-sided p."""

    r: np.ndarray
    p: np.ndarray


def beyond(
    activity: Detrended, variable: Coded, rivals: Sequence[Coded], design: Design
) -> Beyond | None:
    """How closely channels follow a variable once its rivals have told what they can.

    Out-of-fold ridge on the one-hot codes of all rivals, r of what they leave with the variable's
    curve (both fitted on other folds), p by leaving out blocks with everything fitted anew. All
    from sums: nothing is gone over twice. In the bins where all of them are known; None where these
    make no five blocks.
    """
    codes = [one.codes[design.bins] for one in (variable, *rivals)]
    known = np.all([one >= 0 for one in codes], axis=0)
    if not known.any():
        return None
    block = np.full(len(known), -1)
    block[known] = make_blocks(design.segment[known], design.bin_width)
    n_blocks = int(block.max()) + 1
    if n_blocks < FOLDS:
        return None
    sums = [
        sums_by_block(
            activity, np.where(known, one, -1).astype(np.int32), block, of.size, design,
            shrink=SHRINK / design.bin_width, n_folds=FOLDS,
        )
        for one, of in zip(codes, (variable, *rivals), strict=True)
    ]  # fmt: skip
    pairs = _pairs([one[known] for one in codes], [v.size for v in (variable, *rivals)],
                   block[known], n_blocks)  # fmt: skip
    ridge = _Ridge(sums[0], sums[1:], pairs)
    r = ridge.r(None)
    left_out = np.stack([ridge.r(one) for one in range(n_blocks)])
    z, error, freedom = jackknife(r, left_out)
    return Beyond(r, stats.t.sf(z / np.maximum(error, 1e-9), freedom))


class _Ridge:
    """Sums by block, from which all blocks, or all but one, give their regression and r."""

    def __init__(self, own: Sums, rivals: Sequence[Sums], pairs: np.ndarray) -> None:
        n_own = own.n.shape[1]
        with_rivals = np.concatenate([one.total for one in rivals], axis=2)
        self.shrink = own.shrink
        self.fold = own.fold
        self.of_block = (
            own.n, own.total.swapaxes(0, 1), own.squares.T, with_rivals.swapaxes(0, 1),
            pairs[:, n_own:, n_own:], pairs[:, :n_own, n_own:],
        )  # fmt: skip
        self.of_fold = [
            np.stack([one[own.fold == k].sum(axis=0) for k in range(FOLDS)])
            for one in self.of_block
        ]

    def r(self, without: int | None) -> np.ndarray:
        """(channel,) over all blocks, or all but one, with everything fitted anew."""
        sums = [one.copy() for one in self.of_fold]
        if without is not None:
            for of_fold, of_block in zip(sums, self.of_block, strict=True):
                of_fold[self.fold[without]] -= of_block[without]
        n, total, squares, told, gram, crossed = sums
        others = gram.sum(axis=0) - gram + PENALTY * self.shrink * np.eye(gram.shape[1])
        beta = np.linalg.solve(others, (told.sum(axis=0) - told).swapaxes(1, 2))
        total -= (crossed @ beta).swapaxes(1, 2)
        explained = (gram @ beta - 2 * told.swapaxes(1, 2)) * beta
        squares = np.maximum((squares + explained.sum(axis=1)).sum(axis=0), 0.0)
        return np.array(
            [
                pooled_r(total[:, one], n, total[:, one].sum(), squares[one], self.shrink)
                for one in range(total.shape[1])
            ]
        )


def _pairs(
    codes: Sequence[np.ndarray], sizes: Sequence[int], block: np.ndarray, n_blocks: int
) -> np.ndarray:
    """(block, code, code) how often codes of all variables, one after another, stand in one bin."""
    ends = np.cumsum(sizes)
    made = np.zeros((n_blocks, ends[-1], ends[-1]))
    for a, (one, end) in enumerate(zip(codes, ends, strict=True)):
        for b, (other, stop) in enumerate(zip(codes, ends, strict=True)):
            place = (block.astype(np.int64) * sizes[a] + one) * sizes[b] + other
            n = np.bincount(place, minlength=n_blocks * sizes[a] * sizes[b])
            made[:, end - sizes[a] : end, stop - sizes[b] : stop] = n.reshape(
                n_blocks, sizes[a], sizes[b]
            )
    return made
