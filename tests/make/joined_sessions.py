"""Sessions that share sources but no unit, for tests of what is learned from several at once."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d

from make.sessions import make_binned

N_SOURCES = 12


def part_of(joined: xr.Dataset, name: str) -> xr.Dataset:
    """The bins and units of one session."""
    code = json.loads(joined["session"].attrs["categories"]).index(name)
    return joined.isel(
        time=np.flatnonzero(joined["session"].values == code),
        unit=np.flatnonzero(joined["unit_session"].values == name),
    )


def shared_sources(n_units: int, *, seed: int, n_bins: int = 7000) -> xr.Dataset:
    """A split session of 0.1-s bins in which twelve sources drive five units each.

    Which units, and when, is the session's own. The first source is active where the covariate
    ``level`` is high.
    """
    rng = np.random.default_rng(seed)
    weights = np.zeros((N_SOURCES, n_units))
    for row in weights:
        row[rng.choice(n_units, 5, replace=False)] = rng.uniform(0.5, 1.5, 5)
    level = gaussian_filter1d(rng.standard_normal(n_bins), 5.0)
    level /= level.std()
    probability = np.full((n_bins, N_SOURCES), 0.06)
    probability[:, 0] = np.where(level > 1, 0.5, 0.01)
    events = rng.random((n_bins, N_SOURCES)) < probability
    counts = rng.poisson(0.05 + 3.0 * events @ weights).astype(np.uint8)
    binned = make_binned(counts, test=0.3)
    attrs = {"role": "covariate", "kind": "continuous", "units": "V"}
    return binned.assign(
        level=("time", level.astype(np.float32), attrs), dropped=("unit", np.zeros(n_units, int))
    )
