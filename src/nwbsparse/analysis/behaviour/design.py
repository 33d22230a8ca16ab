"""The bins of a recording on which choices are made, and those on which they are tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d

from nwbsparse import names
from nwbsparse.analysis.statistics.nulls import drift_basis
from nwbsparse.binning.sessions.join import sessions_of
from nwbsparse.binning.split import part

SLOW = 30.0
"""Standard deviation (s) of the smoothing of the population rate that is removed: the rate itself
is tuned to behaviour, and removing it would write that tuning into units without (decision 0006)."""
FOLD = 30.0
"""Seconds of the stretches that alternate between the two halves in which a choice is made."""


@dataclass(frozen=True)
class Ground:
    """The bins of a recording on which choices are made and on which they are tested."""

    fitting: np.ndarray
    """Indices of training and validation bins."""
    fold: np.ndarray
    """(fitting,) 0 or 1."""
    testing: np.ndarray
    half: np.ndarray
    """(testing,) 0 or 1: test blocks are dealt to two halves in turn."""
    times: np.ndarray
    population: np.ndarray
    """(time,) spikes of all units, smoothed: what drifts slowly, and nothing tuned."""
    bin_width: float
    trials: dict[str, np.ndarray]
    """Row of the interval table in each bin, by table."""
    n_draws: int
    seed: int
    session: np.ndarray
    """(time,) which session a bin is of: each has its own level, drift and population."""

    def basis(self, bins: np.ndarray) -> np.ndarray:
        """(bin, column) orthonormal: level, drift and slow population rate of each session."""
        pieces = []
        for one in np.unique(self.session[bins]):
            mine = self.session[bins] == one
            own = bins[mine]
            columns = drift_basis(self.times[own], self.population[own])
            wide = np.zeros((len(bins), columns.shape[1]))
            wide[mine] = columns
            pieces.append(wide)
        return np.concatenate(pieces, axis=1) if pieces else np.zeros((0, 0))

    def residual(self, activity: np.ndarray, bins: np.ndarray) -> np.ndarray:
        """Activity (bin, channel) of these bins without drift and population rate, by session."""
        values = activity[bins].astype(np.float64)
        basis = self.basis(bins)
        return values - basis @ (basis.T @ values)


def make_ground(binned: xr.Dataset, *, n_draws: int, seed: int) -> Ground:
    """Divide a split dataset into bins to choose on (two alternating halves) and bins to test on."""
    fitting = np.flatnonzero(part(binned, "train") | part(binned, "validation"))
    testing = np.flatnonzero(part(binned, "test"))
    width = float(binned.attrs[names.BIN_WIDTH])
    times = binned[names.TIME].values
    session = sessions_of(binned)
    rate = binned[names.COUNTS].values.sum(axis=1, dtype=np.float64)
    for one in np.unique(session):
        rate[session == one] = gaussian_filter1d(rate[session == one], SLOW / width)
    return Ground(
        fitting=fitting,
        fold=(times[fitting] // FOLD).astype(np.int64) % 2,
        testing=testing,
        half=_halves(testing),
        times=times,
        population=rate,
        bin_width=width,
        trials={
            str(name): variable.values
            for name, variable in binned.data_vars.items()
            if variable.attrs.get(names.ROLE) == names.ROLE_INTERVAL
        },
        n_draws=n_draws,
        seed=seed,
        session=session,
    )


def _halves(testing: np.ndarray) -> np.ndarray:
    """Every other test block; a single block is cut in its middle."""
    block = np.cumsum(np.diff(testing, prepend=testing[:1]) > 1)
    if len(block) and block[-1] == 0:
        return (np.arange(len(block)) >= len(block) / 2).astype(np.int64)
    return block % 2
