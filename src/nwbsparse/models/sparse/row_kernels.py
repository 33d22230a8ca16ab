"""The k largest of each row: compiled loops, and the same answers from numpy without numba."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nwbsparse.models.sparse.scan_kernels import Scratch, compiled, room, summing

FEW = 96
"""Candidates of a row up to which each is compared with each."""


def largest_of_rows(
    rows: Tensor,
    k: Sequence[int],
    guesses: Sequence[float],
    scratch: Scratch,
) -> tuple[Tensor, Tensor, np.ndarray]:
    """The k largest positive entries of each row.

    Args:
        rows: (row, column), on the CPU.
        k: at most the number of columns; one number for every equal share of the rows.
        guesses: of each share: most rows should have k entries above it; the answer does not
            depend on it.
        scratch: kept by the caller from call to call.

    Returns:
        (entry,) flat indices, ascending, int32 where they fit, fewer than k of a row with fewer
        positive entries; of entries that tie at the edge the earlier. (entry,) their values. And
        (row,) the smallest that was kept, 0 in rows with fewer than k.
    """
    n_rows = len(rows)
    index_type = np.int32 if rows.numel() < 2**31 else np.int64
    table = rows.contiguous().numpy()
    share = n_rows // len(k)
    kernel = compiled(_above_in_rows)
    if kernel is None:
        return _by_sorting(table, k, index_type)
    index = room(scratch, rows.numel(), index_type)
    ends = np.empty(n_rows, dtype=np.int64)
    floors = np.maximum(np.asarray(guesses), 0).astype(table.dtype)
    n_found = kernel(table, np.asarray(k), floors, index, ends)
    found = index[:n_found]
    values = table.reshape(-1)[found]
    kept, edges = keep_largest(found, values, ends, np.repeat(np.asarray(k), share))
    return torch.from_numpy(found[:kept].copy()), torch.from_numpy(values[:kept]), edges


def keep_largest(
    index: np.ndarray, values: np.ndarray, ends: np.ndarray, k: np.ndarray
) -> tuple[int, np.ndarray]:
    """Move the k largest of each row's candidates to the front of both arrays, in their order.

    Args:
        index, values: (candidate,) row after row; values are positive.
        ends: (row,) where the candidates of each row end.
        k: (row,) how many to keep.

    Returns:
        How many were kept in all, and (row,) the smallest of each, 0 where there are fewer than k.
    """
    edges = np.zeros(len(ends), dtype=values.dtype)
    number = np.zeros(1, values.dtype)
    bits = number.view(np.int32 if values.dtype == np.float32 else np.int64)
    return summing(_keep_in_rows)(index, values, ends, k, edges, number, bits), edges


def _by_sorting(
    table: np.ndarray, k: Sequence[int], index_type: type
) -> tuple[Tensor, Tensor, np.ndarray]:
    found, edges = [], []
    share, n_columns = len(table) // len(k), table.shape[1]
    for at, one in enumerate(k):
        part = table[at * share : (at + 1) * share]
        order = np.argsort(-part, axis=1, kind="stable")[:, :one]
        values = np.take_along_axis(part, order, axis=1)
        first = (np.arange(len(part)) + at * share)[:, None] * n_columns
        found.append(np.sort((order + first)[values > 0]))
        edges.append(values.min(axis=1).clip(0))
    index = np.concatenate(found).astype(index_type)
    values = table.reshape(-1)[index]
    return torch.from_numpy(index), torch.from_numpy(values), np.concatenate(edges)


def _above_in_rows(table: Any, ks: Any, guesses: Any, out: Any, ends: Any) -> int:
    """Entries above a guess, or all positive ones of a row with fewer than k above it."""
    n_rows, n_columns = table.shape
    share = n_rows // ks.size
    flags = np.zeros((n_columns + 7) // 8 * 8, np.uint8)
    words = flags.view(np.int64)
    n_out = 0
    for row in range(n_rows):
        values = table[row]
        floor = guesses[row // share]
        while True:
            for column in range(n_columns):
                flags[column] = values[column] > floor
            found = 0
            for word in range(words.size):
                eight = words[word]
                if eight != 0:
                    for byte in range(8):
                        out[n_out + found] = row * n_columns + 8 * word + byte
                        found += (eight >> (8 * byte)) & 1
            if found >= ks[row // share] or floor <= 0:
                break
            floor = floor * 0
        n_out += found
        ends[row] = n_out
    return n_out


def _keep_in_rows(
    index: Any, values: Any, ends: Any, ks: Any, edges: Any, number: Any, bits: Any
) -> int:
    pool = np.empty(values.size, values.dtype)
    number[0] = 1
    one = number[0]
    zero = one - one
    begin = kept = 0
    for row in range(ends.size):
        k, found = ks[row], ends[row] - begin
        edge = zero
        for entry in range(found):
            pool[entry] = values[begin + entry]
        if found >= k and found <= FEW:
            # the smallest that fewer than k exceed: counting takes fewer cycles than a selection
            # whose branches nobody can foresee
            edge = pool[:found].max()
            for entry in range(found):
                value, above = pool[entry], zero
                for other in range(found):
                    above += one if pool[other] > value else zero
                if above < k and value < edge:
                    edge = value
        elif found >= k:
            # bisection among the bits, which are ordered as the values are
            number[0] = pool[:found].min()
            low = bits[0]
            number[0] = pool[:found].max()
            high = bits[0] + 1
            while high - low > 1:
                middle = low + (high - low) // 2
                bits[0] = middle
                limit, above = number[0], zero
                for entry in range(found):
                    above += one if pool[entry] >= limit else zero
                if above >= k:
                    low = middle
                else:
                    high = middle
            bits[0] = low
            edge = number[0]
        edges[row] = edge
        ties = k
        for entry in range(begin, ends[row]):
            ties -= values[entry] > edge
        for entry in range(begin, ends[row]):
            value = values[entry]
            at = index[entry]
            index[kept], values[kept] = at, value
            tied = value == edge and ties > 0
            ties -= tied
            kept += value > edge or tied
        begin = ends[row]
    return kept
