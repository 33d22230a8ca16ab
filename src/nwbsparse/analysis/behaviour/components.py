"""Principal components of the population, a yardstick for latents: linear, and not sparse."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from nwbsparse.analysis.behaviour.association import Candidate, Tested, associate
from nwbsparse.analysis.behaviour.design import Ground
from nwbsparse.analysis.statistics.components import principal_components


def associate_components(
    data: xr.Dataset, candidates: Sequence[Candidate], ground: Ground, *, most: int
) -> Tested:
    """:func:`associate` for principal components of the counts, found on training bins.

    Args:
        data: the split Binned dataset.
        candidates: what they are compared with.
        ground: bins and draws, as for the latents.
        most: how many components at most, the number of latents.
    """
    return associate(principal_components(data, most=most), list(candidates), ground)
