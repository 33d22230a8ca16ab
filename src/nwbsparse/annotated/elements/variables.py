"""The variables that latents were compared with ⇄ a table with a row each."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.annotated.elements.placed import Placed

TUNING = "tuning."
TUNINGS = (TUNING, "train_tuning.", "tuning_half_1.", "tuning_half_2.")
"""What the names of tuning curves begin with: of all bins, and of each half; of versions before 0.2
of held-out bins, and of training bins."""
OCCUPANCY = {"occupancy.": "bins", "train_occupancy.": "train_bins"}
"""What counts the bins of a tuning curve, and the column that holds it."""
CANDIDATE = "candidate"
HEAD_KIND = "head_kind"
"""Whether what a network decodes has categories."""
_BINS = tuple(OCCUPANCY.values())
_EARLIER = {"bins": "test_bins"}
"""Columns by the names they had before 0.2."""


@dataclass(frozen=True)
class TargetRows:
    """A group of rows of the variables table: what one family of scores is about."""

    role: str
    """'covariate', 'condition', 'candidate', 'head' (what a network decodes), or 'tuning.<covariate>'."""
    variable: np.ndarray
    condition: np.ndarray
    kind: tuple[str, ...]
    centre: np.ndarray
    """(row, 2) x and y of a tuning bin; NaN elsewhere."""
    bins: np.ndarray
    """(row, 2) bins that fall into it: all, training; NaN where it says nothing."""

    def __len__(self) -> int:
        return len(self.variable)


def variables_table(
    attribution: xr.Dataset,
) -> tuple[DynamicTable | None, dict[str, range], Placed]:
    """What latents are compared with, and the range of rows of each group of targets."""
    groups = target_rows(attribution)
    if not groups:
        return None, {}, Placed()
    table = ndx.VariablesTable(name="variables", description="what latents are compared with")
    extra: dict[str, list[Any]] = {key: [] for key in ("role", "centre_x", "centre_y", *_BINS)}
    ranges: dict[str, range] = {}
    for group in groups:
        ranges[group.role] = range(len(table), len(table) + len(group))
        for row in range(len(group)):
            table.add_row(
                variable=str(group.variable[row]),
                condition=str(group.condition[row]),
                kind=group.kind[row],
            )
            extra["role"].append(group.role)
            extra["centre_x"].append(group.centre[row, 0])
            extra["centre_y"].append(group.centre[row, 1])
            for column, key in enumerate(_BINS):
                extra[key].append(group.bins[row, column])
    described = {
        "role": "what the row stands for: covariate, condition, candidate, tuning bin, or what a "
        "network decodes (head)",
        "centre_x": "centre of the tuning bin on the first axis",
        "centre_y": "centre of the tuning bin on the second axis of a map",
        "bins": "number of assessed bins that fall into it",
        "train_bins": "number of training bins that fall into it",
    }
    if not np.isfinite(extra["train_bins"]).any():
        del extra["train_bins"]
    for key, values in extra.items():
        table.add_column(name=key, description=described[key], data=values)
    placed = frozenset().union(*(_variables_of(attribution, role) for role in ranges))
    return table, ranges, Placed(attribution=placed)


def variables_in(model: Any) -> dict[str, Any]:
    """What the table of a model in a file says, by the variables of an attribution."""
    if model.variables is None:
        return {}
    named: dict[str, Any] = {}
    table = model.variables.to_dataframe()
    table = table.rename(columns={old: new for new, old in _EARLIER.items()})
    for role, rows in table.groupby("role", sort=False):
        if role == names.COVARIATE:
            named[names.COVARIATE] = rows["variable"].to_numpy()
        elif role == names.HEAD:
            named[names.HEAD] = rows["variable"].to_numpy()
            named[HEAD_KIND] = rows["kind"].to_numpy()
        elif role == names.CONDITION:
            named["condition_variable"] = rows["variable"].to_numpy()
            named["condition_name"] = rows["condition"].to_numpy()
            named["condition_bins"] = rows["bins"].to_numpy()
        elif role == CANDIDATE:
            named["candidate_variable"] = rows["variable"].to_numpy()
            named["candidate_condition"] = rows["condition"].to_numpy()
        elif str(role).startswith(TUNING):
            named |= _tuning_in(str(role).removeprefix(TUNING), rows)
    return named


def _variables_of(attribution: xr.Dataset, role: str) -> set[str]:
    """The variables of an attribution that the rows of a role say."""
    if role == names.CONDITION:
        return {"condition_variable", "condition_name", "condition_bins"}
    if role == CANDIDATE:
        return {"candidate_variable", "candidate_condition"}
    if role == names.COVARIATE:
        return {names.COVARIATE}
    if role == names.HEAD:
        return {names.HEAD, HEAD_KIND}
    covariate = role.removeprefix(TUNING)
    dims = {str(dim) for dim in attribution[role].dims[1:]}
    held = {str(name) for name in attribution.variables}
    return ({f"{prefix}{covariate}" for prefix in OCCUPANCY} & held) | dims


def _tuning_in(covariate: str, rows: Any) -> dict[str, Any]:
    two = bool(np.isfinite(rows["centre_y"]).all())
    axes = [np.unique(rows[key]) for key in (("centre_y", "centre_x") if two else ("centre_x",))]
    return {
        **dict(zip(tuning_dims(covariate, two=two), axes, strict=True)),
        **{
            f"{prefix}{covariate}": rows[column].to_numpy()
            for prefix, column in OCCUPANCY.items()
            if column in rows
        },
    }


def target_rows(attribution: xr.Dataset) -> list[TargetRows]:
    """Everything that latents are compared with, in groups that scores refer to."""
    groups = []
    held = {str(name) for name in attribution.variables}
    if names.COVARIATE in held:
        covariates = attribution[names.COVARIATE].values
        groups.append(_plain(names.COVARIATE, covariates, [""] * len(covariates), "continuous"))
    if {"condition_variable", "condition_name", "condition_bins"} <= held:
        group = _plain(
            names.CONDITION,
            attribution["condition_variable"].values,
            attribution["condition_name"].values,
            "categorical",
        )
        group.bins[:, 0] = attribution["condition_bins"].values
        groups.append(group)
    if {"candidate_variable", "candidate_condition"} <= held:
        conditions = attribution["candidate_condition"].values
        group = _plain(
            CANDIDATE, attribution["candidate_variable"].values, conditions, "continuous"
        )
        kind = tuple("categorical" if condition else "continuous" for condition in conditions)
        groups.append(
            TargetRows(group.role, group.variable, group.condition, kind, group.centre, group.bins)
        )
    if {names.HEAD, HEAD_KIND} <= held:
        heads, kinds = attribution[names.HEAD].values, attribution[HEAD_KIND].values
        group = _plain(names.HEAD, heads, [""] * len(heads), "continuous")
        groups.append(replace(group, kind=tuple(map(str, kinds))))
    groups += [
        _tuning_rows(attribution, str(name).removeprefix(TUNING))
        for name in attribution.data_vars
        if str(name).startswith(TUNING) and is_curve(attribution, str(name))
    ]
    return [group for group in groups if len(group)]


def tuning_dims(covariate: str, *, two: bool) -> tuple[str, ...]:
    """Dims of a tuning curve or, for a position in the plane, of a map."""
    return (f"{covariate}_y", f"{covariate}_x") if two else (f"{covariate}_bin",)


def is_curve(attribution: xr.Dataset, name: str) -> bool:
    """Whether a variable is a tuning curve or map, with the edges and counts that belong to it."""
    covariate = covariate_of(name)
    dims = attribution[name].dims[1:]
    if attribution[name].dims[:1] != (names.LATENT,) or len(dims) not in (1, 2):
        return False
    if dims != tuning_dims(covariate, two=len(dims) == 2):
        return False
    counted = attribution.variables.get(f"occupancy.{covariate}")
    if counted is None or counted.dims != dims:
        return False
    return all(
        dim in attribution.coords and bool((np.diff(attribution[dim].values) > 0).all())
        for dim in dims
    )


def covariate_of(name: str) -> str:
    """The covariate of a tuning curve by its name."""
    return next(name.removeprefix(one) for one in TUNINGS if name.startswith(one))


def _plain(role: str, variable: Any, condition: Any, kind: str) -> TargetRows:
    n = len(variable)
    return TargetRows(
        role,
        np.array(variable, dtype=object),
        np.array(condition, dtype=object),
        (kind,) * n,
        np.full((n, 2), np.nan),
        np.full((n, 2), np.nan),
    )


def _tuning_rows(attribution: xr.Dataset, covariate: str) -> TargetRows:
    curve = attribution[f"{TUNING}{covariate}"]
    dims = curve.dims[1:]
    axes = np.meshgrid(*(curve[dim].values for dim in dims), indexing="ij")
    flat = [axis.ravel() for axis in reversed(axes)]  # x before y
    labels = [", ".join(f"{value:.6g}" for value in point) for point in zip(*flat, strict=True)]
    group = _plain(f"{TUNING}{covariate}", [covariate] * len(labels), labels, "continuous")
    for axis, values in enumerate(flat):
        group.centre[:, axis] = values
    for column, prefix in enumerate(OCCUPANCY):
        if f"{prefix}{covariate}" in attribution:
            group.bins[:, column] = attribution[f"{prefix}{covariate}"].values.ravel()
    return group
