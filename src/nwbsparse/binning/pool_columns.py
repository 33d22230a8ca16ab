"""A column of the units as what they are pooled by: which value each has, in order, with its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from nwbsparse import names
from nwbsparse.errors import BadInput, unknown
from nwbsparse.naming.number_words import is_number
from nwbsparse.options.pooling import PoolBy

ELECTRODE = "electrode"
ELECTRODES = (
    ELECTRODE, "electrode_id", "peak_electrode", "max_electrode", "peak_channel", "peak_channel_id",
    "max_channel", "maximum_amplitude_channel", "main_channel", "channel", "ch", "first_electrode",
)  # fmt: skip
"""Columns that say at which electrode a unit is, the surest first: the first of several electrodes that
a unit points to need not be the one of its peak."""
_NOT_OF_UNITS = (names.UNIT, names.UNIT_ID, names.UNIT_ROW, names.N_SPIKES)


@dataclass(frozen=True)
class Values:
    """The values of one column, numbered in their order."""

    number: Int[np.ndarray, " unit"]
    """Of the value of each unit; −1 where it has none."""
    short: tuple[str, ...]
    """What each value is called: 'CA1', 'depth 200-300'."""
    full: tuple[str, ...]
    """The same with its column: 'region CA1'."""


def values_of(by: PoolBy, units: xr.Dataset, rows: Int[np.ndarray, " unit"], asked: str) -> Values:
    """What some units are pooled by.

    Numbers are in order of size, text in order of first appearance. Missing are '', NaN and infinite
    numbers, and electrodes below 0.

    Args:
        by: the column, and the width of its bins.
        units: the table of units.
        rows: the units that are used.
        asked: the whole option, for messages.

    Raises:
        BadInput: there is no such column, it cannot be cut into bins, or has to be.
    """
    column = column_of(by, units, asked)
    values = np.asarray(units[column].values)[rows]
    if values.dtype.kind not in "biuf":
        if by.width is not None:
            raise BadInput(
                f"pool = {asked!r}: '{column}' holds text, which has no width; use \"{by.column}\""
            )
        return _of_text(by.column, np.array([str(one).strip() for one in values]))
    if values.dtype.kind == "b":
        return _of_text(by.column, values.astype(str))
    there = np.isfinite(values.astype(np.float64))
    if by.column == ELECTRODE:
        there &= values >= 0
    if by.width is not None:
        return _of_bins(by.column, values.astype(np.float64), there, by.width)
    if (values[there] != np.round(values[there])).any():
        raise BadInput(
            f"pool = {asked!r}: '{column}' holds numbers that are not whole "
            f"({number(values[there].min())} to {number(values[there].max())}); say how wide the bins "
            f'are, such as "{by.column}:100"'
        )
    return _numbered(by.column, values, there)


def column_of(by: PoolBy, units: xr.Dataset, asked: str) -> str:
    """The name that a column has in the table; of ``electrode`` the one that says it best.

    Raises:
        BadInput: there is none.
    """
    known = [str(name) for name in units.variables if name not in _NOT_OF_UNITS]
    if by.column == ELECTRODE:
        for name in ELECTRODES:
            if name in known:
                return name
    if by.column in known:
        return by.column
    fit = columns_that_pool(units)
    more = 'A column of numbers needs a width, such as "depth:100"'
    if by.column == ELECTRODE:
        more = (
            f"An electrode is known from {', '.join(ELECTRODES[:-1])}, or electrodes in NWB; {more}"
        )
    raise unknown(by.column, fit, what="unit column", where=f"pool = {asked!r}", more=more)


def columns_that_pool(units: xr.Dataset) -> list[str]:
    """The columns of a table by which units can be pooled: more than one value, with and without width."""
    return [
        str(name)
        for name, column in units.variables.items()
        if name not in _NOT_OF_UNITS and len(set(map(str, column.values.tolist()))) > 1
    ]


def number(value: float) -> str:
    """A number without an exponent where it can be, and without digits of rounding."""
    return f"{float(value):.10g}"


def _of_text(column: str, values: np.ndarray) -> Values:
    found = [one for one in dict.fromkeys(values.tolist()) if one]
    at = {value: number for number, value in enumerate(found)}
    numbers = np.array([at.get(value, -1) for value in values.tolist()], dtype=np.int64)
    full = tuple(f"{column} {value}" for value in found)
    # a region '12' would be taken for unit 12, 'True' for nothing at all
    mistaken = any(is_number(value) or value in ("True", "False") for value in found)
    return Values(numbers, full if mistaken else tuple(found), full)


def _numbered(column: str, values: np.ndarray, there: np.ndarray) -> Values:
    found, at = np.unique(values[there], return_inverse=True)
    numbers = np.full(len(values), -1, dtype=np.int64)
    numbers[there] = at
    full = tuple(f"{column} {int(one)}" for one in found)
    return Values(numbers, full, full)


def _of_bins(
    column: str, values: Float[np.ndarray, " unit"], there: np.ndarray, width: float
) -> Values:
    found, at = np.unique(bin_of(values[there], width), return_inverse=True)
    numbers = np.full(len(values), -1, dtype=np.int64)
    numbers[there] = at
    full = tuple(f"{column} {_edges(int(one), width)}" for one in found)
    return Values(numbers, full, full)


def bin_of(values: Float[np.ndarray, " value"], width: float) -> Int[np.ndarray, " value"]:
    """The bin ``[k·width, (k + 1)·width)`` of each value; k·width itself lies in k, rounding or not."""
    quotient = values / width
    nearest = np.round(quotient)
    on_edge = np.isclose(quotient, nearest, rtol=1e-12, atol=1e-9)
    return np.where(on_edge, nearest, np.floor(quotient)).astype(np.int64)


def _edges(k: int, width: float) -> str:
    low, high = number(k * width), number((k + 1) * width)
    return f"{low}-{high}" if k >= 0 else f"{low} to {high}"


def told_apart(parts: Sequence[Values], which: Sequence[tuple[int, ...]]) -> list[str]:
    """Names of combinations of values, each its own: 'probeA depth 200-300'."""
    for full in (False, True):
        said = [
            [(one.full if full else one.short)[at] for one, at in zip(parts, each, strict=True)]
            for each in which
        ]
        named = [" ".join(words) for words in said]
        if len(set(named)) == len(named):
            return named
    return [" + ".join(map(repr, words)) for words in said]
