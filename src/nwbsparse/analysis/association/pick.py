"""Which channels of a table tell the codes of a variable: picked on some folds, used on another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nwbsparse.analysis.association.cross_fit import pooled_r

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Of the ridge, as shares of the rows it is fitted on; the channels are standardised."""

Near = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(row,) whether a predicted code is near enough to the true one."""


def ridge_codes(
    table: np.ndarray,
    codes: np.ndarray,
    size: int,
    fold: np.ndarray,
    near: Near,
    *,
    chosen: Sequence[np.ndarray] | None = None,
) -> np.ndarray:
    """(row,) the code that a ridge to one-hot codes tells, fitted on the other folds.

    The penalty of a fold is the one that tells most rows of the *other* folds, out of fold.

    Args:
        table: (row, channel).
        codes: (row,)
        size: how many codes there are.
        fold: (row,)
        near: what counts as told.
        chosen: for each fold the channels to use; all by default.
    """
    folds = np.unique(fold)
    onehot = np.zeros((len(codes), size))
    onehot[np.arange(len(codes)), codes] = 1.0
    told = np.zeros((len(PENALTIES), len(codes)), dtype=np.int64)
    for place, k in enumerate(folds):
        columns = slice(None) if chosen is None else chosen[place]
        train, held = fold != k, fold == k
        told[:, held] = _ridge(table[train][:, columns], onehot[train], table[held][:, columns])
    right = np.array([near(codes, one) for one in told])
    # every code counts alike, as in the score
    weight = 1 / np.maximum(np.bincount(codes, minlength=size), 1)[codes]
    out = np.empty(len(codes), dtype=np.int64)
    for k in folds:
        best = int((right[:, fold != k] * weight[fold != k]).sum(axis=1).argmax())
        out[fold == k] = told[best, fold == k]
    return out


def best_alone(
    table: np.ndarray, codes: np.ndarray, size: int, fold: np.ndarray, n: int, *, shrink: float
) -> list[np.ndarray]:
    """For each fold the n channels that follow the codes best by r on the other folds, cross-fitted.

    ``shrink``: rows at which a code counts half, as for the associations.
    """
    folds = np.unique(fold)
    place = np.searchsorted(folds, fold) * size + codes
    shape = (len(folds), size)
    bins = np.bincount(place, minlength=len(folds) * size).reshape(shape).astype(np.float64)
    centred = table - table.mean(axis=0)
    sums = np.zeros((table.shape[1], len(folds) * size))
    for one in np.unique(place):
        sums[:, one] = centred[place == one].sum(axis=0)
    sums = sums.reshape(-1, *shape)
    squares = np.stack([(centred[fold == k] ** 2).sum(axis=0) for k in folds], axis=1)
    picked = []
    for place in range(len(folds)):
        some = np.arange(len(folds)) != place
        r = [
            pooled_r(one[some], bins[some], one[some].sum(), second[some].sum(), shrink)
            for one, second in zip(sums, squares, strict=True)
        ]
        picked.append(np.argsort(-np.nan_to_num(r, nan=-1.0), kind="stable")[:n])
    return picked


def forward(
    table: np.ndarray, codes: np.ndarray, size: int, fold: np.ndarray, n: int
) -> list[np.ndarray]:
    """For each fold n channels, one after another the one that adds most on the other folds."""
    return [
        _forward(*_standard(table[fold != k], codes[fold != k], size), n) for k in np.unique(fold)
    ]


def _forward(z: np.ndarray, along: np.ndarray, n: int) -> np.ndarray:
    gram, along = z.T @ z / max(len(z), 1), along.copy()
    picked: list[int] = []
    for _ in range(min(n, z.shape[1])):
        left = np.diag(gram).copy()
        left[picked] = 0.0
        gain = np.divide(
            (along**2).sum(axis=1), left, out=np.full(len(left), -1.0), where=left > 1e-6
        )
        gain[picked] = -1.0
        best = int(gain.argmax())
        if gain[best] <= 0:
            break
        picked.append(best)
        # what the others hold beyond the channel that was picked
        share = gram[best] / gram[best, best]
        along = along - np.outer(share, along[best])
        gram = gram - np.outer(share, gram[best])
    return np.array(picked, dtype=np.int64)


def _standard(table: np.ndarray, codes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Standardised channels, and (channel, code) their products with standardised codes."""
    z = table - table.mean(axis=0)
    spread = z.std(axis=0)
    z = np.divide(z, spread, out=np.zeros_like(z), where=spread > 1e-12)
    n = np.bincount(codes, minlength=size).astype(np.float64)
    total = np.zeros((z.shape[1], size))
    for code in np.flatnonzero(n):
        total[:, code] = z[codes == code].sum(axis=0) / np.sqrt(n[code])
    return z, total / np.sqrt(max(len(z), 1))


def _ridge(table: np.ndarray, onehot: np.ndarray, new: np.ndarray) -> np.ndarray:
    """(penalty, row) the codes told for new rows."""
    mean, spread = table.mean(axis=0), table.std(axis=0)
    used = spread > 1e-12
    z = (table[:, used] - mean[used]) / spread[used]
    z_new = (new[:, used] - mean[used]) / spread[used]
    level = onehot.mean(axis=0)
    # rare codes count as much as frequent ones
    scale = 1 / np.sqrt(np.maximum(level, 1 / len(onehot)))
    size, axes = np.linalg.eigh(z.T @ z)
    along = axes.T @ (z.T @ ((onehot - level) * scale))
    turned = z_new @ axes
    told = []
    for penalty in PENALTIES:
        weight = along / (np.maximum(size, 0) + penalty * len(z))[:, None]
        predicted = turned @ weight
        predicted[:, level == 0] = -np.inf
        told.append(predicted.argmax(axis=1))
    return np.array(told)
