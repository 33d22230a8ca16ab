"""Loops over indices that torch has no fast form of, compiled where numba is there.

Where a large table exceeds a value: torch needs two passes over memory and four times as long.
Grouping entries by column: a counting sort takes a sixth of torch's stable sort. The other loops
do in one pass over 30,000 entries what would be five calls. A machine without numba, or a GPU,
gets the same answers from torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

Scratch = dict[int, np.ndarray]
"""Memory kept from batch to batch, so that nothing large is allocated."""
STRETCH = 2048
"""Values compared at a time: the flags stay in the first-level cache."""


def above(values: Tensor, floor: float, scratch: Scratch) -> Tensor:
    """Ascending indices (int32 where they fit) of the entries of a flat table that exceed a value.

    Args:
        values: (entry,), contiguous.
        floor: what must be exceeded; NaN never does.
        scratch: kept by the caller from call to call, so that nothing large is allocated. The
            answer may lie in it: it is good until the next call.
    """
    n = values.numel()
    kernel = compiled(_scan) if values.device.type == "cpu" and n < 2**31 else None
    if kernel is None:
        found = (values > floor).nonzero().squeeze(1)
        return found.to(torch.int32) if n < 2**31 else found
    table, out = values.detach().numpy(), room(scratch, n, np.int32)
    n_found = kernel(table, table.dtype.type(floor), out)
    return torch.from_numpy(out[:n_found])


def room(scratch: Scratch, n: int, kind: type) -> np.ndarray:
    """Memory for n numbers and one more, the same as at the last call where that was as many."""
    if n not in scratch or scratch[n].dtype != kind:
        scratch.clear()
        scratch[n] = np.empty(n + 1, dtype=kind)
    return scratch[n]


def taken(values: Tensor, at: Tensor) -> Tensor:
    """``values[at]`` of a flat table, without gradient."""
    kernel = compiled(_take) if values.device.type == "cpu" else None
    if kernel is None:
        return values.detach().index_select(0, at)
    out = np.empty(len(at), dtype=values.detach().numpy().dtype)
    kernel(values.detach().numpy(), at.numpy(), out)
    return torch.from_numpy(out)


def spread(values: Tensor, at: Tensor, size: int) -> Tensor:
    """A flat table of zeros with these values at these places, without gradient."""
    out = torch.zeros(size, dtype=values.dtype, device=values.device)
    kernel = compiled(_put) if values.device.type == "cpu" else None
    if kernel is None:
        out[at] = values.detach()
        return out
    kernel(values.detach().numpy(), at.numpy(), out.numpy())
    return out


def largest(values: Tensor, candidates: Tensor, edge: float, wanted: int) -> tuple[Tensor, Tensor]:
    """The candidates above an edge, and of those at the edge the first, ``wanted`` in all.

    Args:
        values: (candidate,), on the CPU.
        candidates: (candidate,) ascending.
        edge: the value of rank ``wanted`` among the values.
        wanted: how many.

    Returns:
        Those candidates and their values.
    """
    kernel = compiled(_keep)
    if kernel is None:
        kept = values >= edge
        surplus = int(kept.sum()) - wanted
        if surplus:
            tied = (values == edge).nonzero().squeeze(1)
            kept[tied[len(tied) - surplus :]] = False
        return candidates[kept], values[kept]
    table, chosen = values.numpy(), candidates.numpy()
    out, out_values = np.empty(wanted, dtype=chosen.dtype), np.empty(wanted, dtype=table.dtype)
    kernel(table, chosen, table.dtype.type(edge), out, out_values)
    return torch.from_numpy(out), torch.from_numpy(out_values)


def placed(index: Tensor, shape: tuple[int, int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Row, column and edges of the rows (all int32) of ascending entries of a stack of tables.

    Args:
        index: (entry,) flat index into (model, row, column).
        shape: of the stack; rows are counted through all models, and so are columns.
    """
    models, n_rows, n_columns = shape
    kernel = compiled(_place) if index.device.type == "cpu" else None
    if kernel is None:
        row = torch.div(index, n_columns, rounding_mode="floor").to(torch.int32)
        column = (index % n_columns).to(torch.int32)
        return row, column + row // n_rows * n_columns, _edges(row, models * n_rows)
    row, column = np.empty((2, len(index)), dtype=np.int32)
    edges = np.zeros(models * n_rows + 1, dtype=np.int32)
    kernel(index.numpy(), n_rows, n_columns, row, column, edges)
    return torch.from_numpy(row), torch.from_numpy(column), torch.from_numpy(edges)


def grouped(column: Tensor, n_columns: int) -> tuple[Tensor, Tensor]:
    """Group entries by column: where each column's begin (int32), and the entries in that order.

    Args:
        column: (entry,) int32, of each entry.
        n_columns: how many columns there are.
    """
    kernel = compiled(_group) if column.device.type == "cpu" else None
    if kernel is None:
        order = torch.sort(column, stable=True).indices.to(torch.int32)
        return _edges(column, n_columns), order
    edges = np.zeros(n_columns + 1, dtype=np.int32)
    order = np.empty(len(column), dtype=np.int32)
    kernel(column.numpy(), edges, order)
    return torch.from_numpy(edges), torch.from_numpy(order)


def _edges(of_entry: Tensor, length: int) -> Tensor:
    edges = torch.zeros(length + 1, dtype=torch.int32, device=of_entry.device)
    torch.cumsum(torch.bincount(of_entry, minlength=length), 0, out=edges[1:])
    return edges


@cache
def compiled(loop: Callable[..., Any], *, reassociate: bool = False) -> Callable[..., Any] | None:
    """A loop as machine code; None without numba.

    Args:
        loop: on numpy arrays.
        reassociate: sums may be taken in another order, several terms at a time.
    """
    try:
        import numba
    except ImportError:
        return None
    fast = {"reassoc", "contract"} if reassociate else False
    return numba.njit(nogil=True, cache=True, fastmath=fast)(inspect.unwrap(loop))


def summing(loop: Callable[..., Any]) -> Callable[..., Any]:
    """A loop as machine code that takes sums in any order; for those who know that numba is there."""
    kernel = compiled(loop, reassociate=True)
    assert kernel is not None
    return kernel


def _scan(values: Any, floor: Any, out: Any) -> int:
    # comparisons of a stretch at once, which the compiler turns into vectors; then a look at the
    # few that hold: eight at a time, and without a branch among those
    flags = np.zeros(STRETCH, np.uint8)
    words = flags.view(np.int64)
    found = 0
    for start in range(0, values.size, STRETCH):
        length = min(STRETCH, values.size - start)
        for at in range(length):
            flags[at] = values[start + at] > floor
        for word in range((length + 7) // 8):
            eight = words[word]
            if eight != 0:
                for byte in range(min(8, length - 8 * word)):
                    out[found] = start + 8 * word + byte
                    found += (eight >> (8 * byte)) & 1
    return found


def _take(values: Any, at: Any, out: Any) -> None:
    for entry in range(at.size):
        out[entry] = values[at[entry]]


def _put(values: Any, at: Any, out: Any) -> None:
    for entry in range(at.size):
        out[at[entry]] = values[entry]


def _keep(values: Any, candidates: Any, edge: Any, out: Any, out_values: Any) -> None:
    ties = out.size
    for entry in range(values.size):
        ties -= values[entry] > edge
    kept = 0
    for entry in range(values.size):
        value = values[entry]
        if value > edge or (value == edge and ties > 0):
            ties -= value == edge
            out[kept], out_values[kept] = candidates[entry], value
            kept += 1


def _place(index: Any, n_rows: int, n_columns: int, row: Any, column: Any, edges: Any) -> None:
    at = 0
    for entry in range(index.size):
        flat = index[entry]
        while flat >= (at + 1) * n_columns:
            at += 1
            edges[at] = entry
        row[entry] = at
        column[entry] = flat - at * n_columns + at // n_rows * n_columns
    while at + 1 < edges.size:
        at += 1
        edges[at] = index.size


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
