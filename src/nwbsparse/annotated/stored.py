"""A result as files hold it: named arrays, datasets and JSON words; no torch, no pynwb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.annotated.elements.digests import Digests
from nwbsparse.session import Source


@dataclass(frozen=True)
class TargetSource:
    """Where the units stand that are reconstructed, if not in the table of those that are read."""

    source: Source
    series: str
    """The series to read them from; '' for the table Units."""


@dataclass(frozen=True)
class StoredResult:
    """One model of one recording, with everything that was found out about it."""

    name: str
    words: Mapping[str, Any]
    """The coder's record as JSON values; ``words['config']`` are the options."""
    tensors: bytes
    """The coder's safetensors: authoritative for its weights."""
    weights: Mapping[str, np.ndarray]
    """The same weights as plain arrays, for readers without our software."""
    latents: xr.Dataset
    metrics: xr.Dataset
    attribution: xr.Dataset
    source: Source
    environment: Mapping[str, Any]
    """Versions, device, threads, wall time, when."""
    target: TargetSource | None = None
    embedding: xr.DataArray | None = None
    """(time, dim): what the model reads, where that is not the counts of the units."""
    embedder: bytes | None = None
    """The safetensors of what made the embedding, where it was made here."""
    stability: xr.Dataset | None = None
    """How the latents come back in coders trained from other seeds; None for one seed."""
    digests: Digests = field(default_factory=dict)
    """What the units did when the result was made."""
    same_as: tuple[str, ...] = ()
    """Checksums of recordings that ``source`` was compared with, unit by unit, and is a copy of."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What a later version said of it in its record: kept when its file is amended."""

    @property
    def parts(self) -> dict[str, xr.Dataset]:
        """The datasets by their names, in the order in which they are stored."""
        known = {
            names.LATENTS: self.latents,
            names.METRICS: self.metrics,
            names.ATTRIBUTION: self.attribution,
        }
        return known if self.stability is None else known | {names.STABILITY: self.stability}
