"""What kind of thing a column of a table says about its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CATEGORY = "category"
CONTINUOUS = "continuous"
EVENT_TIME = "event time"
IDENTIFIER = "identifier"
CONSTANT = "constant"

MAX_CATEGORIES = 12
KINDS = (CATEGORY, CONTINUOUS, EVENT_TIME, IDENTIFIER, CONSTANT)


@dataclass(frozen=True)
class Column:
    """One column of a table, and what is known of it."""

    values: np.ndarray | None
    """(row,) numbers or text; None where it has not one of them per row."""
    reason: str = ""
    """Why there are none."""
    kind: str = ""
    """What it says of itself that it is; '' for nothing, as nearly all."""
    notes: tuple[str, ...] = ()


def column_kind(name: str, values: np.ndarray, start: np.ndarray, stop: np.ndarray) -> str:
    """What a column of an interval table says about its rows: a condition, a number, a moment?

    NaN and empty text count as missing and are left out of every rule. The first rule that
    holds decides:

    1. the column ``id`` is an *identifier*;
    2. at most one distinct value: *constant*;
    3. text: *identifier* when more than half of its values are unique, else *category*;
       true/false: *category*;
    4. fractional numbers are an *event time* when more than 80 % lie between 10 s before the
       start and 10 s after the stop (s) of their own row and either 'time' is in the name or the
       values are > 90 % unique and rise from row to row; or when the name ends in ``_time`` and
       > 90 % are unique, for times that count from the trial (but a *reaction* time is a duration);
    5. whole numbers that count up by one from row to row (> 90 %): *identifier*;
    6. at most 12 distinct values with at least 2 rows each on average: *category*;
    7. all other numbers: *continuous*.
    """
    present = values != "" if values.dtype.kind == "U" else np.isfinite(values.astype(float))
    known = values[present]
    n_distinct = len(np.unique(known))
    if name == "id":
        return IDENTIFIER
    if n_distinct <= 1:
        return CONSTANT
    if values.dtype.kind == "b":
        return CATEGORY
    if values.dtype.kind == "U":
        return IDENTIFIER if n_distinct > len(known) / 2 else CATEGORY
    if values.dtype.kind == "f" and _is_event_time(name, known, start[present], stop[present]):
        return EVENT_TIME
    if _counts_up(known):
        return IDENTIFIER
    if n_distinct <= MAX_CATEGORIES and len(known) >= 2 * n_distinct:
        return CATEGORY
    return CONTINUOUS


def _is_event_time(name: str, known: np.ndarray, start: np.ndarray, stop: np.ndarray) -> bool:
    lower = name.lower()
    unique = len(np.unique(known)) > 0.9 * len(known)
    within = np.mean((known >= start - 10) & (known <= stop + 10)) > 0.8
    rising = unique and np.mean(np.diff(known) >= 0) > 0.9
    if within and ("time" in lower or rising):
        return True
    return lower.endswith("_time") and unique and "reaction" not in lower


def _counts_up(known: np.ndarray) -> bool:
    return bool(np.mean(np.diff(known.astype(np.float64)) == 1) > 0.9)
