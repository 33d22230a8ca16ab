"""Two loops over indices that torch has no fast form of, compiled where numba is there.

Where a large table exceeds a value: torch needs two passes over memory and four times as long.
Grouping entries by column: a counting sort takes a sixth of torch's stable sort. A machine
without numba, or a GPU, gets the same answers from torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor


def above(values: Tensor, floor: float, scratch: dict[int, np.ndarray]) -> Tensor:
    """Ascending indices (int32 where they fit) of the entries of a flat table that exceed a value.

    Args:
        values: (entry,), contiguous.
        floor: what must be exceeded; NaN never does.
        scratch: kept by the caller from call to call, so that nothing large is allocated.
    """
    n = values.numel()
    kernel = _compiled(_scan) if values.device.type == "cpu" and n < 2**31 else None
    if kernel is None:
        found = (values > floor).nonzero().squeeze(1)
        return found.to(torch.int32) if n < 2**31 else found
    if n not in scratch:
        scratch.clear()
        scratch[n] = np.empty(n + 1, dtype=np.int32)
    table = values.detach().numpy()
    n_found = kernel(table, table.dtype.type(floor), scratch[n])
    return torch.from_numpy(scratch[n][:n_found].copy())


def grouped(column: Tensor, n_columns: int) -> tuple[Tensor, Tensor]:
    """Group entries by column: where each column's begin (int32), and the entries in that order.

    Args:
        column: (entry,) int32, of each entry.
        n_columns: how many columns there are.
    """
    kernel = _compiled(_group) if column.device.type == "cpu" else None
    if kernel is None:
        edges = torch.zeros(n_columns + 1, dtype=torch.int32, device=column.device)
        torch.cumsum(torch.bincount(column, minlength=n_columns), 0, out=edges[1:])
        return edges, torch.sort(column, stable=True).indices.to(torch.int32)
    edges = np.zeros(n_columns + 1, dtype=np.int32)
    order = np.empty(len(column), dtype=np.int32)
    kernel(column.numpy(), edges, order)
    return torch.from_numpy(edges), torch.from_numpy(order)


@cache
def _compiled(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    try:
        import numba
    except ImportError:
        return None
    return numba.njit(nogil=True, cache=True)(inspect.unwrap(loop))


def _group(column: Any, edges: Any, order: Any) -> None:
    for one in column:
        edges[one + 1] += 1
    for at in range(edges.size - 1):
        edges[at + 1] += edges[at]
    following = edges[:-1].copy()
    for entry in range(column.size):
        one = column[entry]
        order[following[one]] = entry
        following[one] += 1


def _scan(values: Any, floor: Any, out: Any) -> int:
    # without a branch: the next index is always written, and kept only if its value is large
    found = 0
    for at in range(values.size):
        out[found] = at
        found += values[at] > floor
    return found
