"""Loops of the screening: who may be large, by rough values; and how large exactly.

Rough values are bfloat16 numbers looked at as 16-bit integers: positive ones are ordered alike,
and negative ones too once all their bits but the sign are turned over. Everything is a candidate
where what rounding hides is beyond numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

EVERYTHING = -(2**15)
ALL_BUT_SIGN = 2**15 - 1
LOWEST = 1e-30
"""Floors are not lowered to where products with them are no longer smaller than they are."""
SMALLEST_SQUARE = 2.0**-126
"""What squaring a number can lose: smaller ones are rounded to zero."""


def search(
    rough: Any, n_columns: int, reach: Any, floors: Any, k: int, features: Any, weight: Any, bias: Any,
    place: Any, values: Any, ends: Any,
) -> int:  # fmt: skip
    """Where exact values exceed the floor of their row, and what they are; how many there are.

    In a row with fewer than k of them the floor is lowered, to 0 in the end.
    """
    flags = np.zeros((n_columns + 7) // 8 * 8, np.uint8)
    words = flags.view(np.int64)
    number = np.empty(1, np.float32)
    bits = number.view(np.int32)
    unit = np.float32(2.0**-8)
    begin = 0
    for row in range(ends.size):
        table, x = rough[row], features[row]
        floor = floors[row]
        while True:
            lowest = floor - reach[row]
            number[0] = lowest - unit * abs(lowest)
            # shifting rounds towards zero
            if number[0] > 0:
                least = np.int16(bits[0] >> 16)
                for column in range(n_columns):
                    flags[column] = table[column] >= least
            else:
                least = np.int16(EVERYTHING)
                if np.isfinite(number[0]):
                    number[0] = -abs(number[0])  # zero too has a sign
                    least = np.int16((bits[0] >> 16) ^ ALL_BUT_SIGN)
                for column in range(n_columns):
                    one = table[column]
                    ordered = one ^ (np.int16(one >> 15) & np.int16(ALL_BUT_SIGN))
                    flags[column] = np.int16(ordered) >= least
            found = begin
            for word in range(words.size):
                eight = words[word]
                if eight != 0:
                    for byte in range(8):
                        place[found] = 8 * word + byte
                        found += (eight >> (8 * byte)) & 1
            kept = begin
            for entry in range(begin, found):
                column = place[entry]
                w = weight[column]
                value = np.float32(0)
                for at in range(x.size):
                    value += x[at] * w[at]
                value += bias[column]
                place[kept], values[kept] = row * n_columns + column, value
                kept += value > floor
            if kept - begin >= k or floor <= 0:
                break
            high = floor > np.float32(0.4) * floors[row] + np.float32(LOWEST)
            floor = np.float32(0.7) * floor if high else np.float32(0)
        begin = kept
        ends[row] = kept
    return kept


def rounded_off(table: Any, rough: Any, size: Any, off: Any) -> None:
    """Length of each row, and of what rounding took off it; never less than they are."""
    bits = np.empty(table.shape[1], np.int32)
    back = bits.view(np.float32)
    for row in range(table.shape[0]):
        values, short = table[row], rough[row]
        for at in range(values.size):
            bits[at] = np.int32(short[at]) << 16
        squares = lost = np.float32(values.size * SMALLEST_SQUARE)
        for at in range(values.size):
            squares += values[at] * values[at]
            lost += (values[at] - back[at]) * (values[at] - back[at])
        size[row], off[row] = np.sqrt(squares), np.sqrt(lost)
