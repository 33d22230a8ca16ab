"""Units that were observed in the same bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from nwbsparse import names


@dataclass(frozen=True)
class Together:
    """Units that were observed in the same bins."""

    units: np.ndarray
    """Their columns."""
    seen: np.ndarray
    """(bin,) bool."""


def observed_together(binned: xr.Dataset, bins: np.ndarray | slice = slice(None)) -> list[Together]:
    """All units, grouped by the bins (of those given) in which they were observed."""
    if names.VALID not in binned:
        everywhere = np.ones(binned.sizes[names.TIME], dtype=bool)[bins]
        return [Together(np.arange(binned.sizes[names.UNIT]), everywhere)]
    valid = np.ascontiguousarray(binned[names.VALID].values[bins].T)
    alike: dict[bytes, list[int]] = {}
    for unit, packed in enumerate(np.packbits(valid, axis=1)):
        alike.setdefault(packed.tobytes(), []).append(unit)
    return [Together(np.array(units), valid[units[0]]) for units in alike.values()]
