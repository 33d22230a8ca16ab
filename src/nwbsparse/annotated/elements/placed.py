"""What an element of a file holds of the datasets of a result, by the names of their variables."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names

Found = dict[str, dict[str, Any]]
"""Name of a dataset → name of a variable → its values, as an element of a file holds them."""


@dataclass(frozen=True)
class Placed:
    """The variables that an element has taken; the field of a dataset bears its name."""

    latents: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    attribution: frozenset[str] = frozenset()
    stability: frozenset[str] = frozenset()

    def __add__(self, other: Placed) -> Placed:
        return Placed(
            **{one.name: self.of(one.name) | other.of(one.name) for one in fields(Placed)}
        )

    def of(self, part: str) -> frozenset[str]:
        """Those of one dataset."""
        return getattr(self, part)


def there(dataset: xr.Dataset | None, *candidates: str) -> frozenset[str]:
    """Those of some variables that a dataset has."""
    held = () if dataset is None else dataset.variables
    return frozenset(key for key in candidates if key in held)


def numbered(dataset: xr.Dataset | None, dim: str) -> frozenset[str]:
    """The coordinate of a dim whose entries are numbered 0 … n−1: what the rows of a table say."""
    held = None if dataset is None else dataset.coords.get(dim)
    plain = held is not None and np.array_equal(held.values, np.arange(len(held)))
    return frozenset({dim} if plain else ())


def together(*found: Found) -> Found:
    """What several elements hold."""
    merged: Found = {part: {} for part in (*PARTS, names.STABILITY)}
    for one in found:
        for part, values in one.items():
            merged[part] |= values
    return merged


PARTS = (names.LATENTS, names.METRICS, names.ATTRIBUTION)
"""The datasets that every result has."""
