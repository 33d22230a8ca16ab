"""What a dataset must look like to flow from one room to the next, and the record of its making."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import xarray as xr

from nwbsparse import names
from nwbsparse.errors import raise_together

# schema → {variable: dims it must have}; a dataset may carry more variables than these. What a coder
# of an embedding reads and reconstructs are dims in place of units
_REQUIRED: dict[str, dict[str, tuple[str, ...]]] = {
    names.BINNED: {names.COUNTS: (names.TIME, names.UNIT)},
    names.TRIALS: {
        names.ACTIVITY: (names.TRIAL, names.TIME, names.UNIT),
        names.BLANK: (names.TRIAL,),
    },
    names.LATENTS: {},
    names.METRICS: {"unit_r2": (names.UNIT,), "density": (names.LATENT,), "l0": (names.TIME,)},
    names.ATTRIBUTION: {"weight": (names.LATENT, names.UNIT)},
}
_OF_DIMS = {"unit_r2", "weight"}
_COORDS: dict[str, tuple[str, ...]] = {
    names.BINNED: (names.TIME, names.SEGMENT, names.UNIT_ID),
    names.TRIALS: (names.TIME, names.UNIT_ID, names.START, names.ROW),
    names.LATENTS: (names.TIME, names.LEVEL),
    names.METRICS: (),
    names.ATTRIBUTION: (),
}


def check(dataset: xr.Dataset, schema: str) -> xr.Dataset:
    """Make sure that a dataset has the variables, dims and attributes its name promises.

    All problems are listed in one BadInput; the dataset itself is returned unchanged.
    """
    problems = []
    for variable, dims in _REQUIRED[schema].items():
        if variable not in dataset:
            problems.append(f"variable '{variable}' is missing")
        elif dataset[variable].dims != dims and not (
            variable in _OF_DIMS and dataset[variable].dims == (*dims[:-1], names.DIM)
        ):
            problems.append(f"'{variable}' has dims {dataset[variable].dims}, not {dims}")
    problems += [
        f"coordinate '{name}' is missing" for name in _COORDS[schema] if name not in dataset.coords
    ]
    if (
        schema in (names.BINNED, names.TRIALS, names.LATENTS)
        and names.BIN_WIDTH not in dataset.attrs
    ):
        problems.append(f"attribute '{names.BIN_WIDTH}' is missing")
    raise_together(problems, heading=f"this is not a {schema} dataset")
    return dataset


def history(dataset: xr.Dataset) -> list[dict[str, Any]]:
    """The steps that made this dataset, oldest first."""
    return json.loads(dataset.attrs.get(names.HISTORY, "[]"))


def with_step(
    dataset: xr.Dataset,
    step: str,
    parameters: Mapping[str, Any],
    *,
    since: xr.Dataset | None = None,
) -> xr.Dataset:
    """The dataset with one more step in its history (that of ``since``, if given, comes first)."""
    record = {"step": step, "parameters": dict(parameters), "version": own_version()}
    steps = history(since if since is not None else dataset)
    return dataset.assign_attrs({names.HISTORY: json.dumps([*steps, record])})


def own_version() -> str:
    """The version of nwbsparse that is running."""
    try:
        return version("nwbsparse")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0+unknown"
