"""Products with a code of which only the selected entries exist.

Of 2,048 latents 32 are active: the dense code and its gradient are zeros for the most part, and
so is the work on them. Each product here has a backward pass of its own; dense autograd is the
reference it is tested against.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from nwbsparse.models.sparse.selection import Selection


class _Gather(Function):
    """Values of ``features @ weightᵀ + bias`` at the selected entries."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor,  # noqa: ARG004
        computed: Tensor,
        selection: Selection,
    ) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.selection = selection
        return computed.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        features, weight = ctx.saved_tensors
        selection: Selection = ctx.selection
        grad = grads[0]
        models, n_latents, width = weight.shape
        shared = features.shape[0] == 1
        to_weight = selection.transposed(grad, shared_rows=shared) @ features.reshape(-1, width)
        to_bias = selection.column_sums(grad)
        to_features = None
        if ctx.needs_input_grad[0]:
            back = selection.matrix(grad) @ weight.reshape(models * n_latents, width)
            to_features = back.view(models, -1, width)
            if shared:
                to_features = to_features.sum(dim=0, keepdim=True)
        return to_features, to_weight.view_as(weight), to_bias.view(models, n_latents), None, None


class _Decode(Function):
    """``code @ rows`` for a code given by its selected entries."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, rows: Tensor, selection: Selection) -> Tensor:
        models, n_columns, width = rows.shape
        ctx.save_for_backward(values, rows)
        ctx.selection = selection
        made = selection.matrix(values) @ rows.reshape(models * n_columns, width)
        return made.view(models, selection.shape[1], width)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        values, rows = ctx.saved_tensors
        selection: Selection = ctx.selection
        models, n_columns, width = rows.shape
        grad = grads[0].reshape(-1, width).contiguous()
        flat = rows.reshape(models * n_columns, width)
        pattern = selection.matrix(torch.zeros_like(values))
        to_values = torch.sparse.sampled_addmm(pattern, grad, flat.t()).values()
        to_rows = selection.transposed(values) @ grad
        return to_values, to_rows.view_as(rows), None


def gather_pre_activation(
    features: Tensor, weight: Tensor, bias: Tensor, computed: Tensor, selection: Selection
) -> Tensor:
    """Selected entries of a linear map that was computed already, with its gradient.

    Args:
        features: (1 or model, row, feature); one model dimension of 1 is shared by all.
        weight: (model, latent, feature).
        bias: (model, latent).
        computed: (entry,) the map's result there, made without gradient.
        selection: which entries of (model, row, latent) these are.

    Returns:
        (entry,): their values, differentiable with respect to the first three.
    """
    return _Gather.apply(features, weight, bias, computed, selection)


def sparse_decode(values: Tensor, rows: Tensor, selection: Selection) -> Tensor:
    """A sparse code times a dictionary: (model, row, output).

    Args:
        values: (entry,) of the code.
        rows: (model, column, output), the dictionary.
        selection: where the values stand in the code (model, row, column).
    """
    return _Decode.apply(values, rows, selection)
