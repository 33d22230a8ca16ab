"""Principal components of smoothed activity."""

from __future__ import annotations

import numpy as np
import xarray as xr
from jaxtyping import Float
from sklearn.decomposition import PCA

from nwbsparse import names
from nwbsparse.binning.split import part

FITTED = 50_000
"""Training bins, evenly spaced, that components are found on."""


NOTHING = 1e-6
"""Share of the variance below which a component is rounding."""


def principal_components(binned: xr.Dataset, *, most: int) -> Float[np.ndarray, "time component"]:
    """Scores of the components of the standardised counts, largest first.

    Mean, spread and components are of the training bins. Units that are constant there take no
    part; where a unit was not observed it stands at its mean. Components that are rounding alone
    are left out.
    """
    counts = binned[names.COUNTS].values
    train = np.flatnonzero(part(binned, "train"))
    seen = binned[names.VALID].values if names.VALID in binned else None
    n = np.full(counts.shape[1], len(train)) if seen is None else seen[train].sum(axis=0)
    known = counts[train].astype(np.float64)
    if seen is not None:
        known = np.where(seen[train], known, 0.0)
    mean = known.sum(axis=0) / np.maximum(n, 1)
    spread = np.sqrt(np.maximum((known**2).sum(axis=0) / np.maximum(n, 1) - mean**2, 0.0))
    used = spread > 0
    if not used.any():
        return np.zeros((len(counts), 0), dtype=np.float32)
    z = ((counts[:, used] - mean[used]) / spread[used]).astype(np.float32)
    if seen is not None:
        z = np.where(seen[:, used], z, np.float32(0))
    some = train[:: max(1, -(-len(train) // FITTED))]
    found = PCA(min(most, int(used.sum()), len(some)), svd_solver="full").fit(z[some])
    real = found.explained_variance_ratio_ > NOTHING
    return found.transform(z)[:, real].astype(np.float32)
