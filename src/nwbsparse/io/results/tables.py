"""A result → the tables of the extension: units, latents, variables, metrics, sessions, splits."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from hdmf.common import DynamicTable
from pynwb.epoch import TimeIntervals

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.io.results.stored import StoredResult, target_rows

TOP_UNITS = 10


def population_table(stored: StoredResult, nwbfile: Any) -> DynamicTable:
    """The units a model reads and reconstructs: the only table that refers to anything outside it."""
    source = stored.source
    table = ndx.PopulationTable(
        name="input_population",
        description="the units the model reads and reconstructs, in model order",
        **_link(nwbfile, source.units_object_id),
        source_table_object_id=source.units_object_id,
        source_table_path=source.units_path,
        source_file_identifier=source.identifier,
        source_file_object_id=source.object_id,
    )
    ids = stored.attribution[names.UNIT_ID].values
    rows = stored.attribution[names.UNIT_ROW].values
    numeric = np.issubdtype(ids.dtype, np.integer)
    for at, (row, unit_id) in enumerate(zip(rows, ids, strict=True)):
        table.add_row(
            source_row=np.int32(row),
            source_id=np.int64(unit_id if numeric else row),
            unit_name=str(unit_id),
            offset=np.float32(stored.weights["offset"][at]),
            scale=np.float32(stored.weights["scale"][at]),
        )
    for key in ("unit_r2", "unit_cosine"):
        values = stored.metrics[key].values.astype(np.float64)
        table.add_column(
            name=f"test_{key.removeprefix('unit_')}",
            description=f"{key} on held-out bins",
            data=values,
        )
    return table


def _link(nwbfile: Any, object_id: str) -> dict[str, Any]:
    """A link to the table of the source units; none for units that stand in no table."""
    table = nwbfile.objects.get(object_id)
    return {"source_table": table} if isinstance(table, DynamicTable) else {}


def latents_table(stored: StoredResult, population: DynamicTable) -> DynamicTable:
    """One row per latent: how often it is active, what it follows, its top units."""
    attribution, metrics = stored.attribution, stored.metrics
    table = ndx.LatentsTable(name="latents", description="one row per latent, in dictionary order")
    density, mean, active_mean, largest = _activity(stored.latents)
    weight = np.nan_to_num(attribution["weight"].values)
    z = attribution["z"].values
    for row in range(len(weight)):
        ranked = [u for u in np.argsort(-weight[row], kind="stable") if np.isfinite(z[row, u])]
        top = ranked[:TOP_UNITS]
        table.add_row(
            is_dead=bool(density[row] == 0),
            density=np.float32(density[row]),
            mean_activation=np.float32(mean[row]),
            matryoshka_level=np.int32(stored.latents[names.LEVEL].values[row]),
            mean_active_value=np.float32(active_mean[row]),
            max_activation=np.float32(largest[row]),
            best_variable=str(attribution["best_variable"].values[row]),
            best_condition=str(attribution["best_condition"].values[row]),
            label="",
            top_units=[int(u) for u in top],
            top_unit_weights=[np.float32(weight[row, u]) for u in top],
        )
    table["top_units"].target.table = population
    done = {"best_variable", "best_condition"}
    for key, column in _of_latents(attribution, done):
        _add(table, key, f"{key.replace('_', ' ')} (see nwbsparse, attribution)", column)
    for key in ("density", "dead", "always_on"):
        _add(table, f"test_{key}", f"{key.replace('_', ' ')} on held-out bins", metrics[key].values)
    return table


def _of_latents(attribution: xr.Dataset, done: set[str]) -> list[tuple[str, np.ndarray]]:
    return [
        (str(key), variable.values)
        for key, variable in attribution.data_vars.items()
        if variable.dims == (names.LATENT,) and key not in done
    ]


def _add(table: DynamicTable, name: str, description: str, values: np.ndarray) -> None:
    data = [str(value) for value in values] if values.dtype.kind in "OU" else values
    table.add_column(name=name, description=description, data=data)


def _activity(latents: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n_bins, n_latents = latents.sizes[names.TIME], latents.sizes[names.LATENT]
    if names.ACTIVATION in latents:
        table = latents[names.ACTIVATION].values
        n, total, largest = (table > 0).sum(0), table.sum(0, dtype=np.float64), table.max(0)
    else:
        index, value = latents[names.LATENT_INDEX].values, latents[names.VALUE].values
        n = np.bincount(index, minlength=n_latents)
        total = np.bincount(index, weights=value, minlength=n_latents)
        largest = np.zeros(n_latents)
        np.maximum.at(largest, index, value)
    return n / n_bins, total / n_bins, total / np.maximum(n, 1), largest


def variables_table(attribution: xr.Dataset) -> tuple[DynamicTable | None, dict[str, range]]:
    """What latents are compared with, and the range of rows of each group of targets."""
    groups = target_rows(attribution)
    if not groups:
        return None, {}
    table = ndx.VariablesTable(name="variables", description="what latents are compared with")
    extra: dict[str, list[Any]] = {
        key: [] for key in ("role", "centre_x", "centre_y", "test_bins", "train_bins")
    }
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
            extra["test_bins"].append(group.bins[row, 0])
            extra["train_bins"].append(group.bins[row, 1])
    described = {
        "role": "what the row stands for: covariate, condition, candidate or tuning bin",
        "centre_x": "centre of the tuning bin on the first axis",
        "centre_y": "centre of the tuning bin on the second axis of a map",
        "test_bins": "number of held-out bins that fall into it",
        "train_bins": "number of training bins that fall into it",
    }
    for key, values in extra.items():
        table.add_column(name=key, description=described[key], data=values)
    return table, ranges


def metrics_table(metrics: xr.Dataset) -> DynamicTable:
    """How well the model does on held-out bins."""
    table = ndx.ModelMetricsTable(
        name="metrics", description="how well the model does on held-out bins"
    )
    split = str(metrics.attrs[names.SPLIT])
    single = {
        "r2": float(metrics["r2"]),
        "cosine": float(metrics["bin_cosine"].mean()),
        "l0": float(metrics["l0"].mean()),
        "dead_fraction": float(metrics["dead"].mean()),
    }
    for metric, value in single.items():
        table.add_row(metric=metric, value=value, split=split, matryoshka_level=np.int32(-1))
    for level, value in enumerate(metrics["level_r2"].values):
        table.add_row(
            metric="r2", value=float(value), split=split, matryoshka_level=np.int32(level)
        )
    return table


def sessions_table(stored: StoredResult, nwbfile: Any) -> DynamicTable:
    """The recording the model was trained on."""
    table = ndx.SourceSessionsTable(
        name="sessions", description="the recording the model was trained on"
    )
    source = stored.source
    subject = nwbfile.subject
    table.add_row(
        nwb_identifier=source.identifier,
        nwb_object_id=source.object_id,
        session_id=source.session_id,
        subject_id=str(subject.subject_id or "") if subject is not None else "",
        uri=source.uri or (source.path.name if source.path else ""),
        sha256=source.sha256,
    )
    return table


def splits_table(latents: xr.Dataset) -> TimeIntervals:
    """Which part of the recording each stretch of bins belongs to, in the order of the bins."""
    table = TimeIntervals(
        name="splits", description="stretches of neighbouring bins and the part each belongs to"
    )
    table.add_column(name="split", description="train, validation, test, or gap (left out)")
    table.add_column(name="segment", description="run of bins without a gap in the recording")
    table.add_column(name="n_bins", description="number of bins in the stretch")
    times, parts = latents[names.TIME].values, latents[names.SPLIT].values
    half = float(latents.attrs[names.BIN_WIDTH]) / 2
    segment = latents[names.SEGMENT].values
    cuts = np.flatnonzero((np.diff(parts) != 0) | (np.diff(segment) != 0)) + 1
    for start, stop in zip(np.r_[0, cuts], np.r_[cuts, len(parts)], strict=True):
        part = parts[start]
        table.add_row(
            start_time=float(times[start] - half),
            stop_time=float(times[stop - 1] + half),
            split="gap" if part == names.GAP else names.SPLIT_NAMES[part],
            segment=int(segment[start]),
            n_bins=int(stop - start),
        )
    return table
