"""What is known of each latent ⇄ the latents table, a row each."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable, DynamicTableRegion, VectorData, VectorIndex

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.annotated.elements.placed import Found, Placed, numbered, there
from nwbsparse.annotated.elements.recurrence import (
    RECURRENCE,
    recurrence_columns,
    recurrence_in,
)
from nwbsparse.annotated.stored import StoredResult

TOP_UNITS = 10
LATENT_METRICS = {
    "density": "test_density",
    "dead": "test_dead",
    "always_on": "test_always_on",
    "hidden_gain": "hidden_gain",
}
"""Metrics of latents that have a column, and its name: that of the extension where it has one."""
_TEST = "test_"
"""Before the name of a metric that became a column."""

_OF_OTHERS = {
    "is_dead", "density", "mean_activation", "matryoshka_level", "mean_active_value",
    "max_activation", "top_units", "top_unit_weights", "tuning", *LATENT_METRICS.values(),
    *RECURRENCE,
}  # fmt: skip
"""Columns of the latents table that other parts of a result already say."""


def latents_table(stored: StoredResult, population: DynamicTable) -> tuple[DynamicTable, Placed]:
    """One row per latent: how often it is active, what it follows, its top units."""
    attribution, metrics = stored.attribution, stored.metrics
    recurrence, placed = recurrence_columns(stored)
    density, mean, active_mean, largest = _activity(stored.latents)
    columns: dict[str, Any] = {
        "is_dead": density == 0,
        "density": density.astype(np.float32),
        "mean_activation": mean.astype(np.float32),
        "matryoshka_level": stored.latents[names.LEVEL].values.astype(np.int32),
        "mean_active_value": active_mean.astype(np.float32),
        "max_activation": largest.astype(np.float32),
        **recurrence,
    }
    words = {one["name"]: one["description"] for one in ndx.LatentsTable.__columns__}
    for key, variable in attribution.data_vars.items():
        name = str(key)
        if variable.dims == (names.LATENT,) and is_own_column(name) and _is_column(variable):
            columns[name] = _as_column(variable.values)
            words.setdefault(name, f"{name.replace('_', ' ')} (see nwbsparse, attribution)")
    of_attribution = {
        str(key) for key in attribution.data_vars if str(key) in columns and is_own_column(str(key))
    }
    of_metrics = set()
    for key, column in LATENT_METRICS.items():
        if key in metrics and metrics[key].dims == (names.LATENT,):
            columns[column] = metrics[key].values
            words.setdefault(column, f"{key.replace('_', ' ')} on held-out bins")
            of_metrics.add(key)
    made = [
        VectorData(name=name, description=words[name], data=data) for name, data in columns.items()
    ]
    made += _top_units(attribution, population)
    table = ndx.LatentsTable(
        name="latents",
        description="one row per latent, in dictionary order",
        columns=made,
        colnames=[*columns, "top_units", "top_unit_weights"],
    )
    return table, placed + Placed(
        latents=numbered(stored.latents, names.LATENT) | there(stored.latents, names.LEVEL),
        metrics=numbered(metrics, names.LATENT) | of_metrics,
        attribution=numbered(attribution, names.LATENT) | of_attribution | _same_levels(stored),
        stability=numbered(stored.stability, names.LATENT),
    )


def latents_in(model: Any) -> Found:
    """What the latents table of a model in a file says, by datasets and their variables."""
    table = model.latents
    of_all = levels_in(model)
    latent = {names.LATENT: of_all[names.LATENT]}
    own = {key: np.asarray(table[key][:]) for key in table.colnames if is_own_column(key)}
    tested = {key: column for key, column in LATENT_METRICS.items() if column in table.colnames}
    return {
        names.LATENTS: of_all,
        names.METRICS: latent | {key: table[column][:] for key, column in tested.items()},
        names.ATTRIBUTION: of_all | own,
        names.STABILITY: latent | recurrence_in(model),
    }


def is_own_column(name: str) -> bool:
    """Whether a column of the latents table of this name is a variable of the attribution."""
    of_others = name in _OF_OTHERS or name.startswith(_TEST)
    return not of_others and not hasattr(DynamicTable, name) and not {"/", ":"} & set(name)


def levels_in(model: Any) -> dict[str, Any]:
    """The numbers and levels of the latents of a model in a file, without the rest of the table."""
    return {
        names.LATENT: np.arange(int(model.num_latents)),
        names.LEVEL: np.asarray(model.latents["matryoshka_level"][:]),
    }


def _same_levels(stored: StoredResult) -> frozenset[str]:
    """The levels as the attribution says them, where they are those of the activations."""
    said, known = (one.variables.get(names.LEVEL) for one in (stored.attribution, stored.latents))
    same = said is not None and known is not None and np.array_equal(said.values, known.values)
    return frozenset({names.LEVEL} if same else ())


def _is_column(variable: xr.DataArray) -> bool:
    text = variable.dtype.kind in "OU"
    return variable.dtype.kind in "biuf" or (
        text and not any("\0" in str(one) for one in variable.values)
    )


def _as_column(values: np.ndarray) -> Any:
    if values.dtype.kind in "OU":
        return [str(value) for value in values]
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _top_units(attribution: xr.Dataset, population: DynamicTable) -> list[VectorData]:
    """The units that a latent weighs most, strongest first: two ragged columns side by side.

    A latent of an embedding weighs no unit; there they are those that fire most above their mean.
    """
    apart = names.UNIT not in attribution["weight"].dims
    by, said = ("z", "mean z-score while the latent is active") if apart else (
        "weight", "decoder weight"
    )  # fmt: skip
    weight = np.nan_to_num(attribution[by].values)
    fires = np.isfinite(attribution["z"].values) if "z" in attribution else weight == weight
    order = np.argsort(-weight, axis=1, kind="stable")
    ranked = [row[fires[latent, row]][:TOP_UNITS] for latent, row in enumerate(order)]
    ends = np.cumsum([len(row) for row in ranked]).astype(np.int64)
    units = np.concatenate(ranked) if len(ranked) else np.zeros(0, dtype=np.int64)
    values = weight[np.repeat(np.arange(len(ranked)), [len(row) for row in ranked]), units]
    top = DynamicTableRegion(
        name="top_units",
        description=f"the units of largest {said}, strongest first",
        data=units.astype(np.int32),
        table=population,
    )
    weights = VectorData(
        name="top_unit_weights",
        description=f"{said} of each of top_units",
        data=values.astype(np.float32),
    )
    indices = [
        VectorIndex(name=f"{one.name}_index", data=ends, target=one) for one in (top, weights)
    ]
    return [top, weights, *indices]


def _activity(latents: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n_bins, n_latents = latents.sizes[names.TIME], latents.sizes[names.LATENT]
    if names.ACTIVATION in latents:
        table = latents[names.ACTIVATION].values
        n, total, largest = (table > 0).sum(0), table.sum(0, dtype=np.float64), table.max(0)
    else:
        index, value = latents[names.LATENT_INDEX].values, latents[names.VALUE].values
        n = np.bincount(index, minlength=n_latents)
        total = np.bincount(index, weights=value, minlength=n_latents)
        largest = np.zeros(n_latents, dtype=value.dtype)
        np.maximum.at(largest, index.astype(np.intp), value)  # other types are ten times slower
    return n / n_bins, total / n_bins, total / np.maximum(n, 1), largest
