"""What a reader of the numbers must know about a recording, and which of its bins are assessed."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.statistics.observed import observed_together
from nwbsparse.binning.split import part
from nwbsparse.embedding.attach import ALL, saw_behaviour
from nwbsparse.models.coder import SparseCoder

MOST_SPIKES = 0.5
"""Share of all spikes from which one unit holds more than all others together."""


def assessed_bins(coder: SparseCoder, binned: xr.Dataset) -> np.ndarray:
    """All bins; of an embedding that was made with the behaviour, those that it had no part in.

    The coder itself never sees behaviour, so that its training bins say as much as others.
    """
    everything = np.arange(binned.sizes[names.TIME])
    if coder.record.of_units:
        return everything
    seen = saw_behaviour(binned)
    if seen is None:
        return everything
    return everything[:0] if seen == ALL else np.flatnonzero(part(binned, "test"))


def notes(binned: xr.Dataset) -> list[str]:
    """Sentences about the recording."""
    said = []
    counts = binned[names.COUNTS].values
    if names.VALID in binned:
        counts = np.where(binned[names.VALID].values, counts, 0)
    spikes, per_bin = (counts.sum(axis=axis, dtype=np.float64) for axis in (0, 1))
    for one in observed_together(binned):
        share = spikes[one.units] / max(per_bin[one.seen].sum(), 1.0)
        for unit, its_share in zip(one.units, share, strict=True):
            if its_share > MOST_SPIKES:
                unit_id = binned[names.UNIT_ID].values[unit]
                said.append(f"unit {unit_id} holds {its_share * 100:.0f} % of all spikes")
    return said


def embedding_notes(coder: SparseCoder, binned: xr.Dataset) -> list[str]:
    """What an embedding that a coder reads means for what is assessed."""
    if coder.record.of_units:
        return []
    method = binned[names.EMBEDDING].attrs.get(names.METHOD, "")
    said = f"the coder reads an embedding ({method}): "
    seen = saw_behaviour(binned)
    if seen is None:
        return [
            said + "all bins are assessed, as it is not said to have been made with the behaviour"
        ]
    if seen == ALL:
        return [said + "it was made with the behaviour of all bins, so that nothing can be tested"]
    return [said + "it was made with the behaviour of other bins; only test bins are assessed"]
