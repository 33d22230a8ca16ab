"""Whether a behaviour signal is measured or coded."""

from __future__ import annotations

import numpy as np

from nwbsparse.session import Series

VALUES = 50
"""Distinct values above which a signal counts as measured rather than coded."""


def is_measured(series: Series) -> bool:
    """Whether a signal is measured rather than coded: some component has more than a few values."""
    columns = series.data.reshape(len(series.data), -1).T
    return any(len(np.unique(column)) > VALUES for column in columns)


def varying(values: np.ndarray) -> np.ndarray:
    """(component,) bool: which components of (time, component) change by more than float32 rounds."""
    if not len(values):
        return np.zeros(values.shape[1], dtype=bool)
    rounding = 4 * np.finfo(np.float32).eps * np.abs(values).max(axis=0)
    return np.ptp(values, axis=0) > rounding
