"""A new start for dead latents: the directions that the living ones explain worst."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from nwbsparse.models.architecture import DICTIONARY
from nwbsparse.models.encoders import BIAS, WEIGHT
from nwbsparse.models.stack import Stack
from nwbsparse.training.adam import StackAdam
from nwbsparse.training.bins import Windows

SHY = 0.2
"""Length of a new encoder row, relative to the living ones' mean: it must not take over at once."""
LOOKED_AT = 8192


@torch.no_grad()
def resample(
    stack: Stack,
    windows: Windows,
    member: int,
    dead: Tensor,
    adam: StackAdam,
    *,
    seed: int,
) -> int:
    """Give the dead latents of one model of a stack new weights (Bricken et al. 2023).

    Bins are drawn with a probability that grows with the square of their loss; a latent's
    dictionary row becomes the residual of its bin, its encoder row the bin itself, a fifth as long
    as the living ones. Its Adam moments begin anew. Returns how many latents were given them.

    Args:
        stack: the models.
        windows: what they learn from.
        member: which model.
        dead: (latent,) which of its latents.
        adam: what trains the stack; its moments of those latents begin anew.
        seed: of the draw; the same seed gives the same weights.
    """
    rows = dead.nonzero().squeeze(1)
    if not len(rows) or bool(dead.all()):
        return 0
    generator = torch.Generator().manual_seed(seed)
    n = len(windows.train)
    drawn = torch.randperm(n, generator=generator)[: min(n, LOOKED_AT)]
    index = windows.train[drawn.to(windows.train.device)]
    batch = windows.batch(stack.coders[0], index)
    outcome = stack.forward(
        batch.y, batch.target, batch.valid, selectors=stack.new_selectors(member), member=member
    )
    residual = batch.target - outcome.predicted[0].to(batch.target.dtype)
    if batch.valid is not None:
        residual = torch.where(batch.valid, residual, 0.0)
    weight = residual.square().sum(dim=1).square().cpu()
    if not 0 < float(weight.sum()) < math.inf:  # nothing to explain, or beyond explaining
        return 0
    bins = torch.multinomial(weight, len(rows), replacement=True, generator=generator)
    bins = bins.to(rows.device)
    features = stack.architecture.encoder.own_bin(outcome.features)[0]
    per_bin = len(features) // len(index)  # a convolution's rows are the bins of windows
    seen = features.view(len(index), per_bin, -1)[bins, -1].to(batch.target.dtype)
    encoder, dictionary = (stack.weights[name].data[member] for name in (WEIGHT, DICTIONARY))
    length = torch.linalg.vector_norm(encoder[~dead], dim=1).mean()
    encoder[rows] = SHY * length * functional.normalize(seen, dim=1)
    stack.weights[BIAS].data[member, rows] = 0.0
    directions = functional.normalize(residual[bins], dim=1)
    if directions.shape[1] == dictionary.shape[1]:
        dictionary[rows] = directions
    else:  # a time course: it begins where it is, and nowhere else
        dictionary[rows] = 0.0
        dictionary[rows, : directions.shape[1]] = directions
    for name in (WEIGHT, BIAS, DICTIONARY):
        adam.forget(member, name, rows)
    return len(rows)
