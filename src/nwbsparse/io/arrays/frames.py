"""Data frames and series of pandas: their labels are part of what they say, and none is lost unsaid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nwbsparse.errors import BadInput

TIME_NAMES = ("time", "times", "timestamp", "timestamps", "t", "seconds", "time_s")
"""What a clock is called."""


def own_clock(value: Any) -> np.ndarray | None:
    """The times (s) in the index of a signal or of labels; None for what has no such index."""
    if not isinstance(value, pd.DataFrame | pd.Series) or isinstance(value.index, pd.MultiIndex):
        return None
    index: Any = value.index
    named = str(index.name).lower() in TIME_NAMES
    is_clock = named or isinstance(index, pd.TimedeltaIndex) or index.dtype.kind == "f"
    return index_seconds(value, what="the data") if is_clock else None


def by_unit(values: Any, ids: np.ndarray, *, column: str) -> Any:
    """A column of units in the order of the units, where a series of pandas names them in its index.

    Raises:
        BadInput: it names other units.
    """
    if not isinstance(values, pd.Series):
        return values
    index = [str(one) for one in values.index]
    wanted = [str(one) for one in ids]
    if index == wanted or isinstance(values.index, pd.RangeIndex):
        return values
    names_others = sorted(index) != sorted(wanted) or len(set(wanted)) < len(wanted)
    if names_others and index == [str(row) for row in range(len(ids))]:
        return values
    if names_others:
        raise BadInput(
            f"the index of column '{column}' names other units than there are: give it in their order as "
            "an array (.to_numpy())."
        )
    return values.iloc[[index.index(one) for one in wanted]]


def index_seconds(held: pd.DataFrame | pd.Series, *, what: str) -> np.ndarray | None:
    """The times (s) that the index of a frame or series states; None for an index that only counts.

    Raises:
        BadInput: it says something that is neither.
    """
    index: Any = held.index
    if isinstance(index, pd.MultiIndex):  # of which one level may be the time: levels.py
        return None
    if isinstance(index, pd.TimedeltaIndex):
        return np.asarray(index.total_seconds(), dtype=np.float64)
    numeric = index.dtype.kind in "iuf"
    named = str(index.name).lower() in TIME_NAMES
    if numeric and (named or index.dtype.kind == "f"):
        return np.asarray(index, dtype=np.float64)
    if numeric and np.array_equal(np.asarray(index), np.arange(len(index))):
        return None
    said = "dates" if isinstance(index, pd.DatetimeIndex) else f"{index.dtype}"
    raise BadInput(
        f"the index of {what} ({said}) states neither seconds nor 0, 1, 2 …: call it 'time' where it is "
        "in seconds, or drop it with .reset_index(drop=True) and give times= (s) or bin_width=."
    )


def column_names(frame: pd.DataFrame, *, what: str) -> list[Any] | None:
    """The names of the columns of a frame, which are its units; None where they only count.

    Raises:
        BadInput: one of them is the clock; or they have several levels.
    """
    names: Any = frame.columns
    if isinstance(names, pd.MultiIndex):
        raise BadInput(
            f"the columns of {what} have several levels; join them to one name per unit."
        )
    clocks = [name for name in names if str(name).lower() in TIME_NAMES]
    if clocks:
        raise BadInput(
            f"the column '{clocks[0]}' of {what} is the clock, not a unit: .set_index('{clocks[0]}') first."
        )
    if names.dtype.kind in "iu" and np.array_equal(np.asarray(names), np.arange(len(names))):
        return None
    return [name.item() if isinstance(name, np.generic) else name for name in names]
