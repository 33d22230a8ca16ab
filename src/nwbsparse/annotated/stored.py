"""A result as files hold it: named arrays, datasets and JSON words; no torch, no pynwb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.annotated.read.same_units import Digests
from nwbsparse.session import Source

TUNING = "tuning."
TRAIN_TUNING = "train_tuning."
OCCUPANCY = ("occupancy.", "train_occupancy.")
"""What counts the bins of a tuning curve: held out, training."""
HELD_OUT_BINS = ("l0", "bin_cosine")
"""Metrics with one value per held-out bin, in the order of their columns."""


@dataclass(frozen=True)
class OtherTable:
    """Where the units stand that are reconstructed, if not in the table of those that are read."""

    source: Source
    series: str
    """The series to read them from; '' for the table Units."""


@dataclass(frozen=True)
class StoredResult:
    """One model of one recording, with everything that was found out about it."""

    name: str
    words: Mapping[str, Any]
    """The coder's record as JSON values; ``words['config']`` are the options."""
    tensors: bytes
    """The coder's safetensors: authoritative for its weights."""
    weights: Mapping[str, np.ndarray]
    """The same weights as plain arrays, for readers without our software."""
    latents: xr.Dataset
    metrics: xr.Dataset
    attribution: xr.Dataset
    source: Source
    environment: Mapping[str, Any]
    """Versions, device, threads, wall time, when."""
    target: OtherTable | None = None
    embedding: xr.DataArray | None = None
    """(time, dim): what the model reads, where that is not the counts of the units."""
    stability: xr.Dataset | None = None
    """How the latents come back in coders trained from other seeds; None for one seed."""
    digests: Digests = field(default_factory=dict)
    """What the units did when the result was made."""
    same_as: tuple[str, ...] = ()
    """Checksums of recordings that ``source`` was compared with, unit by unit, and is a copy of."""

    @property
    def parts(self) -> dict[str, xr.Dataset]:
        """The datasets by their names, in the order in which they are stored."""
        known = {
            names.LATENTS: self.latents,
            names.METRICS: self.metrics,
            names.ATTRIBUTION: self.attribution,
        }
        return known if self.stability is None else known | {names.STABILITY: self.stability}


@dataclass(frozen=True)
class TargetRows:
    """A group of rows of the variables table: what one family of scores is about."""

    role: str
    """'covariate', 'condition', 'candidate', or 'tuning.<covariate>'."""
    variable: np.ndarray
    condition: np.ndarray
    kind: tuple[str, ...]
    centre: np.ndarray
    """(row, 2) x and y of a tuning bin; NaN elsewhere."""
    bins: np.ndarray
    """(row, 2) bins that fall into it: held out, training; NaN where it says nothing."""

    def __len__(self) -> int:
        return len(self.variable)


def held_out_name(name: str) -> str:
    """Name of the series that holds the per-bin metrics of a model."""
    return f"{name}_held_out_bins"


def target_rows(attribution: xr.Dataset) -> list[TargetRows]:
    """Everything that latents are compared with, in groups that scores refer to."""
    groups = []
    held = {str(name) for name in attribution.variables}
    if names.COVARIATE in held:
        covariates = attribution[names.COVARIATE].values
        groups.append(_plain("covariate", covariates, [""] * len(covariates), "continuous"))
    if {"condition_variable", "condition_name", "condition_bins"} <= held:
        group = _plain(
            "condition",
            attribution["condition_variable"].values,
            attribution["condition_name"].values,
            "categorical",
        )
        group.bins[:, 0] = attribution["condition_bins"].values
        groups.append(group)
    if {"candidate_variable", "candidate_condition"} <= held:
        conditions = attribution["candidate_condition"].values
        group = _plain(
            "candidate", attribution["candidate_variable"].values, conditions, "continuous"
        )
        kind = tuple("categorical" if condition else "continuous" for condition in conditions)
        groups.append(
            TargetRows(group.role, group.variable, group.condition, kind, group.centre, group.bins)
        )
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
    covariate = name.removeprefix(TRAIN_TUNING).removeprefix(TUNING)
    dims = attribution[name].dims[1:]
    if attribution[name].dims[:1] != (names.LATENT,) or len(dims) not in (1, 2):
        return False
    if dims != tuning_dims(covariate, two=len(dims) == 2):
        return False
    counted = (f"{prefix}{covariate}" for prefix in OCCUPANCY)
    return all(
        key in attribution.variables and attribution[key].dims == dims for key in counted
    ) and all(
        dim in attribution.coords and bool((np.diff(attribution[dim].values) > 0).all())
        for dim in dims
    )


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
        group.bins[:, column] = attribution[f"{prefix}{covariate}"].values.ravel()
    return group
