"""Conditions made from continuous covariates: by quantiles, by stated edges, in the plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.behaviour.coding import (
    Coded,
    code_values,
    frequent,
    quantile_edges,
    visited_edges,
)
from nwbsparse.binning.split import part
from nwbsparse.errors import BadInput

THIRDS = ("low", "middle", "high")
SECTORS = 4
PLACES = 5
"""Conditions of an angle and (per axis) of a position when nobody says how many."""

Edges = Sequence[int | float] | np.ndarray
Cut = int | Edges | Sequence[Edges] | None
"""How a covariate becomes conditions: so many of them, their edges (per axis), or automatically."""


def as_conditions(
    variables: Sequence[Coded], binned: xr.Dataset, cuts: Mapping[str, Cut] | None = None
) -> list[Coded]:
    """Categorical variables as they are; covariates cut into conditions, by training bins.

    Automatically: continuous covariates into thirds (low, middle, high), angles into 4 sectors,
    1-D position into 5 and 2-D position into 5 × 5 places over the range visited. ``cuts`` says it
    otherwise by covariate: a number of quantiles (of sectors, of places per axis), or edges (two
    lists of them for a position in the plane); values beyond stated edges belong to no condition.
    Conditions of less than 0.5 s in training are left out, and covariates of fewer than two.

    Raises:
        BadInput: edges that do not rise, too few of them, or not one list per axis.
    """
    cuts = cuts or {}
    made: list[Coded | None] = []
    for variable in variables:
        cut = cuts.get(variable.name)
        if variable.kind == names.CATEGORICAL:
            if cut is not None:
                raise BadInput(f"'{variable.name}' has categories already; it cannot be cut")
            made.append(variable)
        else:
            made.append(_cut(variable, binned, cut))
    return [variable for variable in made if variable is not None]


def _cut(variable: Coded, binned: xr.Dataset, cut: Cut) -> Coded | None:
    values = binned[variable.name]
    train = part(binned, "train") | part(binned, "validation")
    table = values.values.reshape(len(values), -1)
    seen = table[train & np.isfinite(table).all(axis=1)]
    automatic = cut is None
    if cut is None:
        cut = {names.CIRCULAR: SECTORS, names.POSITION: PLACES}.get(variable.kind, len(THIRDS))
    stated = not isinstance(cut, int | np.integer)
    if stated:
        edges = _stated(variable, cut)
    elif int(cut) < 2:
        raise BadInput(f"'{variable.name}' cannot be cut into {cut} conditions; give 2 or more")
    elif variable.kind == names.CIRCULAR:
        edges = [np.linspace(-np.pi, np.pi, int(cut) + 1)]
    elif variable.kind == names.POSITION:
        edges = visited_edges(seen[:, list(variable.axes)], int(cut))
    else:
        edges = [quantile_edges(seen[:, 0], int(cut))]
    coded = code_values(values, edges, axes=variable.axes, clip=not stated)
    if automatic and variable.kind == names.CONTINUOUS and coded.size == len(THIRDS):
        coded = replace(coded, labels=THIRDS)
    return frequent(
        replace(coded, kind=names.CATEGORICAL, table=variable.table, null=variable.null),
        binned,
        train,
    )


def _stated(variable: Coded, cut: Edges | Sequence[Edges]) -> list[np.ndarray]:
    n_axes = len(variable.edges)
    nested = [isinstance(one, Sequence | np.ndarray) for one in cut]
    lists = list(cut) if all(nested) and nested else [cut]
    if len(lists) != n_axes or any(nested) != all(nested):
        raise BadInput(f"'{variable.name}' has {n_axes} axes; give a list of edges for each")
    edges = [np.asarray(one, dtype=np.float64) for one in lists]
    for edge in edges:
        if len(edge) < 3 or not np.isfinite(edge).all() or not np.all(np.diff(edge) > 0):
            said = ", ".join(f"{value:g}" for value in edge)
            raise BadInput(f"the edges of '{variable.name}' must rise and be 3 or more: [{said}]")
    return edges
