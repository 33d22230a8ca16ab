"""Loops of the screening: who may be among the largest, by rough values; and what they are exactly.

Rough values are bfloat16 numbers looked at as 16-bit integers: positive ones are ordered alike.
Everything negative is a candidate where the threshold minus what rounding hides is not positive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

EVERYTHING = -(2**15)


def candidates_above(rough: Any, n_columns: int, least: Any, place: Any, ends: Any) -> None:
    """Where the first columns of each row are at least as large as is said for that row."""
    flags = np.zeros((n_columns + 7) // 8 * 8, np.uint8)
    words = flags.view(np.int64)
    found = 0
    for row in range(least.size):
        table, edge = rough[row], least[row]
        for column in range(n_columns):
            flags[column] = table[column] >= edge
        for word in range(words.size):
            eight = words[word]
            if eight != 0:
                for byte in range(8):
                    place[found] = row * n_columns + 8 * word + byte
                    found += (eight >> (8 * byte)) & 1
        ends[row] = found


def candidates_of_rows(
    rough: Any, n_columns: int, reach: Any, k: int, guess: Any, place: Any, ends: Any
) -> None:
    """Where the k largest exact values of each row may be.

    The k-th largest rough value, less what rounding hides, is exceeded by k exact ones; what lies
    twice that below it is not among them. ``guess``: what k values of most rows exceed.
    """
    flags = np.zeros((n_columns + 7) // 8 * 8, np.uint8)
    words = flags.view(np.int64)
    pool = np.empty(n_columns, np.float32)
    number = np.empty(1, np.float32)
    bits = number.view(np.int32)
    unit = np.float32(1.01 * 2.0**-8)
    begin = 0
    for row in range(reach.size):
        table = rough[row]
        number[0] = guess - reach[row] - unit * guess
        known = False
        while True:
            least = np.int16(bits[0] >> 16) if number[0] > 0 else np.int16(EVERYTHING)
            for column in range(n_columns):
                flags[column] = table[column] >= least
            found = begin
            for word in range(words.size):
                eight = words[word]
                if eight != 0:
                    for byte in range(8):
                        place[found] = row * n_columns + 8 * word + byte
                        found += (eight >> (8 * byte)) & 1
            if known or least == EVERYTHING:
                break
            if found - begin < k:
                number[0] = np.float32(0.7) * number[0] - reach[row]
                continue
            for entry in range(begin, found):
                bits[0] = np.int32(table[place[entry] - row * n_columns]) << 16
                pool[entry - begin] = number[0]
            low, high = np.int32(least), np.int32(2**15)
            while high - low > 1:  # bisection: see row_loops
                middle = low + (high - low) // 2
                bits[0] = middle << 16
                limit, above = number[0], np.float32(0)
                for entry in range(found - begin):
                    above += np.float32(1) if pool[entry] >= limit else np.float32(0)
                if above >= k:
                    low = middle
                else:
                    high = middle
            bits[0] = low << 16
            number[0] -= 2 * reach[row] + 2 * unit * number[0]
            enough = np.int16(bits[0] >> 16) if number[0] > 0 else np.int16(EVERYTHING)
            if enough < least:
                known = True
                continue
            kept = begin
            for entry in range(begin, found):
                at = place[entry]
                place[kept] = at
                kept += table[at - row * n_columns] >= enough
            found = kept
            break
        begin = found
        ends[row] = found


def exact(
    features: Any, weight: Any, bias: Any, n_columns: int, floor: Any, place: Any, values: Any,
    ends: Any,
) -> int:  # fmt: skip
    """Compute the candidates in full; move those above a floor to the front, and say how many."""
    begin = kept = 0
    for row in range(ends.size):
        x = features[row]
        for entry in range(begin, ends[row]):
            at = place[entry]
            w = weight[at - row * n_columns]
            value = np.float32(0)
            for unit in range(x.size):
                value += x[unit] * w[unit]
            value += bias[at - row * n_columns]
            place[kept], values[kept] = at, value
            kept += value > floor
        begin = ends[row]
        ends[row] = kept
    return kept


def rounded_off(table: Any, rough: Any, size: Any, off: Any) -> None:
    """Length of each row, and of what rounding took off it."""
    bits = np.empty(table.shape[1], np.int32)
    back = bits.view(np.float32)
    for row in range(table.shape[0]):
        values, short = table[row], rough[row]
        for at in range(values.size):
            bits[at] = np.int32(short[at]) << 16
        squares = lost = np.float32(0)
        for at in range(values.size):
            squares += values[at] * values[at]
            lost += (values[at] - back[at]) * (values[at] - back[at])
        size[row], off[row] = np.sqrt(squares), np.sqrt(lost)
