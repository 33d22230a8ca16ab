"""Dictionary rows of unit length: what keeps them so, one pass over them each."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nwbsparse.models.sparse.scan_kernels import compiled

SHORTEST = 1e-12
"""Rows shorter than this are divided by it."""


@torch.no_grad()
def drop_parallel(
    gradient: Float[Tensor, "model latent value"], rows: Float[Tensor, "model latent value"]
) -> None:
    """Take off a gradient what lies along its row: renormalising would undo that part."""
    kernel = compiled(_drop_parallel, reassociate=True) if _fits(gradient, rows) else None
    if kernel is None:
        along = torch.linalg.vecdot(gradient, rows)
        gradient.addcmul_(rows, along[:, :, None], value=-1)
    else:
        kernel(_flat(gradient), _flat(rows))


@torch.no_grad()
def normalise(rows: Float[Tensor, "model latent value"]) -> None:
    """Give every row unit length."""
    kernel = compiled(_normalise, reassociate=True) if _fits(rows) else None
    if kernel is None:
        norm = torch.linalg.vector_norm(rows, dim=2, keepdim=True).clamp_min_(SHORTEST)
        rows.div_(norm)
    else:
        kernel(_flat(rows), SHORTEST)


def _fits(*tables: Tensor) -> bool:
    return all(one.device.type == "cpu" and one.is_contiguous() for one in tables)


def _flat(table: Tensor) -> np.ndarray:
    return table.detach().view(-1, table.shape[-1]).numpy()


def _drop_parallel(gradient: Any, rows: Any) -> None:
    for row in range(rows.shape[0]):
        moves, stands = gradient[row], rows[row]
        along = rows.dtype.type(0)
        for at in range(stands.size):
            along += moves[at] * stands[at]
        for at in range(stands.size):
            moves[at] -= along * stands[at]


def _normalise(rows: Any, shortest: float) -> None:
    for row in range(rows.shape[0]):
        values = rows[row]
        squares = rows.dtype.type(0)
        for at in range(values.size):
            squares += values[at] * values[at]
        length = max(np.sqrt(squares), rows.dtype.type(shortest))
        for at in range(values.size):
            values[at] /= length
