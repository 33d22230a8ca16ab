"""ReLU and what activity costs, in one compiled pass over the table each way.

The tables of a dense stack are megabytes, and autograd goes over one ten times beside the products. Here
every entry goes through the same operations in the same order, so that all bits are the same.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd import Function

from nwbsparse.models.sparse.scan_kernels import compiled

Table = Float[Tensor, "model row latent"]

LOWEST = -60
"""Power of two that is nothing beside 1; torch takes five to twenty times as long for much lower ones."""
ROWS = 64
"""Rows between two looks whether every latent was active already."""


def fits(table: Table) -> bool:
    """Whether the passes can be made over a table."""
    kinds = (torch.float32, torch.float64)
    return table.device.type == "cpu" and table.dtype in kinds and compiled(_rectify) is not None


def rectified(
    pi: Table, bandwidth: Float[Tensor, " model"] | None
) -> tuple[Table, Float[Tensor, " model"]]:
    """Activations ``a = max(π, 0)``, and their cost: summed over latents, mean over rows.

    Args:
        pi: a table that :func:`fits`.
        bandwidth: an activation costs ``1 − exp(−a / bandwidth)``; without one it costs ``a``.
    """
    return _Rectified.apply(pi, bandwidth)


def ever_active(activation: Table) -> Bool[Tensor, "model latent"]:
    """Which latents are above 0 in any row."""
    activation = activation.detach()
    if not fits(activation):
        # of non-negative numbers: several times as fast as any()
        return activation.amax(dim=1) > 0
    found = torch.zeros(len(activation), activation.shape[2], dtype=torch.bool)
    _run(_ever, activation.contiguous(), found)
    return found


class _Rectified(Function):
    @staticmethod
    def forward(ctx: Any, pi: Tensor, bandwidth: Tensor | None) -> tuple[Tensor, Tensor]:
        if bandwidth is None:
            activation = torch.relu(pi)
            ctx.save_for_backward(activation)
            return activation, activation.sum(dim=2).mean(dim=1)
        activation, left = torch.empty(2, *pi.shape, dtype=pi.dtype)
        _run(_rectify, pi.contiguous(), -math.log2(math.e) / bandwidth, activation, left)
        left.exp2_()
        ctx.save_for_backward(activation, left, bandwidth)
        return activation, (left.shape[2] - left.sum(dim=2)).mean(dim=1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        activation, *more = ctx.saved_tensors
        to_pi, grad = torch.empty_like(activation), grads[0].contiguous()
        if more:
            left, bandwidth = more
            share = grads[1] / bandwidth / activation.shape[1]
            _run(_back_where_it_saturates, activation, grad, left, share, to_pi)
        else:
            _run(_back, activation, grad, grads[1] / activation.shape[1], to_pi)
        return to_pi, None


def _run(loop: Any, *tables: Tensor) -> None:
    kernel = compiled(loop)
    assert kernel is not None
    kernel(*(table.detach().contiguous().numpy() for table in tables))


def _rectify(pi: Any, scale: Any, activation: Any, exponent: Any) -> None:
    for model in range(pi.shape[0]):
        by, zero, low = scale[model], pi.dtype.type(0), pi.dtype.type(LOWEST)
        for row in range(pi.shape[1]):
            given, made, power = pi[model, row], activation[model, row], exponent[model, row]
            for at in range(given.size):
                one = zero if given[at] <= zero else given[at]  # what is not a number stays so
                made[at] = one
                scaled = one * by
                power[at] = low if scaled < low else scaled


def _back(activation: Any, grad: Any, share: Any, to_pi: Any) -> None:
    for model in range(grad.shape[0]):
        cost, zero = share[model], grad.dtype.type(0)
        for row in range(grad.shape[1]):
            was, given, made = activation[model, row], grad[model, row], to_pi[model, row]
            for at in range(given.size):
                made[at] = zero if was[at] <= zero else given[at] + cost


def _back_where_it_saturates(activation: Any, grad: Any, left: Any, share: Any, to_pi: Any) -> None:
    for model in range(grad.shape[0]):
        by, zero = share[model], grad.dtype.type(0)
        for row in range(grad.shape[1]):
            was, given, made = activation[model, row], grad[model, row], to_pi[model, row]
            rest = left[model, row]
            for at in range(given.size):
                made[at] = zero if was[at] <= zero else given[at] + rest[at] * by


def _ever(activation: Any, found: Any) -> None:
    n_rows, n_columns = activation.shape[1:]
    for model in range(activation.shape[0]):
        flags = found[model]
        for first in range(0, n_rows, ROWS):
            for row in range(first, min(first + ROWS, n_rows)):
                given = activation[model, row]
                for at in range(n_columns):
                    flags[at] |= given[at] > 0
            missing = 0
            for at in range(n_columns):
                missing += not flags[at]
            if missing == 0:
                break
