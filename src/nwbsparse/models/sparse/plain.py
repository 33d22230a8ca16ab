"""Decoding, loss and gradients of a plain coder, in two passes over the selected entries.

Plain: a linear encoder, one dictionary row per latent, identity output, squared error of all values
or of those that are asked for. While the rows that a bin reads are in the first-level cache, both
the reconstruction and what its error means for each activation come from them; then, latent by
latent, the gradients of the latent's dictionary row, encoder weight and bias. The general path
(``sparse_products`` and autograd) is what it is tested against.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd import Function

from nwbsparse.models.sparse.scan_kernels import compiled, summing
from nwbsparse.models.sparse.selection import Selection

_EVERY = torch.zeros(0, 0, dtype=torch.bool)
"""Stands for a table of values of which none is left out."""


def available() -> bool:
    """Whether the passes can be compiled on this machine."""
    return compiled(_reconstruct, reassociate=True) is not None


def plain_loss(
    features: Float[Tensor, "shared row feature"],
    weight: Float[Tensor, "model latent feature"],
    bias: Float[Tensor, "model latent"],
    dictionary: Float[Tensor, "model latent value"],
    decoder_bias: Float[Tensor, "model value"],
    target: Float[Tensor, "row value"],
    selection: Selection,
    valid: Bool[Tensor, "row value"] | None = None,
) -> tuple[Float[Tensor, " model"], Float[Tensor, "model row value"]]:
    """Squared error of the reconstruction from the selected pre-activations, and that one.

    Args:
        features: what the encoder's map sees, without gradient.
        weight, bias: of that map; the values of the selection are its result.
        dictionary, decoder_bias: of the decoder.
        target: what is to be reconstructed, the same for all models.
        selection: the active entries, with values.
        valid: which values are to be reconstructed; all when absent.

    Returns:
        The loss of each model (summed over values, mean over rows), differentiable with respect to
        weight, bias, dictionary and decoder bias; and the reconstruction, which is not.
    """
    return _Plain.apply(features, weight, bias, dictionary, decoder_bias, target, selection, valid)


class _Plain(Function):
    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor,  # noqa: ARG004
        dictionary: Tensor,
        decoder_bias: Tensor,
        target: Tensor,
        selection: Selection,
        valid: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        models, n_rows, _ = selection.shape
        assert selection.value is not None
        predicted, residual = target.new_empty(2, models, n_rows, target.shape[1])
        error = target.new_empty(models, n_rows)
        steepness = torch.empty_like(selection.value)
        summing(_reconstruct)(
            *(one.numpy() for one in (selection.value, selection.column, selection.row_edges)),
            dictionary.detach().contiguous().view(-1, target.shape[1]).numpy(),
            decoder_bias.detach().numpy(),
            target.numpy(),
            (_EVERY if valid is None else valid).to(target.dtype).numpy(),
            *(one.view(-1, target.shape[1]).numpy() for one in (predicted, residual)),
            error.view(-1).numpy(),
            steepness.numpy(),
        )
        ctx.save_for_backward(features, weight, dictionary, residual, steepness)
        ctx.selection = selection
        ctx.mark_non_differentiable(predicted)
        ctx.set_materialize_grads(False)
        return error.mean(dim=1), predicted

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        features, weight, dictionary, residual, steepness = ctx.saved_tensors
        selection: Selection = ctx.selection
        models, n_rows, n_latents = selection.shape
        assert selection.value is not None and grads[0] is not None
        scale = 2 * grads[0] / n_rows
        to_dictionary, to_weight = (
            one.new_empty(models, n_latents, one.shape[2]) for one in (dictionary, weight)
        )
        to_bias = weight.new_empty(models, n_latents)
        edges, order = selection.columns_grouped
        summing(_gradients)(
            *(one.numpy() for one in (edges, order, selection.row, selection.value, steepness)),
            residual.view(models * n_rows, -1).numpy(),
            features.reshape(-1, features.shape[2]).numpy(),
            scale.numpy(),
            *(one.view(models * n_latents, -1).numpy() for one in (to_dictionary, to_weight)),
            to_bias.view(-1).numpy(),
        )
        to_decoder_bias = residual.sum(dim=1) * scale[:, None]
        return None, to_weight, to_bias, to_dictionary, to_decoder_bias, None, None, None


def _reconstruct(
    values: Any, columns: Any, edges: Any, dictionary: Any, bias: Any, target: Any, asked: Any,
    predicted: Any, residual: Any, error: Any, steepness: Any,
) -> None:  # fmt: skip
    """Reconstruction, residual and squared error of each row; and ∂error/2 by each activation."""
    n_rows = target.shape[0]
    width = target.shape[1]
    for row in range(error.size):
        made, left, wanted = predicted[row], residual[row], target[row % n_rows]
        start = bias[row // n_rows]
        for at in range(width):
            made[at] = start[at]
        for entry in range(edges[row], edges[row + 1]):
            value, atom = values[entry], dictionary[columns[entry]]
            for at in range(width):
                made[at] += value * atom[at]
        squares = values.dtype.type(0)
        if asked.size:
            counted = asked[row % n_rows]
            for at in range(width):
                off = (made[at] - wanted[at]) * counted[at]
                left[at] = off
                squares += off * off
        else:
            for at in range(width):
                off = made[at] - wanted[at]
                left[at] = off
                squares += off * off
        error[row] = squares
        for entry in range(edges[row], edges[row + 1]):
            atom = dictionary[columns[entry]]
            along = values.dtype.type(0)
            for at in range(width):
                along += left[at] * atom[at]
            steepness[entry] = along


def _gradients(
    edges: Any, order: Any, rows: Any, values: Any, steepness: Any, residual: Any, features: Any,
    scale: Any, to_dictionary: Any, to_weight: Any, to_bias: Any,
) -> None:  # fmt: skip
    n_columns, n_rows = to_bias.size // scale.size, residual.shape[0] // scale.size
    shared = features.shape[0] < residual.shape[0]
    for column in range(to_bias.size):
        factor = scale[column // n_columns]
        atom, weight = to_dictionary[column], to_weight[column]
        for at in range(atom.size):
            atom[at] = 0
        for at in range(weight.size):
            weight[at] = 0
        total = factor - factor
        for place in range(edges[column], edges[column + 1]):
            entry = order[place]
            row = rows[entry]
            value, slope = factor * values[entry], factor * steepness[entry]
            left, seen = residual[row], features[row % n_rows if shared else row]
            for at in range(atom.size):
                atom[at] += value * left[at]
            for at in range(weight.size):
                weight[at] += slope * seen[at]
            total += slope
        to_bias[column] = total
