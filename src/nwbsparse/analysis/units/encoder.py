"""Which units drive a latent: exact for linear encoders, integrated gradients for the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int

from nwbsparse.analysis.apply.encode import normalised
from nwbsparse.analysis.apply.heldout import Scored
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.encoders import WEIGHT, LinearEncoder
from nwbsparse.population import Population

SAMPLED = 50
"""Active bins of each latent over which integrated gradients are averaged when there are more."""
NODES = 64
"""Points of the path at which the gradient is taken (Gauss-Legendre)."""
AT_ONCE = 64
"""(bin, latent) pairs that share one backward pass; each stands on the path NODES times."""


@dataclass(frozen=True)
class EncoderAttribution:
    """What each unit adds to a latent's pre-activation, mean over bins in which it is active."""

    score: Float[np.ndarray, "latent unit"]
    """In the units of the pre-activation, summed over the window; NaN for latents never active."""
    completeness_error: Float[np.ndarray, " latent"]
    """|Σ over units − what there is to explain| / mean |what there is to explain|."""
    n_bins: Int[np.ndarray, " latent"]
    """Active bins that it is the mean of."""


class ExactAttribution:
    """``W ⊙ x``, x the input less the mean: a linear encoder adds these up and nothing else.

    The sum over units and the encoder's bias is the pre-activation. From one streamed pass.
    """

    def __init__(self, coder: SparseCoder) -> None:
        self.weight = coder.get_parameter(WEIGHT).detach().numpy().astype(np.float64)
        self.bias = coder.encoder_bias.detach().numpy().astype(np.float64)
        self.n_units = coder.n_units
        self.total = np.zeros(self.weight.shape)
        self.reached, self.size = np.zeros((2, len(self.weight)))
        self.n = np.zeros(len(self.weight), dtype=np.int64)

    def add(self, piece: Scored) -> None:
        active = piece.activation > 0
        self.total += active.astype(np.float64).T @ piece.seen.reshape(len(active), -1)
        moved = np.where(active, piece.pre_activation - self.bias, 0.0)
        self.reached += moved.sum(axis=0)
        self.size += np.abs(moved).sum(axis=0)
        self.n += active.sum(axis=0)

    def result(self) -> EncoderAttribution:
        with np.errstate(invalid="ignore", divide="ignore"):
            score = (self.weight * self.total / self.n[:, None]).reshape(
                len(self.weight), -1, self.n_units
            )
            score = score.sum(axis=1)
            error = np.abs(score.sum(axis=1) * self.n - self.reached) / self.size
        return EncoderAttribution(score, error, self.n)


class IntegratedGradients:
    """Sundararajan et al. 2017: the gradient along the straight path from the mean population.

    ``score_u = Σ_lag x_u ∫ ∂π/∂y_u(b_pre + s·x) ds`` with x the input less the mean. All latents
    share the same batches; of each at most 50 active bins are looked at, drawn at random, seeded.
    """

    def __init__(self, coder: SparseCoder, binned: xr.Dataset, *, seed: int = 0) -> None:
        self.coder, self.read = coder, coder.reads(binned)
        self.rng = np.random.default_rng(seed)
        self.bins, self.latent = np.zeros((2, 0), dtype=np.int64)
        self.key = np.zeros(0)

    def add(self, piece: Scored) -> None:
        row, latent = np.nonzero(piece.activation > 0)
        bins = np.concatenate([self.bins, piece.bins[row]])
        latent = np.concatenate([self.latent, latent])
        key = np.concatenate([self.key, self.rng.random(len(row))])
        order = np.lexsort((key, latent))
        sorted_latent = latent[order]
        first = np.searchsorted(sorted_latent, sorted_latent)
        kept = order[np.arange(len(order)) - first < SAMPLED]
        self.bins, self.latent, self.key = bins[kept], latent[kept], key[kept]

    def result(self) -> EncoderAttribution:
        n_latents, n_units = self.coder.n_latents, self.coder.n_units
        total = np.zeros((n_latents, n_units))
        missed, size = np.zeros((2, n_latents))
        order = np.argsort(self.bins, kind="stable")  # what is read lies close together
        for some in np.array_split(order, max(1, -(-len(order) // AT_ONCE))):
            if len(some):
                latent = self.latent[some]
                score, reached = _path(self.coder, self.read, self.bins[some], latent)
                np.add.at(total, latent, score)
                np.add.at(missed, latent, np.abs(score.sum(axis=1) - reached))
                np.add.at(size, latent, np.abs(reached))
        n = np.bincount(self.latent, minlength=n_latents)
        with np.errstate(invalid="ignore", divide="ignore"):
            return EncoderAttribution(total / n[:, None], missed / size, n)


def encoder_attribution(
    coder: SparseCoder, binned: xr.Dataset, *, seed: int = 0
) -> ExactAttribution | IntegratedGradients:
    """The exact way where there is one; it is fed with pieces of held-out bins."""
    if isinstance(coder.architecture.encoder, LinearEncoder):
        return ExactAttribution(coder)
    return IntegratedGradients(coder, binned, seed=seed)


def _path(
    coder: SparseCoder, read: Population, bins: np.ndarray, latent: np.ndarray
) -> tuple[Float[np.ndarray, "pair unit"], Float[np.ndarray, " pair"]]:
    """Attribution of each (bin, latent) pair, and how far its pre-activation moved on the path."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    steps, share = torch.from_numpy((nodes + 1) / 2), torch.from_numpy(weights / 2)
    start = coder.pre_bias.detach()
    x = normalised(coder, read, bins) - start
    x, columns = x.to(start.dtype), torch.from_numpy(latent)
    path = (start + steps.to(x.dtype)[:, None, None, None] * x).flatten(0, 1).requires_grad_(True)
    pi = coder.pre_activation(path if coder.window > 1 else path[:, -1])
    chosen = pi.gather(1, columns.repeat(NODES)[:, None]).sum()
    [gradient] = torch.autograd.grad(chosen, path)
    gradient = (gradient.view(NODES, *x.shape) * share.to(x.dtype)[:, None, None, None]).sum(dim=0)
    with torch.no_grad():
        ends = torch.cat([start + x, start.expand(1, *x.shape[1:])])
        reached = coder.pre_activation(ends if coder.window > 1 else ends[:, -1])
        moved = (reached[:-1] - reached[-1]).gather(1, columns[:, None])[:, 0]
    score = (gradient * x).sum(dim=1)
    return score.numpy().astype(np.float64), moved.numpy().astype(np.float64)
