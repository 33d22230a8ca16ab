"""The variables and coordinates of a Binned dataset: behaviour, names that are free, unit columns."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Mapping

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.covariates import align, derive, thaw
from nwbsparse.binning.grid import Grid
from nwbsparse.session import Session

AXES = ("x", "y", "z")
_LONGEST = 40  # characters of a label in a name: notes can be whole sentences
_OURS = {
    *(
        names.TIME,
        names.UNIT,
        names.SPACE,
        "space1",
        "space3",
        names.COUNTS,
        names.VALID,
        "dropped",
    ),
    *(
        names.SEGMENT,
        names.TRIAL,
        names.SPLIT,
        names.UNIT_ROW,
        names.MERGED_UNITS,
        names.LATENT,
        names.LEVEL,
    ),
}


def covariates_of(binned: xr.Dataset) -> list[str]:
    """Names of the continuous, circular and position variables, in order."""
    return _with_role(binned, names.ROLE_COVARIATE)


def conditions_of(binned: xr.Dataset) -> list[str]:
    """Names of the categorical variables, in order."""
    return _with_role(binned, names.ROLE_CONDITION)


def events_of(binned: xr.Dataset) -> list[str]:
    """Names of the variables that count events per bin, in order."""
    return _with_role(binned, names.ROLE_EVENT)


def _with_role(binned: xr.Dataset, role: str) -> list[str]:
    return [str(name) for name, v in binned.data_vars.items() if v.attrs.get(names.ROLE) == role]


def behaviour(session: Session, grid: Grid, max_gap: float | None) -> dict[str, xr.DataArray]:
    """Every behaviour signal, and what is derived from positions, on the grid."""
    positions = [s for s in session.series.values() if s.kind == names.POSITION]
    made: dict[str, xr.DataArray] = {}
    for series in session.series.values():
        measured, line = thaw(series)
        family = [measured]
        if series.kind == names.POSITION:
            prefix = "" if len(positions) == 1 else f"{series.name}_"
            taken = set(session.series)
            family += [s for s in derive(measured, prefix=prefix) if s.name not in taken]
        for one in family:
            values = align(one, grid, max_gap=max_gap)
            dims = (names.TIME,) if values.ndim == 1 else (names.TIME, _space(values.shape[1]))
            attrs: Mapping[str, object] = {
                names.ROLE: names.ROLE_COVARIATE,
                names.KIND: one.kind,
                names.UNITS_OF_MEASURE: one.unit,
                "path": one.path,
                "object_id": one.object_id,
                "notes": "; ".join(line.reasons),
            }
            made[one.name] = xr.DataArray(values, dims=dims, attrs=dict(attrs))
    return made


def free_name(name: str, taken: Collection[str]) -> str:
    """The name of a column or signal of the recording, with '_' added where we use it ourselves."""
    while name in _OURS or name in taken:
        name += "_"
    return name


def label_name(label: str) -> str:
    """The label of an event as the end of a name that works in conditions: 'lick, left' → lick_left.

    Letters of every alphabet and digits stay, what lies between them becomes one '_'. The minus of
    a number is spelled (codes such as 1 and -1 mean on and off). 'unlabelled' where there is none,
    'label' where it holds neither letter nor digit. Different labels can give one name.
    """
    # a condition is parsed as Python, which writes composed and compatible letters alike
    said = unicodedata.normalize("NFKC", label).strip()
    said = re.sub(r"^[-\u2212](?=\d)", "minus_", said)
    # some numerals are letters to a pattern, and not to Python
    plain = "".join(letter if f"_{letter}".isidentifier() else " " for letter in said)
    clean = "_".join(re.findall(r"[^\W_]+", plain))[:_LONGEST].rstrip("_")
    return clean or ("label" if said else "unlabelled")


def _space(n: int) -> str:
    """The dim of the components: 'space' in the plane, 'space3' and so on elsewhere."""
    return names.SPACE if n == 2 else f"{names.SPACE}{n}"


def coordinates(
    session: Session, grid: Grid, rows: np.ndarray, variables: Mapping[str, xr.DataArray]
) -> dict[str, object]:
    """Time, segments and every column of the units that are used."""
    coords: dict[str, object] = {
        names.TIME: (names.TIME, grid.centres, {"units": "s", "long_name": "bin centre"}),
        names.SEGMENT: (names.TIME, grid.segment),
        names.UNIT: (names.UNIT, np.arange(len(rows))),
        names.UNIT_ROW: (names.UNIT, session.unit_rows[rows]),
    }
    trials = variables.get("trials")
    if trials is not None:
        coords[names.TRIAL] = (names.TIME, trials.values)
    for name, column in session.units.variables.items():
        if name not in (names.UNIT, names.UNIT_ROW):
            values = session.unit_names if name == names.UNIT_ID else column.values
            free = free_name(str(name), coords.keys() | variables.keys())
            coords[free] = (names.UNIT, values[rows])
    for variable in variables.values():
        for dim in variable.dims:
            if str(dim).startswith(names.SPACE):
                coords[str(dim)] = (dim, list(AXES[: variable.sizes[dim]]))
    return coords


def category_names(condition: xr.DataArray) -> np.ndarray:
    """The names of the categories, with '' last so that the code −1 means 'none'."""
    return np.array([*json.loads(condition.attrs[names.CATEGORIES]), ""], dtype=object)
