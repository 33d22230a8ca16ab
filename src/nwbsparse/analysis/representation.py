"""Descriptions of a recording bin by bin, by any method, as they stand side by side in comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from nwbsparse import names
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.analysis.statistics.components import principal_components
from nwbsparse.binning.split import part
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.training.start import untrained_control

Table = Any
"""(time, channel): an array, a DataArray or a Latents dataset."""


@dataclass(frozen=True)
class Representation:
    """What a population does, bin by bin, as one method describes it: latents, units, components, yours.

    Args:
        name: under which its scores stand.
        made: the table itself, (time, channel) over all bins of the recording (array, DataArray or
            Latents dataset); or a function that makes it from a Binned dataset. Scores that hide
            units from a method (:func:`nwbsparse.cosmooth`, hidden units) need the function: a table
            made from all units has seen those that it is to tell. A method that learns must learn
            from training bins alone (``binned["split"]``).

    Example:
        A method of your own beside latents::

            from sklearn.decomposition import FastICA

            def ica(binned):
                counts = binned["counts"].values
                train = binned["split"].values == 0
                return FastICA(8, random_state=0).fit(counts[train]).transform(counts)

            decode(binned, latents=latents, inputs=["latents", Representation("ica", ica)])
    """

    name: str
    made: Table | Callable[[xr.Dataset], Table]

    def of(self, binned: xr.Dataset) -> Described:
        """Its table for a recording, and the bins in which it can be used.

        Raises:
            BadInput: not (time, channel), another number of bins, or not finite where it is used.
        """
        given = self.made(binned) if callable(self.made) else self.made
        usable = np.ones(binned.sizes[names.TIME], dtype=bool)
        if isinstance(given, Described):
            given, usable = given.table, given.usable
        elif isinstance(given, xr.Dataset):
            if names.COMPLETE in given.coords:
                usable = given[names.COMPLETE].values
            given = dense(given)
        table = np.asarray(given, dtype=np.float32)
        if table.ndim != 2 or len(table) != len(usable):
            raise BadInput(
                f"'{self.name}' has shape {table.shape}; (bins, channels) with {len(usable)} bins "
                "is needed"
            )
        if not np.isfinite(table[usable]).all():
            raise BadInput(
                f"'{self.name}' is not finite in "
                f"{(~np.isfinite(table).all(axis=1) & usable).sum()} bins"
            )
        return Described(table, usable)

    def unseen(self, binned: xr.Dataset, hidden: Bool[np.ndarray, " unit"]) -> Described:
        """Its table made anew from a recording without some of its units.

        Raises:
            BadInput: it is a table, not a function that makes one.
        """
        if not callable(self.made):
            raise BadInput(
                f"'{self.name}' is a table that was made from all units, those to be told among "
                "them; give a function that makes it from a Binned dataset"
            )
        seen = binned.isel({names.UNIT: np.flatnonzero(~hidden)})
        return self.of(seen.assign_coords({names.UNIT: np.arange(seen.sizes[names.UNIT])}))


@dataclass(frozen=True)
class Described:
    """A recording as one method describes it."""

    table: Float[np.ndarray, "time channel"]
    usable: Bool[np.ndarray, " time"]
    """False where a window is not complete, or where a value reaches into another part of the split."""


def named_apart(beside: Iterable[Representation], taken: Iterable[str]) -> list[Representation]:
    """Representations of the user's, each of a name of its own.

    Raises:
        BadInput: two have one name, or one has the name of what is there anyway.
    """
    known, found = set(taken), list(beside)
    for one in found:
        if one.name in known:
            raise BadInput(
                f"the name '{one.name}' is taken; names here: {', '.join(sorted(known))}"
            )
        known.add(one.name)
    return found


def latents_of(coder: SparseCoder) -> Representation:
    """Activations of a coder."""
    return Representation("latents", lambda binned: encode(coder, binned))


def untrained_latents_of(coder: SparseCoder) -> Representation:
    """Activations of a coder of the same shape before its first update."""
    return Representation(
        "untrained", lambda binned: encode(untrained_control(coder, binned), binned)
    )


def input_of(coder: SparseCoder) -> Representation:
    """What a coder reads, before it is made sparse."""
    return Representation("input", lambda binned: coder.reads(binned).values())


def recorded_units() -> Representation:
    """The units themselves; each at its mean of training bins where it was not observed."""
    return Representation("counts", _observed)


def smoothed_units(n_bins: int) -> Representation:
    """The units, each the mean over so many bins around."""

    def made(binned: xr.Dataset) -> Described:
        table = running_mean(_observed(binned), binned[names.SEGMENT].values, n_bins)
        return Described(table, ~_touches_another_part(binned, n_bins))

    return Representation("smoothed", made)


def components(most: int) -> Representation:
    """At most so many principal components of the units, fitted on training bins alone."""
    return Representation("pca", lambda binned: principal_components(binned, most=most))


def running_mean(
    counts: np.ndarray, segment: np.ndarray, n_bins: int
) -> Float[np.ndarray, "time unit"]:
    """(time, unit) mean over ``n_bins`` bins around (as many before as after, one more before if even).

    Never across a segment: at its edges the mean is of the bins that are there.
    """
    before, after = n_bins // 2, (n_bins - 1) // 2
    out = np.empty(counts.shape, dtype=np.float32)
    for run in np.split(np.arange(len(counts)), np.flatnonzero(np.diff(segment)) + 1):
        sums = np.concatenate([np.zeros((1, counts.shape[1])), np.cumsum(counts[run], axis=0)])
        at = np.arange(len(run))
        first, stop = np.maximum(at - before, 0), np.minimum(at + after + 1, len(run))
        out[run] = (sums[stop] - sums[first]) / (stop - first)[:, None]
    return out


def _touches_another_part(binned: xr.Dataset, n_bins: int) -> np.ndarray:
    """(time,) bool: whether the mean of a bin holds bins of another part (gaps are of none)."""
    parts, segment = binned[names.SPLIT].values, binned[names.SEGMENT].values
    touches = np.zeros(len(parts), dtype=bool)
    at = np.arange(len(parts))
    for offset in range(-(n_bins // 2), (n_bins - 1) // 2 + 1):
        other = (at + offset).clip(0, len(parts) - 1)
        differs = (parts[other] != parts) & (parts[other] != names.GAP)
        touches |= differs & (segment[other] == segment)
    return touches


def _observed(binned: xr.Dataset) -> np.ndarray:
    counts = binned[names.COUNTS].values.astype(np.float32)
    if names.VALID in binned:
        seen = binned[names.VALID].values
        train = part(binned, "train")[:, None] & seen
        mean = np.where(train, counts, 0).sum(axis=0) / np.maximum(train.sum(axis=0), 1)
        counts = np.where(seen, counts, mean.astype(np.float32))
    return counts
