"""From a latent of an embedding back to the units: gradients through what made the embedding."""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.units.encoder import NODES, SAMPLED, EncoderAttribution
from nwbsparse.embedding.embedder import embedder_of
from nwbsparse.embedding.network import network_of
from nwbsparse.embedding.rows import rows_of
from nwbsparse.models.coder import SparseCoder

AT_ONCE = 8
"""Bins whose paths go through the network at once."""


def attribution_through(
    coder: SparseCoder,
    binned: xr.Dataset,
    bins: np.ndarray,
    activation: np.ndarray,
    *,
    seed: int = 0,
) -> EncoderAttribution | None:
    """What each unit adds to a latent's pre-activation through the embedding, where it is active.

    Integrated gradients (Sundararajan et al. 2017) of units → dims → latent along the straight path from
    the mean of the training bins to the window of a bin; where the embedding is linear, so that the path
    does not matter, they are the product of both matrices with the activity. Of each latent at most 50
    active bins are looked at, drawn at random, seeded.

    Args:
        coder: a coder of an embedding that sees one bin.
        binned: its dataset, with the embedder.
        bins: which bins ``activation`` is of.
        activation: (bin, latent).
        seed: of the draw.

    Returns:
        None where what made the embedding is not kept, has no gradient, or the coder sees several bins.

    Raises:
        EnvironmentProblem: the package of the network is not installed.
    """
    embedder = embedder_of(binned)
    if embedder is None or coder.window > 1:
        return None
    n_units = binned.sizes[names.UNIT]
    network = network_of(embedder, n_units=n_units)
    if network is None:
        return None
    rows = rows_of(binned, smoothing=float(embedder.settings.get("smoothing", 0.0)))
    windows = rows.windows(*embedder.receptive_field)
    start = torch.from_numpy(rows.table[rows.learned].mean(axis=0))
    linear = "matrix" in embedder.arrays
    nodes, share = np.polynomial.legendre.leggauss(1 if linear else NODES)
    steps = torch.from_numpy((nodes + 1) / 2).float()
    weights = torch.from_numpy(share / 2).float()
    rng = np.random.default_rng(seed)
    total = np.zeros((coder.n_latents, n_units))
    missed, size, count = np.zeros((3, coder.n_latents))

    def pre_activation(seen: torch.Tensor) -> torch.Tensor:
        return coder.pre_activation(coder.normalise(network(seen), None))

    with torch.no_grad():
        still = pre_activation(start.expand(1, windows.shape[1], -1))[0]
    for latent in range(coder.n_latents):
        active = np.flatnonzero(activation[:, latent] > 0)
        some = rng.permutation(active)[:SAMPLED]
        for part in np.array_split(some, max(1, -(-len(some) // AT_ONCE))):
            if not len(part):
                continue
            there = torch.from_numpy(rows.table[windows[bins[part]]])  # (bin, window, unit)
            moved = there - start
            path = (start + steps[:, None, None, None] * moved).flatten(0, 1).requires_grad_(True)
            [gradient] = torch.autograd.grad(pre_activation(path)[:, latent].sum(), path)
            gradient = gradient.view(len(steps), *moved.shape)
            added = ((gradient * weights[:, None, None, None]).sum(dim=0) * moved).sum(dim=1)
            with torch.no_grad():
                reached = pre_activation(there)[:, latent] - still[latent]
            total[latent] += added.sum(dim=0).numpy()
            missed[latent] += float((added.sum(dim=1) - reached).abs().sum())
            size[latent] += float(reached.abs().sum())
            count[latent] += len(part)
    with np.errstate(invalid="ignore", divide="ignore"):
        return EncoderAttribution(total / count[:, None], missed / size, count.astype(np.int64))
