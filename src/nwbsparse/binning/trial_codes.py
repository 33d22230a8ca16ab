"""One label over several sessions → a variable in each, whose codes mean the same everywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.conditions import codes_of
from nwbsparse.binning.trial_labels import COLUMN, SESSION, AskedLabel, Found, kind_of, period_of
from nwbsparse.binning.trial_table import missing
from nwbsparse.errors import BadInput
from nwbsparse.naming.listed_names import listed_names
from nwbsparse.naming.number_words import number_words

SHOWN = 4
MANY = 12
"""Categories beyond which there must be two trials of each, or it is taken for a number or a name."""


def coded(
    asked: AskedLabel,
    found: Sequence[Found | None],
    blank: Sequence[np.ndarray],
    *,
    earlier: xr.DataArray | None = None,
) -> list[xr.DataArray]:
    """The variable (trial,) of a label in each session.

    Categories get int64 codes, −1 where there is none, in an order that all sessions share (numbers by
    size, text by the alphabet); other labels stay the numbers they are, NaN where there is none. Blank
    trials have none, unless the label holds for the session as a whole.

    Args:
        asked: its name and kind.
        found: (session,) its values; None in a session without it.
        blank: (session,) which trials are blank.
        earlier: the label in a Trials dataset whose kind and categories are to hold here too.

    Raises:
        BadInput: it has one class or no value, is no number where it must be, or has categories that
            the earlier dataset has not.
    """
    known = [one for one in found if one is not None]
    values = [
        None if one is None else _without_blanks(one, off)
        for one, off in zip(found, blank, strict=True)
    ]
    attrs: dict[str, Any] = {names.KIND: kind_of(asked, known)}
    if earlier is not None:
        attrs[names.KIND] = earlier.attrs[names.KIND]
    notes = [one.note for one in known if one.note]
    if notes:
        attrs[names.NOTES] = notes[0]
    if attrs[names.KIND] == names.CATEGORY:
        made, categories = _categories(asked, values, earlier)
        attrs[names.VALUES] = json.dumps(categories)
        if _constant(found, made):
            attrs[names.CONSTANT] = 1
    else:
        made = _numbers(asked, values)
        if attrs[names.KIND] == names.CIRCULAR:
            every = np.concatenate(made)
            attrs[names.PERIOD] = (
                period_of(asked, every) if earlier is None else earlier.attrs[names.PERIOD]
            )
    lengths = [len(off) for off in blank]
    return [
        xr.DataArray(_filled(one, n, made), dims=names.TRIAL, attrs=dict(attrs))
        for one, n in zip(_placed(made, values), lengths, strict=True)
    ]


def _without_blanks(one: Found, blank: np.ndarray) -> np.ndarray:
    """The values with nothing in blank trials; numbers as float64."""
    values = one.values
    numeric = values.dtype.kind in "iuf"
    if numeric or one.origin == SESSION:
        values = values.astype(np.float64) if numeric else values.astype(str)
    else:
        values = np.array([str(value) for value in values], dtype=object)
    if one.origin == COLUMN:
        values[blank | missing(one.values)] = np.nan if numeric else ""
    return values


def _categories(
    asked: AskedLabel, values: Sequence[np.ndarray | None], earlier: xr.DataArray | None
) -> tuple[list[np.ndarray], list[str]]:
    known = [one for one in values if one is not None]
    if any(one.dtype.kind != "f" for one in known):  # text in one session makes words of all
        known = [_words(one) for one in known]
    codes, categories = codes_of(np.concatenate(known))
    if earlier is not None:
        categories, codes = _as_earlier(asked, codes, categories, earlier)
    elif len(categories) < 2:
        only = f"'{categories[0]}' throughout" if categories else "no value in any trial"
        raise BadInput(
            f"label '{asked.name}' has one class ({only}): there is nothing to tell apart"
        )
    n_known = int((codes >= 0).sum())
    if earlier is None and not asked.kind and len(categories) > max(MANY, n_known / 2):
        raise BadInput(
            f"label '{asked.name}' has {len(categories)} classes in {n_known} trials, too few of "
            f"each; if it is a number, ask for '{asked.name}:continuous'"
        )
    return np.split(codes, np.cumsum([len(one) for one in known])[:-1]), categories


def _as_earlier(
    asked: AskedLabel, codes: np.ndarray, categories: list[str], earlier: xr.DataArray
) -> tuple[list[str], np.ndarray]:
    before: list[str] = json.loads(earlier.attrs[names.VALUES])
    new = [one for one in categories if one not in before]
    if new:
        raise BadInput(
            f"label '{asked.name}' has {listed_names(new[:SHOWN])}, which the trials given as like= "
            f"have not (they have: {listed_names(before)})"
        )
    place = np.array([*(before.index(one) for one in categories), -1], dtype=np.int64)
    return before, place[codes]


def _words(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "f":
        return values.astype(object)
    return np.where(np.isfinite(values), number_words(values).astype(object), "")


def _numbers(asked: AskedLabel, values: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    known = [one for one in values if one is not None]
    if any(one.dtype.kind != "f" for one in known):
        raise BadInput(f"label '{asked.name}' holds text, so it can only be a category")
    if not any(np.isfinite(one).any() for one in known):
        raise BadInput(f"label '{asked.name}' has no value in any trial")
    return known


def _constant(found: Sequence[Found | None], codes: Sequence[np.ndarray]) -> bool:
    """Whether a label is one and the same in each session."""
    alike = all(len(np.unique(one[one >= 0])) <= 1 for one in codes)
    of_session = all(one is None or one.origin == SESSION for one in found)
    return alike and (of_session or len(codes) > 1)


def _placed(made: Sequence[np.ndarray], values: Sequence[np.ndarray | None]) -> list[Any]:
    """The made arrays at the sessions that have the label, None at the others."""
    rest = iter(made)
    return [None if one is None else next(rest) for one in values]


def _filled(values: np.ndarray | None, n: int, made: Sequence[np.ndarray]) -> np.ndarray:
    if values is not None:
        return values
    nothing = -1 if made[0].dtype.kind == "i" else np.nan
    return np.full(n, nothing, dtype=made[0].dtype)
