"""Bins as scores of hidden units look at them: what is seen, and what is to be told, in one scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nwbsparse import names
from nwbsparse.analysis.apply.encode import normalised
from nwbsparse.analysis.apply.heldout import CHUNK, ENTRIES
from nwbsparse.models.coder import NO_PART, SparseCoder, transformed
from nwbsparse.training.hidden_units import LEFT_OUT, folds_of
from nwbsparse.training.start import FEWEST

MOST = 20_000
"""Training bins that baselines are fitted on, evenly spaced over all there are."""


@dataclass(frozen=True)
class Units:
    """What training bins say about the units: who takes part, who is hidden with whom, the scale."""

    kept: Bool[np.ndarray, " unit"]
    """Units active in 20 training bins or more."""
    fold: Int[np.ndarray, " unit"]
    """In which fold each is hidden."""
    group: Int[np.ndarray, " unit"]
    """Units of one number are hidden together."""
    mean: Float[np.ndarray, " unit"]
    """Of the raw training bins (of their roots, where the coder reads these), per bin."""
    spread: Float[np.ndarray, " unit"]
    """Standard deviation of the raw training bins; 1 for units that take no part."""
    counts: bool
    """Whether all training values are counts."""

    @property
    def n_groups(self) -> int:
        """Groups with a unit that takes part."""
        return len(np.unique(self.group[self.kept]))


@dataclass(frozen=True)
class Seen:
    """Some bins in order."""

    y: Float[Tensor, "row lag unit"]
    """As the coder sees them; of a decoder with time courses, the rows of whole windows."""
    asked: Bool[Tensor, "row unit"]
    """Where units that take part were observed, in the last bin of each row's window."""
    values: Float[np.ndarray, "bin unit"]
    """Raw counts (or their roots) or traces; the mean where they were not observed."""
    raw: Float[np.ndarray, "bin unit"]
    """Counts or traces as they are; 0 where they were not observed."""
    observed: Bool[np.ndarray, "bin unit"]
    """Where units that take part were observed."""


@dataclass(frozen=True)
class Table:
    """Bins that baselines are fitted on, in the scale of the training bins."""

    x: Float[np.ndarray, "bin unit"]
    """What is seen (smoothed, where the coder smooths), in standard deviations about the mean; 0
    where it was not observed."""
    y: Float[np.ndarray, "bin unit"]
    """What is to be told: raw bins, likewise."""
    observed: Bool[np.ndarray, "bin unit"]


def units_in(
    coder: SparseCoder, binned: xr.Dataset, train: Int[np.ndarray, " bin"], group: np.ndarray
) -> Units:
    """Look at all training bins once."""
    shape = coder.n_targets
    n, total, square, active = (np.zeros(shape) for _ in range(4))
    counts = True
    for some in pieces(train, CHUNK):
        raw, observed = _raw(binned, some)
        values = transformed(raw, coder.config)
        n += observed.sum(axis=0)
        total += values.sum(axis=0, where=observed)
        square += np.square(values).sum(axis=0, where=observed)
        active += ((values != 0) & observed).sum(axis=0)
        counts = counts and are_counts(raw, observed)
    mean = total / np.maximum(n, 1)
    spread = np.sqrt(np.maximum(square / np.maximum(n, 1) - mean**2, 0))
    read = coder.scale.numpy() < NO_PART
    kept = (active >= FEWEST) & (spread > 0) & read
    fold = folds_of(np.where(kept, group, LEFT_OUT))
    spread = np.where(kept, spread, 1.0)
    return Units(kept, fold, group, mean, spread, counts)


def seen_in(coder: SparseCoder, binned: xr.Dataset, units: Units, bins: np.ndarray) -> Seen:
    """Read some bins, with whatever the coder's window reaches."""
    n_rows = coder.architecture.decoder.rows_per_bin
    rows = (bins[:, None] + np.arange(1 - n_rows, 1)).ravel()
    asked = np.broadcast_to(units.kept, (len(rows), len(units.kept)))
    if names.VALID in binned:
        asked = asked & binned[names.VALID][rows].values
    raw, observed = _raw(binned, bins)
    observed = observed & units.kept
    return Seen(
        normalised(coder, coder.reads(binned), rows),
        torch.from_numpy(np.array(asked)),
        np.where(observed, transformed(raw, coder.config), units.mean),
        np.where(observed, raw, 0),
        observed,
    )


def read_at_once(coder: SparseCoder) -> int:
    """Bins of a piece, so that memory depends neither on the recording nor on the coder."""
    rows = min(CHUNK, ENTRIES // max(coder.n_latents, 1))
    return max(1, rows // max(coder.architecture.decoder.rows_per_bin, coder.window))


def pieces(bins: Int[np.ndarray, " bin"], most: int) -> Iterator[np.ndarray]:
    """Bins in runs that span no more than so many bins of the recording."""
    if len(bins):
        yield from np.split(bins, np.flatnonzero(np.diff(bins // most)) + 1)


def spaced(bins: Int[np.ndarray, " bin"]) -> Int[np.ndarray, " chosen_bin"]:
    """At most 20,000 of the bins, evenly spaced."""
    if len(bins) <= MOST:
        return bins
    return bins[np.linspace(0, len(bins) - 1, MOST).round().astype(np.int64)]


def are_counts(values: np.ndarray, observed: np.ndarray) -> bool:
    """Whether values are whole numbers from 0 on."""
    there = values[observed]
    return bool((there >= 0).all() and (np.mod(there, 1) == 0).all())


def _raw(binned: xr.Dataset, bins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts or traces of neighbouring bins, and where they were observed."""
    if not len(bins):
        n_units = binned.sizes[names.UNIT]
        return np.zeros((0, n_units)), np.zeros((0, n_units), dtype=bool)
    first, last = int(bins[0]), int(bins[-1]) + 1
    values = binned[names.COUNTS][first:last].values[bins - first].astype(np.float64)
    if names.VALID not in binned:
        return values, np.ones(values.shape, dtype=bool)
    return values, binned[names.VALID][first:last].values[bins - first]
