"""Numbers as the names of categories and labels: each its own word, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

_EXACT = 2.0**53
"""Whole numbers below it are what they seem in float64."""
_TRUTH = {"True": 1.0, "False": 0.0}


def number_word(value: Any) -> str:
    """The word of a number, the same for no other: 440, 440.0001, 1234567, 1e+06.

    Six digits where these are the number (as names always were), else as many as it takes, so that the
    pictures 1234567 and 1234568 are two. What differs by rounding alone (0.1 + 0.2 and 0.3) is one.
    """
    number = np.asarray(value)[()]
    if number.dtype.kind != "f":
        return str(number)
    number = number + 0  # no −0
    short = f"{number:g}"
    if np.isnan(number) or np.asarray(float(short), dtype=number.dtype) == number:
        return short
    if number == np.round(number) and abs(number) < _EXACT:
        return str(int(number))
    return f"{number:.15g}" if number.dtype == np.float64 else str(number)


def number_words(values: Iterable[Any]) -> np.ndarray:
    """:func:`number_word` of each."""
    return np.array([number_word(value) for value in values], dtype=str)


def number_of(word: str) -> float | None:
    """The number that a word stands for, true and false too; None where it stands for none.

    ``nan`` and ``1_000`` are numbers to Python and to nobody who writes a condition.
    """
    if word in _TRUTH:
        return _TRUTH[word]
    return float(word) if is_number(word) else None


def is_number(word: str) -> bool:
    """Whether a word is a finite number."""
    try:
        return "_" not in word and math.isfinite(float(word))
    except ValueError:
        return False
