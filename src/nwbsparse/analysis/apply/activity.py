"""Activity of many channels, however it is kept: a full table, sparse rows of a dataset, sparse columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from scipy import sparse

from nwbsparse import names
from nwbsparse.errors import BadInput

DENSE_LIMIT = 256
"""Latents up to which activations are kept as a full table; beyond it only the active ones."""


@dataclass(frozen=True)
class Activity:
    """The activity of many channels (latents or units), sparse: zeros are not kept.

    A table of 180,000 bins × 4,096 latents of which 32 are active takes 46 MB instead of 3 GB, and
    everything that is summed over bins costs as much as there are active bins.
    """

    indptr: np.ndarray
    """(channel + 1,) int64: where the entries of each channel begin."""
    bins: np.ndarray
    """(entry,) int32, rising within a channel."""
    value: np.ndarray
    """(entry,) activity, never 0."""
    n_bins: int

    @property
    def n_channels(self) -> int:
        return len(self.indptr) - 1

    @property
    def active(self) -> np.ndarray:
        """Channels that are not zero throughout."""
        return np.flatnonzero(np.diff(self.indptr) > 0)

    @cached_property
    def table(self) -> sparse.csc_matrix:
        """The same as a matrix (bin, channel)."""
        return sparse.csc_matrix(
            (self.value, self.bins, self.indptr), shape=(self.n_bins, self.n_channels)
        )

    def some(self, channels: np.ndarray) -> Activity:
        """The activity of some channels, in their order."""
        return _by_channel(self.table[:, channels].tocsc(), self.n_bins)

    def dense(self, channels: np.ndarray) -> np.ndarray:
        """(bin, channel): some channels as a full table."""
        return self.table[:, channels].toarray()

    def at(self, bins: np.ndarray) -> Activity:
        """The activity in some bins (rising), which are then numbered from 0."""
        place = np.full(self.n_bins, -1, dtype=np.int32)
        place[bins] = np.arange(len(bins), dtype=np.int32)
        there = place[self.bins]
        kept = there >= 0
        before = np.concatenate([[0], np.cumsum(kept)])
        return Activity(before[self.indptr], there[kept], self.value[kept], len(bins))

    def by_value(self) -> Activity:
        """The same with the entries of each channel in the order of their values.

        Raises:
            BadInput: a value is negative, so that zeros do not come first.
        """
        if len(self.value) and self.value.min() < 0:
            raise BadInput("activations are negative somewhere; they must be 0 or more")
        order = np.empty(len(self.value), dtype=np.int64)
        for start, stop in zip(self.indptr[:-1], self.indptr[1:], strict=True):
            order[start:stop] = start + np.argsort(self.value[start:stop])
        return Activity(self.indptr, self.bins[order], self.value[order], self.n_bins)


def activity_of(given: np.ndarray | xr.Dataset | Activity) -> Activity:
    """A table (bin, channel) or a Latents dataset, however it is kept, channel by channel."""
    if isinstance(given, Activity):
        return given
    if isinstance(given, np.ndarray):
        made = sparse.csc_matrix(given)
    elif names.ACTIVATION in given:
        made = sparse.csc_matrix(given[names.ACTIVATION].values)
    else:
        made = sparse.csr_matrix(
            (
                given[names.VALUE].values,
                given[names.LATENT_INDEX].values.astype(np.int32),
                given[names.INDPTR].values.astype(np.int64),
            ),
            shape=(given.sizes[names.TIME], given.sizes[names.LATENT]),
        ).tocsc()
    made.eliminate_zeros()
    made.sort_indices()
    n_bins = given.shape[0] if isinstance(given, np.ndarray) else given.sizes[names.TIME]
    return _by_channel(made, n_bins)


def _by_channel(made: sparse.csc_matrix | sparse.csc_array, n_bins: int) -> Activity:
    value = made.data if made.data.dtype.kind == "f" else made.data.astype(np.float32)
    indptr, bins = made.indptr.astype(np.int64), made.indices.astype(np.int32)
    return Activity(indptr, bins, value, n_bins)


def activation_of(latents: xr.Dataset, latent: int) -> np.ndarray:
    """(time,) float32 activation of one latent; of those that are kept sparse no other is unpacked."""
    if names.ACTIVATION in latents:
        return latents[names.ACTIVATION].values[:, latent]
    mine = np.flatnonzero(latents[names.LATENT_INDEX].values == latent)
    indptr = latents[names.INDPTR].values.astype(np.int64)
    out = np.zeros(len(indptr) - 1, dtype=np.float32)
    out[np.searchsorted(indptr, mine, side="right") - 1] = latents[names.VALUE].values[mine]
    return out


def dense(latents: xr.Dataset, bins: np.ndarray | slice | None = None) -> np.ndarray:
    """Activations (time, latent) float32 of some bins (all when None), however they are kept."""
    chosen = slice(None) if bins is None else bins
    if names.ACTIVATION in latents:
        return latents[names.ACTIVATION].values[chosen]
    indptr = latents[names.INDPTR].values.astype(np.int64)
    rows = np.arange(len(indptr) - 1)[chosen]
    out = np.zeros((len(rows), latents.sizes[names.LATENT]), dtype=np.float32)
    lengths = indptr[rows + 1] - indptr[rows]
    at = np.repeat(np.arange(len(rows)), lengths)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    entries = np.repeat(indptr[rows], lengths) + within
    out[at, latents[names.LATENT_INDEX].values[entries]] = latents[names.VALUE].values[entries]
    return out


def stored(pieces: list[np.ndarray], n_latents: int) -> dict[str, Any]:
    """Variables of a Latents dataset, from tables (bin, latent) of stretches of bins in order.

    A full table of few latents; of many the rows of what is not zero.
    """
    if n_latents <= DENSE_LIMIT:
        return {names.ACTIVATION: ((names.TIME, names.LATENT), np.concatenate(pieces))}
    index_type = np.uint16 if n_latents <= 65_536 else np.uint32
    active = [piece.nonzero() for piece in pieces]
    values = [piece[where] for piece, where in zip(pieces, active, strict=True)]
    lengths = [
        np.bincount(where[0], minlength=len(p)) for p, where in zip(pieces, active, strict=True)
    ]
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.uint64)
    columns = np.concatenate([where[1] for where in active]).astype(index_type)
    return {
        names.VALUE: (names.ENTRY, np.concatenate(values)),
        names.LATENT_INDEX: (names.ENTRY, columns),
        names.INDPTR: (names.TIME_EDGE, indptr),
    }
