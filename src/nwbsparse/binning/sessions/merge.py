"""The variables of several sessions → one variable each: categories united, rows numbered on."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.variables import AXES, label_name
from nwbsparse.errors import raise_together

_OURS = (names.SESSION, names.SESSIONS, names.SESSION_TIME, names.UNIT_SESSION)
_APART = (
    names.GROUP,
    names.TIME,
    names.SEGMENT,
    names.UNIT,
    names.UNIT_ID,
    names.COUNTS,
    names.VALID,
    names.EMBEDDING,
    names.EMBEDDER,
    names.DIM,
)
"""What ``join_sessions`` makes itself: these names are its own, these variables its own work."""
_AGREED = (names.ROLE, names.KIND, names.UNITS_OF_MEASURE, names.TABLE, "series", "label")
"""Attributes that must be the same in two sessions for a variable to be the same thing."""
_SUMMED = ("dropped", "n_overlapping_bins")

Pieces = Sequence[np.ndarray | None]
Groups = list[tuple[str, dict[str, xr.Variable]]]


def stacked(pieces: Pieces, sizes: Sequence[int]) -> np.ndarray:
    """The values of several sessions one after another; '' or NaN where a session has none.

    Whole numbers and booleans become real numbers when a session has none; words and numbers
    together become words.
    """
    there = [piece for piece in pieces if piece is not None]
    shape = there[0].shape[1:]
    if any(piece.dtype.kind not in "biuf" for piece in there):
        words = [
            np.full((n, *shape), "") if piece is None else piece.astype(str)
            for piece, n in zip(pieces, sizes, strict=True)
        ]
        return np.concatenate(words)
    missing = [np.dtype(np.float32)] if len(there) < len(pieces) else []
    kind = np.result_type(*(piece.dtype for piece in there), *missing)
    numbers = [
        np.full((n, *shape), np.nan, kind) if piece is None else piece.astype(kind)
        for piece, n in zip(pieces, sizes, strict=True)
    ]
    return np.concatenate(numbers)


def numbered_on(pieces: Pieces, sizes: Sequence[int]) -> tuple[np.ndarray, list[int]]:
    """Row numbers (−1: none) of several sessions, none used by two; and what was added to each."""
    added: list[int] = []
    made: list[np.ndarray] = []
    following = 0
    for piece, n in zip(pieces, sizes, strict=True):
        rows = np.full(n, -1) if piece is None else piece
        added.append(following)
        made.append(np.where(rows >= 0, rows + following, -1).astype(np.int32))
        following = max(following, int(made[-1].max(initial=-1)) + 1)
    return np.concatenate(made), added


def unit_columns(
    named: Mapping[str, xr.Dataset],
) -> tuple[dict[str, xr.DataArray], dict[str, xr.DataArray]]:
    """Columns of the units of all sessions: coordinates, and variables."""
    sizes = [one.sizes[names.UNIT] for one in named.values()]
    coords: dict[str, xr.DataArray] = {}
    variables: dict[str, xr.DataArray] = {}
    for name in _names_on(named, names.UNIT):
        values: list[np.ndarray | None] = []
        for one, n in zip(named.values(), sizes, strict=True):
            # without rows of a table, their order
            default = np.arange(n) if name == names.UNIT_ROW else None
            values.append(one.variables[name].values if name in one.variables else default)
        kept = coords if any(name in one.coords for one in named.values()) else variables
        title = free_title(name, (*coords, *variables))
        kept[title] = xr.DataArray(stacked(values, sizes), dims=names.UNIT)
    return coords, variables


def joined_variables(
    named: Mapping[str, xr.Dataset], *, taken: Collection[str]
) -> tuple[dict[str, xr.DataArray], dict[str, Any]]:
    """Everything per bin but counts, segments and times: variables; coordinates of time and space.

    ``taken`` are names that something else has.

    Raises:
        BadInput: a variable has dims that are neither time, space nor unit.
    """
    _check_dims(named)
    sizes = [one.sizes[names.TIME] for one in named.values()]
    made: dict[str, xr.DataArray] = {}
    coords: dict[str, Any] = {}
    titles: dict[tuple[str, str], str] = {}
    for name in _names_on(named, names.TIME):
        is_coord = any(name in one.coords for one in named.values())
        for wanted, group in _groups(name, named):
            title = free_title(wanted, (*taken, *made, *coords))
            titles |= {(session, name): title for session in group}
            one = _one(name, [group.get(session) for session in named], sizes)
            if names.TABLE in one.attrs:  # tables come before their columns
                table = str(one.attrs[names.TABLE])
                one.attrs[names.TABLE] = titles.get((next(iter(group)), table), table)
            if len(group) < len(named):
                one.attrs["sessions"] = json.dumps(list(group))
            for dim in one.dims[1:]:
                if one.sizes[dim] <= len(AXES):
                    coords[str(dim)] = (str(dim), list(AXES[: one.sizes[dim]]))
            (coords if is_coord else made)[title] = one
    return made, coords


def free_title(name: str, taken: Collection[str]) -> str:
    """The name, with '_' added where ``join_sessions`` or something else uses it."""
    while name in _OURS or name in taken:
        name += "_"
    return name


def _names_on(named: Mapping[str, xr.Dataset], dim: str) -> list[str]:
    """Names of the variables whose first dim this is, in order, but for those made anew."""
    return list(
        dict.fromkeys(
            str(name)
            for one in named.values()
            for name, variable in one.variables.items()
            if variable.dims[:1] == (dim,) and name not in _APART
        )
    )


def _groups(name: str, named: Mapping[str, xr.Dataset]) -> Groups:
    """The sessions in which a name means the same: one group, under that name, when all agree."""
    found: dict[str, dict[str, xr.Variable]] = {}
    for session, one in named.items():
        variable = one.variables.get(name)
        if variable is not None and variable.dims[0] == names.TIME:
            said = [str(variable.attrs.get(key, "")) for key in _AGREED]
            words = variable.dtype.kind not in "biuf"
            found.setdefault(repr((variable.shape[1:], words, said)), {})[session] = variable
    if len(found) == 1:
        return [(name, group) for group in found.values()]
    return [(f"{name}_{label_name(next(iter(group)))}", group) for group in found.values()]


def _one(name: str, pieces: Sequence[xr.Variable | None], sizes: Sequence[int]) -> xr.DataArray:
    """One variable of several sessions; None where a session lacks it."""
    there = [piece for piece in pieces if piece is not None]
    attrs = _common([piece.attrs for piece in there])
    values = [None if piece is None else piece.values for piece in pieces]
    if name == names.TRIAL or attrs.get(names.ROLE) == names.ROLE_INTERVAL:
        joined, added = numbered_on(values, sizes)
        attrs["first_row"] = json.dumps(added)
    elif all(names.CATEGORIES in piece.attrs for piece in there):
        known = [json.loads(piece.attrs[names.CATEGORIES]) for piece in there]
        categories = sorted({str(word) for some in known for word in some}, key=_place)
        attrs[names.CATEGORIES] = json.dumps(categories)
        codes = {id(piece): _recoded(piece, categories) for piece in there}
        parts = [
            np.full(n, -1, np.int32) if piece is None else codes[id(piece)]
            for piece, n in zip(pieces, sizes, strict=True)
        ]
        joined = np.concatenate(parts)
    else:
        joined = stacked(values, sizes)
    n = joined.shape[1] if joined.ndim == 2 else 0
    space = [] if not n else [names.SPACE if n == 2 else f"{names.SPACE}{n}"]
    return xr.DataArray(joined, dims=(names.TIME, *space), attrs=attrs)


def _recoded(condition: xr.Variable, categories: Sequence[str]) -> np.ndarray:
    """The codes of a condition when these are its categories; −1 stays."""
    own = [str(word) for word in json.loads(condition.attrs[names.CATEGORIES])]
    return np.array([*map(categories.index, own), -1], np.int32)[condition.values]


def _common(attrs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What all sessions say alike; counts are added up, notes stand one after another."""
    shared = {
        str(key): value
        for key, value in attrs[0].items()
        if all(key in other and str(other[key]) == str(value) for other in attrs)
    }
    for key in _SUMMED:
        if any(key in one for one in attrs):
            shared[key] = sum(int(one.get(key, 0)) for one in attrs)
    if any("notes" in one for one in attrs):
        notes = dict.fromkeys(str(one.get("notes", "")) for one in attrs)
        shared["notes"] = "; ".join(note for note in notes if note)
    return shared


def _place(category: str) -> tuple[bool, float, str]:
    """Where a category stands among others: numbers by their size, then words."""
    try:
        return False, float(category), category
    except ValueError:
        return True, 0.0, category


def _check_dims(named: Mapping[str, xr.Dataset]) -> None:
    """Refuse what could only be joined by guessing."""
    problems = []
    for session, one in named.items():
        for name, variable in one.variables.items():
            dims = variable.dims
            axes = dims[dims[:1] == (names.TIME,) :]
            of_space = len(axes) == 1 and str(axes[0]).startswith(names.SPACE)
            if not of_space and name not in _APART and dims not in ((names.TIME,), (names.UNIT,)):
                problems.append(f"'{name}' of '{session}' has dims {dims}; drop it")
    raise_together(
        problems, heading="only variables of time, of units and of positions can be joined"
    )
