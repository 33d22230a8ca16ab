"""Rows of a table of fits on embeddings: those of a part of the study, and what coders were trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

Fits = Any
"""A data frame, a row per fit; pandas' own types say of no column what it holds."""
CHOSEN_HIDDEN_UNITS, CHOSEN_CEBRA_RATE = 64, 1e-3
"""The embeddings, of several that were made, that coders are trained on."""


def as_frame(fits: xr.Dataset) -> Fits:
    """The table as a data frame, a row per fit."""
    return fits.to_dataframe().reset_index()


def rows_of(frame: Fits, part: str, **wanted: Any) -> Fits:
    """The rows of a part whose columns have these values (or one of them); what failed is left out."""
    kept = (frame["part"] == part) & (frame["error"] == "")
    for name, value in wanted.items():
        kept &= frame[name].isin(value) if isinstance(value, list | tuple) else frame[name] == value
    return frame[kept]


def trained_on(frame: Fits, control: str = "") -> Fits:
    """The embeddings that coders are trained on: stored ones, or of the chosen settings.

    Args:
        frame: the table.
        control: shuffled: those with every dim shifted; untrained: networks of random weights.
    """
    rows = rows_of(frame, "embedding", control=control)
    if control == "shuffled":
        return rows[rows["method"] == "shifted dims"]
    chosen = rows["hidden_units"] == CHOSEN_HIDDEN_UNITS
    chosen &= np.isclose(rows["cebra_rate"], CHOSEN_CEBRA_RATE)
    return rows[rows["hidden_units"].isna() | chosen]


def made_of(frame: Fits, control: str) -> Fits:
    """The embeddings that coders of a control are made of: untrained ones read the same as trained ones."""
    return trained_on(frame, "shuffled" if control == "shuffled" else "")
