"""Whether a behaviour signal is measured or coded."""

from __future__ import annotations

import numpy as np

from nwbsparse.session import Series

VALUES = 50
"""Distinct values above which a signal counts as measured rather than coded."""


def is_measured(series: Series) -> bool:
    """Whether a signal is measured rather than coded: it has more than a few values."""
    return len(np.unique(series.data.reshape(len(series.data), -1)[:, 0])) > VALUES
