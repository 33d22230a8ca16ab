"""How long a variable, and what it predicts, stays alike: the time until its autocorrelation is 1/e."""

from __future__ import annotations

import numpy as np

FINER = 1.08
"""Lags grow by this factor: the memory is known to 8 %, from above."""


def memories(codes: np.ndarray, curves: np.ndarray, session: np.ndarray) -> tuple[int, np.ndarray]:
    """Memory in bins: of the codes themselves, and (channel,) of each curve over them.

    Autocorrelations run in a circle within each session, as shifts do.

    Args:
        codes: (bin,) of the known bins, one after another.
        curves: (channel, code) what each code predicts.
        session: (bin,) which session each is of.
    """
    n = len(codes)
    pairs = PairsAtLag(codes, curves.shape[1], session)
    share = np.bincount(codes, minlength=curves.shape[1]) / max(n, 1)
    level = curves @ share
    spread = (curves**2) @ share - level**2
    own_spread = 1 - (share**2).sum()
    own, of_curve = n, np.full(len(curves), n)
    open_curves = np.flatnonzero(spread > 1e-12 * np.maximum((curves**2).max(axis=1), 1e-300))
    for lag in _lags(n):
        joint = pairs.at(lag) / n
        if own == n and np.trace(joint) - (share**2).sum() < own_spread / np.e:
            own = lag
        some = curves[open_curves]
        alike = np.einsum("jc,jc->j", some @ joint, some) - level[open_curves] ** 2
        done = alike < spread[open_curves] / np.e
        of_curve[open_curves[done]] = lag
        open_curves = open_curves[~done]
        if own < n and not len(open_curves):
            break
    return own, of_curve


class PairsAtLag:
    """Counts (code, code) of the bins that are a lag apart, in a circle within each session."""

    def __init__(self, codes: np.ndarray, size: int, session: np.ndarray) -> None:
        self.size = size
        cuts = np.flatnonzero(np.diff(session)) + 1
        self.pieces = np.split(codes.astype(np.int64), cuts)

    def at(self, lag: int) -> np.ndarray:
        total = np.zeros(self.size**2, dtype=np.int64)
        for piece in self.pieces:
            later = np.roll(piece, -(lag % max(len(piece), 1)))
            total += np.bincount(piece * self.size + later, minlength=self.size**2)
        return total.reshape(self.size, self.size)


def _lags(n: int) -> list[int]:
    lags, lag = [], 1.0
    while lag <= n // 2:
        if not lags or int(lag) > lags[-1]:
            lags.append(int(lag))
        lag = max(lag + 1, lag * FINER)
    return lags
