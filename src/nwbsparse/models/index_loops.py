"""Loops over indices that torch has no fast form of, compiled where numba is there.

Where a large table exceeds a value: torch needs two passes over memory and four times as long.
Grouping entries by column: a counting sort takes a sixth of torch's stable sort. The other loops
do in one pass over 30,000 entries what would be five calls. A machine without numba, or a GPU,
gets the same answers from torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
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
        scratch: kept by the caller from call to call, so that nothing large is allocated. The
            answer may lie in it: it is good until the next call.
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
    return torch.from_numpy(scratch[n][:n_found])


def taken(values: Tensor, at: Tensor) -> Tensor:
    """``values[at]`` of a flat table, without gradient."""
    kernel = _compiled(_take) if values.device.type == "cpu" else None
    if kernel is None:
        return values.detach().index_select(0, at)
    out = np.empty(len(at), dtype=values.detach().numpy().dtype)
    kernel(values.detach().numpy(), at.numpy(), out)
    return torch.from_numpy(out)


def largest(values: Tensor, candidates: Tensor, edge: float, wanted: int) -> Tensor:
    """The candidates above an edge, and of those at the edge the first, ``wanted`` in all.

    Args:
        values: (candidate,), on the CPU.
        candidates: (candidate,) ascending; these are what is returned.
        edge: the value of rank ``wanted`` among the values.
        wanted: how many.
    """
    kernel = _compiled(_keep)
    if kernel is None:
        kept = values >= edge
        surplus = int(kept.sum()) - wanted
        if surplus:
            tied = (values == edge).nonzero().squeeze(1)
            kept[tied[len(tied) - surplus :]] = False
        return candidates[kept]
    table, chosen = values.numpy(), candidates.numpy()
    out = np.empty(wanted, dtype=chosen.dtype)
    kernel(table, chosen, table.dtype.type(edge), out)
    return torch.from_numpy(out)


def largest_of_rows(
    rows: Tensor, k: Sequence[int], guesses: Sequence[float]
) -> tuple[Tensor, np.ndarray]:
    """Ascending flat indices of the k largest positive entries of each row, and the k-th of each.

    Args:
        rows: (row, column), on the CPU.
        k: at most the number of columns; one number for every equal share of the rows.
        guesses: of each share: most rows should have k entries above it; the answer does not
            depend on it.

    Returns:
        (entry,) indices, int32 where they fit, fewer than k of a row with fewer positive entries;
        of entries that tie at the edge the earlier. And (row,) the smallest that was kept, 0 in
        rows with fewer than k.
    """
    n_rows, n_columns = rows.shape
    index_type = np.int32 if rows.numel() < 2**31 else np.int64
    table = rows.contiguous().numpy()
    share = n_rows // len(k)
    kernel = _compiled(_select_in_rows)
    if kernel is None:
        found, edges = [], []
        for at, one in enumerate(k):
            part = table[at * share : (at + 1) * share]
            order = np.argsort(-part, axis=1, kind="stable")[:, :one]
            values = np.take_along_axis(part, order, axis=1)
            first = (np.arange(len(part)) + at * share)[:, None] * n_columns
            found.append(np.sort((order + first)[values > 0]))
            edges.append(values.min(axis=1).clip(0))
        index = np.concatenate(found).astype(index_type)
        return torch.from_numpy(index), np.concatenate(edges)
    out = np.empty(share * sum(k), dtype=index_type)
    edges = np.zeros(n_rows, dtype=table.dtype)
    floors = np.maximum(np.asarray(guesses), 0).astype(table.dtype)
    n_found = kernel(table, np.asarray(k), floors, out, edges)
    return torch.from_numpy(out[:n_found]), edges


def placed(index: Tensor, shape: tuple[int, int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Row, column and edges of the rows (all int32) of ascending entries of a stack of tables.

    Args:
        index: (entry,) flat index into (model, row, column).
        shape: of the stack; rows are counted through all models, and so are columns.
    """
    models, n_rows, n_columns = shape
    kernel = _compiled(_place) if index.device.type == "cpu" else None
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
    kernel = _compiled(_group) if column.device.type == "cpu" else None
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
def _compiled(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    try:
        import numba
    except ImportError:
        return None
    return numba.njit(nogil=True, cache=True)(inspect.unwrap(loop))


def _scan(values: Any, floor: Any, out: Any) -> int:
    # without a branch: the next index is always written, and kept only if its value is large
    found = 0
    for at in range(values.size):
        out[found] = at
        found += values[at] > floor
    return found


def _take(values: Any, at: Any, out: Any) -> None:
    for entry in range(at.size):
        out[entry] = values[at[entry]]


def _keep(values: Any, candidates: Any, edge: Any, out: Any) -> None:
    ties = out.size
    for entry in range(values.size):
        ties -= values[entry] > edge
    kept = 0
    for entry in range(values.size):
        value = values[entry]
        if value > edge or (value == edge and ties > 0):
            ties -= value == edge
            out[kept] = candidates[entry]
            kept += 1


def _select_in_rows(table: Any, ks: Any, guesses: Any, out: Any, edges: Any) -> int:
    n_columns = table.shape[1]
    share = table.shape[0] // ks.size
    place = np.empty(n_columns + 1, np.int32)
    pool = np.empty(n_columns, table.dtype)
    n_out = 0
    for row in range(table.shape[0]):
        values = table[row]
        k, guess = ks[row // share], guesses[row // share]
        found = 0
        for at in range(n_columns):
            place[found] = at
            found += values[at] > guess
        if found < k:
            found = 0
            for at in range(n_columns):
                place[found] = at
                found += values[at] > 0
        for entry in range(found):
            pool[entry] = values[place[entry]]
        if found <= k:
            for entry in range(found):
                out[n_out + entry] = row * n_columns + place[entry]
            n_out += found
            if found == k:
                edges[row] = pool[:found].min()
            continue
        # Hoare's selection of the k-th largest: everything left of `low` is larger
        low, high = 0, found - 1
        while low < high:
            pivot = pool[(low + high) // 2]
            left, right = low, high
            while left <= right:
                while pool[left] > pivot:
                    left += 1
                while pool[right] < pivot:
                    right -= 1
                if left <= right:
                    pool[left], pool[right] = pool[right], pool[left]
                    left += 1
                    right -= 1
            if k - 1 <= right:
                high = right
            elif k - 1 >= left:
                low = left
            else:
                break
        edge = pool[k - 1]
        edges[row] = edge
        ties = k
        for entry in range(found):
            ties -= values[place[entry]] > edge
        for entry in range(found):
            value = values[place[entry]]
            if value > edge or (value == edge and ties > 0):
                ties -= value == edge
                out[n_out] = row * n_columns + place[entry]
                n_out += 1
    return n_out


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
