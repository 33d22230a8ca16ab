"""The bins of a recording in which associations are assessed, and what drifts slowly in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d

from nwbsparse import names
from nwbsparse.analysis.apply.activity import Activity, activity_of
from nwbsparse.analysis.statistics.slow_drift import drift_basis
from nwbsparse.binning.sessions.join import sessions_of

SLOW = 30.0
"""Standard deviation (s) of the smoothing of the population rate that is removed: the rate itself
is tuned to behaviour, and removing it would write that tuning into units without (decision 0006)."""


@dataclass(frozen=True)
class Design:
    """The assessed bins, in order; everything else here is of these bins alone."""

    bins: np.ndarray
    """Their places in the recording, rising."""
    times: np.ndarray
    segment: np.ndarray
    session: np.ndarray
    """Which session a bin is of: each has its own level, drift and population."""
    trials: dict[str, np.ndarray]
    """Row of the interval table in each bin, by table."""
    basis: np.ndarray
    """(bin, column) orthonormal: level, cubic drift and slow population rate of each session."""
    bin_width: float
    n_draws: int
    """Draws of each null at most."""
    seed: int

    def basis_of(self, some: np.ndarray) -> np.ndarray:
        """(some bin, column) the same drift, orthonormal in some (bool) of the bins."""
        axes, size = np.linalg.qr(self.basis[some])
        return axes[:, np.abs(np.diag(size)) > 1e-9]  # sessions without a bin have no drift


@dataclass(frozen=True)
class Detrended:
    """Channels in the assessed bins; their drift is known, and removed from sums only.

    With the coefficients β of the drift B in each channel, Σ(a − Bβ) = Σa − (ΣB)β: the activity
    itself stays sparse.
    """

    kept: Activity
    """With its drift."""
    beta: np.ndarray
    """(channel, column)"""

    @property
    def n_channels(self) -> int:
        return self.kept.n_channels

    def some(self, channels: np.ndarray) -> Detrended:
        """The activity of some channels, in their order."""
        return Detrended(self.kept.some(channels), self.beta[channels])


def make_design(
    binned: xr.Dataset, *, n_draws: int, seed: int, bins: np.ndarray | None = None
) -> Design:
    """The design of a Binned dataset: all of its bins, or those given."""
    bins = np.arange(binned.sizes[names.TIME]) if bins is None else bins
    width = float(binned.attrs[names.BIN_WIDTH])
    session = sessions_of(binned)
    rate = binned[names.COUNTS].values.sum(axis=1, dtype=np.float64)
    for one in np.unique(session):
        rate[session == one] = gaussian_filter1d(rate[session == one], SLOW / width)
    times = binned[names.TIME].values[bins]
    return Design(
        bins=bins,
        times=times,
        segment=binned[names.SEGMENT].values[bins],
        session=session[bins],
        trials={
            str(name): variable.values[bins]
            for name, variable in binned.data_vars.items()
            if variable.attrs.get(names.ROLE) == names.ROLE_INTERVAL
        },
        basis=drift_of_sessions(times, rate[bins], session[bins]),
        bin_width=width,
        n_draws=n_draws,
        seed=seed,
    )


def detrended(table: np.ndarray | xr.Dataset | Activity, design: Design) -> Detrended:
    """Channels (time, channel) of the whole recording, sparse or not, in the assessed bins."""
    kept = activity_of(table)
    if len(design.bins) != kept.n_bins:
        kept = kept.at(design.bins)
    return Detrended(kept, np.asarray(kept.table.T @ design.basis))


def drift_of_sessions(times: np.ndarray, rate: np.ndarray, session: np.ndarray) -> np.ndarray:
    """(bin, column) orthonormal: level, cubic drift and slow rate of each session, 0 elsewhere."""
    pieces = []
    for one in np.unique(session):
        mine = session == one
        columns = drift_basis(times[mine], rate[mine])
        wide = np.zeros((len(times), columns.shape[1]))
        wide[mine] = columns
        pieces.append(wide)
    return np.concatenate(pieces, axis=1) if pieces else np.zeros((0, 0))
