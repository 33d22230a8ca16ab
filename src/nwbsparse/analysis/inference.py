"""Apply a coder to a recording of any length, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import xarray as xr
from scipy import sparse

from nwbsparse import names
from nwbsparse.models.coder import SparseCoder, as_tensor
from nwbsparse.schema import check, with_step

CHUNK = 8192
DENSE_LIMIT = 256
"""Latents up to which activations are kept as a full table; beyond it only the active ones."""


def encode(coder: SparseCoder, data: xr.Dataset) -> xr.Dataset:
    """Activation of every latent in every bin, under the coder's fixed threshold.

    Args:
        coder: what :func:`nwbsparse.fit` returned or a file held.
        data: Binned dataset with the coder's units in the coder's order.

    Returns:
        Latents dataset: ``activation(time, latent)`` for up to 256 latents, else rows of a CSR
        table ``value(entry), latent_index(entry), indptr(time_edge)``; coords ``level(latent)``
        and those of time. A bin's activations do not depend on the bins around it.

    Raises:
        BadInput: the units are others than the coder's, or in another order.
    """
    check(data, names.BINNED)
    coder.check_units(data[names.UNIT_ID].values)
    pieces = [activation for _, activation, _ in batches(coder, data)]
    coords: dict[str, Any] = {
        str(name): coordinate
        for name, coordinate in data.coords.items()
        if coordinate.dims == (names.TIME,)
    }
    coords[names.LATENT] = np.arange(coder.n_latents)
    coords[names.LEVEL] = (names.LATENT, np.array(coder.level_of_latent, dtype=np.int32))
    variables: dict[str, Any]
    if coder.n_latents <= DENSE_LIMIT:
        variables = {names.ACTIVATION: ((names.TIME, names.LATENT), np.concatenate(pieces))}
    else:
        variables = _rows(pieces, coder.n_latents)
    attrs = {
        names.SCHEMA: names.LATENTS,
        names.BIN_WIDTH: float(data.attrs[names.BIN_WIDTH]),
        names.TIME_UNIT: "s",
        names.CODER_ID: coder.id,
        names.SOURCE: data.attrs.get(names.SOURCE, ""),
        "source_sha256": data.attrs.get("source_sha256", ""),
    }
    latents = xr.Dataset(variables, coords=coords, attrs=attrs)
    return check(with_step(latents, "encode", {"coder": coder.id}, since=data), names.LATENTS)


def reconstruct(coder: SparseCoder, data: xr.Dataset) -> xr.DataArray:
    """What the latents say the population did: (time, unit), in the units of the target.

    Z-scores of counts when the coder was trained on them (``attrs['scale']`` says 'zscore'),
    else expected counts per bin.
    """
    coder.check_units(data[names.UNIT_ID].values)
    pieces = [predicted.numpy() for _, _, predicted in batches(coder, data, decode=True)]
    return xr.DataArray(
        np.concatenate(pieces),
        dims=(names.TIME, names.UNIT),
        coords={names.TIME: data[names.TIME], names.UNIT_ID: data[names.UNIT_ID]},
        attrs={"scale": coder.config.target[0]},
    )


def batches(
    coder: SparseCoder, data: xr.Dataset, *, decode: bool = False, level: int = -1
) -> Iterator[tuple[slice, np.ndarray, torch.Tensor]]:
    """Bins in order, a few thousand at a time: where they are, activations, reconstruction.

    The reconstruction is empty unless ``decode``.
    """
    counts = data[names.COUNTS]
    valid = data.get(names.VALID)
    for start in range(0, counts.shape[0], CHUNK):
        where = slice(start, min(start + CHUNK, counts.shape[0]))
        observed = None if valid is None else torch.from_numpy(valid[where].values)
        # not around the loop: between two pieces the caller's own gradients are none of our business
        with torch.no_grad():
            y = coder.normalise(as_tensor(counts[where].values), observed)
            activation = coder.activate(coder.pre_activation(y), level=level)
            predicted = coder.decode(activation) if decode else torch.empty(0)
        yield where, activation.numpy(), predicted


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


def _rows(pieces: list[np.ndarray], n_latents: int) -> dict[str, Any]:
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


def latent_columns(latents: xr.Dataset, *, width: int = 256) -> Iterator[tuple[slice, np.ndarray]]:
    """All bins of a few latents at a time: which latents, and their activations (time, latent)."""
    n = latents.sizes[names.LATENT]
    if names.ACTIVATION in latents:
        for start in range(0, n, width):
            where = slice(start, min(start + width, n))
            yield where, latents[names.ACTIVATION].values[:, where]
        return
    table = sparse.csr_matrix(
        (
            latents[names.VALUE].values,
            latents[names.LATENT_INDEX].values.astype(np.int32),
            latents[names.INDPTR].values.astype(np.int64),
        ),
        shape=(latents.sizes[names.TIME], n),
    ).tocsc()
    for start in range(0, n, width):
        where = slice(start, min(start + width, n))
        yield where, table[:, where].toarray()
