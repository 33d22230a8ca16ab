"""Apply a coder to a recording of any length, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from jaxtyping import Bool, Float, Int

from nwbsparse import names
from nwbsparse.analysis.apply.activity import stored
from nwbsparse.deprecated import renamed
from nwbsparse.models.coder import SparseCoder, as_tensor
from nwbsparse.population import Population
from nwbsparse.schema import check, with_step
from nwbsparse.training.bins import smoothed_input

CHUNK = 8192


@dataclass(frozen=True)
class Piece:
    """Some bins in order: what the coder makes of them."""

    bins: Int[np.ndarray, " bin"]
    activation: Float[np.ndarray, "bin latent"]
    """Zero where the window is not complete."""
    predicted: Float[np.ndarray, "bin target"]
    """Reconstruction of each bin (of the bin ``lag`` later), NaN where the window is not complete;
    without columns unless it was asked for."""
    complete: Bool[np.ndarray, " bin"]
    """Whether all bins that the coder looks at stand in the bin's segment."""


@renamed(data="binned")
def encode(coder: SparseCoder, binned: xr.Dataset) -> xr.Dataset:
    """Activation of every latent in every bin, under the coder's fixed threshold.

    Args:
        coder: what :func:`nwbsparse.fit` returned or a file held.
        binned: Binned dataset with the coder's units in the coder's order; for a coder of an
            embedding, with an ``embedding(time, dim)`` of as many dims.

    Returns:
        Latents dataset: ``activation(time, latent)`` for up to 256 latents, else rows of a CSR
        table ``value(entry), latent_index(entry), indptr(time_edge)``; coords ``level(latent)``
        and those of time. A bin's activations do not depend on the batch it is encoded in. A coder
        that sees several bins has no activations in the first bins of a segment, where its window
        is not complete: they are zero there, and ``complete(time)`` says where.

    Raises:
        BadInput: the units are others than the coder's, or in another order.
    """
    check(binned, names.BINNED)
    pieces = list(batches(coder, binned))
    coords: dict[str, Any] = {
        str(name): coordinate
        for name, coordinate in binned.coords.items()
        if coordinate.dims == (names.TIME,)
    }
    coords[names.LATENT] = np.arange(coder.n_latents)
    coords[names.LEVEL] = (names.LATENT, np.array(coder.level_of_latent, dtype=np.int32))
    if coder.window > 1:
        coords[names.COMPLETE] = (names.TIME, np.concatenate([p.complete for p in pieces]))
    variables = stored([piece.activation for piece in pieces], coder.n_latents)
    attrs = {
        names.SCHEMA: names.LATENTS,
        names.BIN_WIDTH: float(binned.attrs[names.BIN_WIDTH]),
        names.TIME_UNIT: "s",
        names.CODER_ID: coder.id,
        names.SOURCE: binned.attrs.get(names.SOURCE, ""),
        "source_sha256": binned.attrs.get("source_sha256", ""),
    }
    latents = xr.Dataset(variables, coords=coords, attrs=attrs)
    return check(with_step(latents, "encode", {"coder": coder.id}, since=binned), names.LATENTS)


@renamed(data="binned")
def reconstruct(coder: SparseCoder, binned: xr.Dataset) -> xr.DataArray:
    """What the latents say the population did: (time, unit), in the units of the target.

    Z-scores of counts when the coder was trained on them (``attrs['scale']`` says 'zscore'),
    else expected counts per bin; their roots where the coder reads roots (``attrs['of']``). A coder
    with a lag says in each bin what it expects that many bins later (``attrs['lag']``). NaN where the
    window of a coder that sees several bins is not complete. Of a coder of an embedding: (time, dim),
    in the embedding's scale or z-scores of it.
    """
    predicted = np.concatenate([piece.predicted for piece in batches(coder, binned, decode=True)])
    attrs = {"scale": coder.config.scaling[0], "lag": coder.config.lag}
    if coder.config.transform == "sqrt":
        attrs["of"] = "sqrt(counts)"
    written = coder.writes(binned)
    coords: dict[str, Any] = {names.TIME: binned[names.TIME]}
    if written.of_units:
        coords[names.UNIT_ID] = (names.UNIT, written.data[names.UNIT_ID].values)
    else:
        coords |= written.coords()
    return xr.DataArray(predicted, dims=(names.TIME, written.dim), coords=coords, attrs=attrs)


def batches(
    coder: SparseCoder,
    binned: xr.Dataset,
    bins: Int[np.ndarray, " chosen_bin"] | None = None,
    *,
    decode: bool = False,
) -> Iterator[Piece]:
    """Bins in order, a few thousand at a time; all of them unless some are chosen.

    Raises:
        BadInput: the units are others than the coder's, or in another order.
    """
    read = coder.reads(binned)
    offsets = np.arange(1 - coder.architecture.window, 1)
    if coder.window == 1 and not decode:
        offsets = offsets[-1:]
    bins = np.arange(binned.sizes[names.TIME]) if bins is None else np.asarray(bins)
    segments = binned[names.SEGMENT].values
    for some in np.array_split(bins, max(1, -(-len(bins) * len(offsets) // CHUNK))):
        if not len(some):
            continue
        seen = some[:, None] + offsets
        complete = (seen[:, 0] >= 0) & (segments[seen[:, 0].clip(0)] == segments[some])
        y = _gathered(coder, read, seen.clip(0))
        # not around the loop: between two pieces the caller's own gradients are none of our business
        with torch.no_grad():
            rows = y if coder.window > 1 else y.reshape(-1, y.shape[2])
            activation = coder.activate(coder.pre_activation(rows))
            predicted = torch.empty(len(some), 0)
            if decode:
                values = coder.decode(activation)
                predicted = values.view(len(some), -1, coder.n_targets)[:, -1].clone()
                predicted[torch.from_numpy(~complete)] = torch.nan
            activation = activation.view(len(some), -1, activation.shape[1])[:, -1]
        own = np.where(complete[:, None], activation.numpy(), 0)
        yield Piece(some, own.astype(np.float32), predicted.numpy(), complete)


def normalised(coder: SparseCoder, read: Population, bins: np.ndarray) -> torch.Tensor:
    """(bin, lag, unit): the windows of some bins as the coder sees what it reads."""
    seen = bins[:, None] + np.arange(1 - coder.window, 1)
    return _gathered(coder, read, seen.clip(0))


def _gathered(coder: SparseCoder, read: Population, seen: np.ndarray) -> torch.Tensor:
    """(bin, lag, unit) as the coder sees it; only the bins between the first and last are read."""
    first, last = int(seen.min()), int(seen.max()) + 1
    table = smoothed_input(coder.config, read.data, first, last)
    observed = None
    if read.valid is not None:
        observed = torch.from_numpy(read.observed(slice(first, last)))[seen - first]
    return coder.normalise(as_tensor(table)[seen - first], observed)
