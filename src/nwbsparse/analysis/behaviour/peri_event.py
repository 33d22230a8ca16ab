"""What latents do around events: mean activation before and after, on held-out bins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.apply.activity import activity_of
from nwbsparse.binning.split import part
from nwbsparse.binning.variables import events_of
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput, unknown


@renamed(data="binned")
def peri_event_activation(
    latents: xr.Dataset,
    binned: xr.Dataset,
    events: Sequence[str] | None = None,
    *,
    before: float = 1.0,
    after: float = 2.0,
    split: str = "test",
) -> xr.Dataset:
    """Mean activation of every latent in the bins before and after each kind of event.

    Args:
        latents: what :func:`nwbsparse.encode` gave.
        binned: the split Binned dataset it was made from.
        events: names of the event variables; all when None.
        before: seconds before the event, 0 or more.
        after: seconds after it.
        split: the part whose events and bins count.

    Returns:
        Dataset with ``peri_event.X(latent, X_lag)`` and ``peri_event_bins.X(X_lag)``, the number of
        events (counted with their multiplicity) behind each lag; ``X_lag`` in seconds from the bin
        of the event. Only bins of the part and of the event's own segment count, so that lags far
        from the event rest on fewer; NaN where there is none.

    Raises:
        BadInput: an unknown event, a window without a bin, or data that were not split.
    """
    known = events_of(binned)
    width = float(binned.attrs[names.BIN_WIDTH])
    if not (before >= 0 and after >= 0 and np.isfinite(before + after)):
        raise BadInput(f"the window must reach 0 s or more: before={before}, after={after}")
    activity = activity_of(latents)
    used = part(binned, split)
    segment = binned[names.SEGMENT].values
    lags = np.arange(-round(before / width), round(after / width) + 1)
    made: dict[str, xr.DataArray] = {}
    for name in known if events is None else events:
        if name not in known:
            raise unknown(name, known, what="event")
        n = np.where(used, np.nan_to_num(binned[name].values.astype(np.float64)), 0.0)
        at = np.flatnonzero(n)
        weight = np.zeros((len(n), len(lags)))
        for column, lag in enumerate(lags):
            there = at + lag
            inside = (there >= 0) & (there < len(n))
            source, there = at[inside], there[inside]
            counts = used[there] & (segment[there] == segment[source])
            weight[there[counts], column] = n[source[counts]]
        total = activity.table.T @ weight
        of_lag = weight.sum(axis=0)
        dim = f"{name}_lag"
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (total / of_lag).astype(np.float32)
        coords = {dim: lags * width}
        made[f"peri_event.{name}"] = xr.DataArray(mean, dims=(names.LATENT, dim), coords=coords)
        made[f"peri_event_bins.{name}"] = xr.DataArray(of_lag, dims=dim, coords=coords)
    return xr.Dataset(made, attrs={names.SPLIT: split})
