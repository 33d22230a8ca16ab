"""Trials and other intervals → per-bin row numbers, conditions and trial-constant covariates."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.grid import Grid
from nwbsparse.naming.number_words import number_words


def interval_rows(table: xr.Dataset, grid: Grid) -> tuple[np.ndarray, int]:
    """(time,) int32: the row of the interval that holds the centre of each bin, −1 outside.

    A bin inside two or more intervals gets −1 as well: which of them it belongs to cannot be
    said. The number of such bins is returned second.
    """
    centres = grid.centres
    rows = np.full(grid.size, -1, dtype=np.int32)
    cover = np.zeros(grid.size, dtype=np.int32)
    bounds = zip(table["start_time"].values, table["stop_time"].values, strict=True)
    for row, (start, stop) in enumerate(bounds):
        inside = slice(*np.searchsorted(centres, [start, stop], side="left"))
        rows[inside] = row
        cover[inside] += 1
    rows[cover > 1] = -1
    return rows, int(np.count_nonzero(cover > 1))


def label_bins(name: str, table: xr.Dataset, grid: Grid) -> dict[str, xr.DataArray]:
    """Per-bin variables of one interval table.

    ``name``: the row of the table (role 'interval'); ``name.column`` for each category column:
    integer codes with their ``categories`` (role 'condition', −1 outside or missing); and for each
    continuous column: its value (role 'covariate', NaN outside).
    """
    rows, overlapping = interval_rows(table, grid)
    made = {
        name: xr.DataArray(
            rows,
            dims=names.TIME,
            attrs={names.ROLE: names.ROLE_INTERVAL, "n_overlapping_bins": overlapping},
        )
    }
    inside = rows >= 0
    if not table.sizes[names.INTERVAL]:
        return made
    for key, column in table.data_vars.items():
        kind = column.attrs.get(names.KIND)
        attrs: dict[str, Any] = {names.TABLE: name, "column": str(key)}
        if kind == "category":
            codes, categories = codes_of(column.values)
            values = np.where(inside, codes[rows], -1).astype(np.int32)
            attrs |= {
                names.ROLE: names.ROLE_CONDITION,
                names.KIND: names.CATEGORICAL,
                names.CATEGORIES: json.dumps(categories),
            }
            if column.dtype.kind in "biuf":
                attrs[names.OF_NUMBERS] = 1
            made[f"{name}.{key}"] = xr.DataArray(values, dims=names.TIME, attrs=attrs)
        elif kind == "continuous" and column.dtype.kind in "iuf":
            values = np.where(inside, column.values.astype(np.float64)[rows], np.nan)
            attrs |= {names.ROLE: names.ROLE_COVARIATE, names.KIND: names.CONTINUOUS}
            made[f"{name}.{key}"] = xr.DataArray(
                values.astype(np.float32), dims=names.TIME, attrs=attrs
            )
    return made


def codes_of(values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Integer codes of a category column and the names of the categories; missing → −1."""
    if values.dtype.kind == "f":
        words = number_words(values).astype(object)
        missing = ~np.isfinite(values)
    else:
        words = np.array([str(value) for value in values], dtype=object)
        missing = np.isin(words, ["", "nan", "None"])
    # numbers in their order, text in that of the alphabet; each category once
    order = np.argsort(values if values.dtype.kind in "iubf" else words, kind="stable")
    categories = list(dict.fromkeys(words[order[~missing[order]]].tolist()))
    place = {category: code for code, category in enumerate(categories)}
    codes = [-1 if gone else place[word] for word, gone in zip(words, missing, strict=True)]
    return np.array(codes, dtype=np.int64), categories
