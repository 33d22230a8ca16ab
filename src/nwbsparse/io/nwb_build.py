"""A result → the extension's types, ready to be added to an NWB file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from hdmf.backends.hdf5.h5_utils import H5DataIO
from hdmf.common import DynamicTable, DynamicTableRegion
from pynwb import NWBFile, TimeSeries
from pynwb.epoch import TimeIntervals

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.binning.grid import EDGE_TOLERANCE
from nwbsparse.io.stored import HELD_OUT_BINS, TRAIN_TUNING, TUNING, StoredResult, target_rows
from nwbsparse.schema import own_version

TOP_UNITS = 10

_METRIC_NAMES = {
    "weight": "decoder_weight",
    "z": "conditional_z",
    "correlation": "pearson_r",
    "train_association": "cross_validated_r",
}
_SKIPPED = ("correlation_p",)  # p values stand beside the scores they belong to


def packed(array: np.ndarray) -> Any:
    """An array that is stored compressed, in chunks, with a checksum per chunk."""
    array = np.ascontiguousarray(array)
    if array.size == 0:
        return array
    return H5DataIO(array, compression="gzip", compression_opts=4, shuffle=True, fletcher32=True)


def build_model(stored: StoredResult, nwbfile: NWBFile) -> list[Any]:
    """The SparseLatentModel of a result, and the series of per-bin quality that goes beside it.

    Only the table ``input_population`` refers to anything outside the model: to the units of
    ``nwbfile``.
    """
    config = stored.words["config"]
    population = _population(stored, nwbfile)
    latents = _latents(stored, population)
    variables, rows = _variables(stored.attribution)
    attributions = _unit_scores(stored.attribution, latents, population)
    attributions += _variable_scores(stored.attribution, latents, variables, rows)
    activations = _activations(stored, latents)
    parts: dict[str, Any] = {activations[0]: [activations[1]]}
    if variables is not None:
        parts["variables"] = variables
    threshold = stored.weights["threshold"]
    n_latents = len(stored.weights["dictionary"])
    model = ndx.SparseLatentModel(
        name=stored.name,
        description=(
            f"Sparse latents of {len(population)} units in bins of {config['bin_width']} s, "
            f"{config['k']} active per bin on average."
        ),
        architecture="linear encoder, batch top-k, linear dictionary",
        activation_function="batch_topk",
        software="nwbsparse",
        software_version=own_version(),
        num_latents=n_latents,
        seed=int(config["seed"]),
        target_l0=float(config["k"]),
        created=str(stored.environment["created"]),
        hyperparameters=json.dumps(config, sort_keys=True),
        environment=json.dumps(_environment(stored), sort_keys=True),
        model_card=_card(stored),
        matryoshka_sizes=np.array(stored.metrics["level_size"].values, dtype=np.int32),
        decoder_weights=packed(stored.weights["dictionary"]),
        decoder_bias=stored.weights["decoder_bias"],
        encoder_weights=packed(stored.weights["encoder_weight"].T),
        encoder_bias=stored.weights["encoder_bias"],
        pre_bias=stored.weights["pre_bias"],
        threshold=np.repeat(threshold[:, None], n_latents, axis=1).astype(np.float32),
        parameters=packed(np.frombuffer(stored.tensors, dtype=np.uint8)),
        input_population=population,
        latents=latents,
        metrics=_metrics(stored.metrics),
        sessions=_sessions(stored, nwbfile),
        splits=_splits(stored.latents),
        latent_attributions=attributions,
        **parts,
    )
    return [model, _held_out_bins(stored)]


def held_out_name(name: str) -> str:
    """Name of the series that holds the per-bin metrics of a model."""
    return f"{name}_held_out_bins"


def _environment(stored: StoredResult) -> dict[str, Any]:
    words = {key: value for key, value in stored.words.items() if key != "config"}
    attrs = {
        "latents": dict(stored.latents.attrs),
        "metrics": dict(stored.metrics.attrs),
        "attribution": dict(stored.attribution.attrs),
    }
    return {"coder": words, "attrs": attrs, "run": dict(stored.environment)}


def _population(stored: StoredResult, nwbfile: NWBFile) -> DynamicTable:
    source = stored.source
    table = ndx.PopulationTable(
        name="input_population",
        description="the units the model reads and reconstructs, in model order",
        source_table=nwbfile.units,
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


def _latents(stored: StoredResult, population: DynamicTable) -> DynamicTable:
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


def _variables(attribution: xr.Dataset) -> tuple[DynamicTable | None, dict[str, range]]:
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


def _unit_scores(
    attribution: xr.Dataset, latents: DynamicTable, population: DynamicTable
) -> list[Any]:
    made = []
    for key, variable in attribution.data_vars.items():
        if variable.dims != (names.LATENT, names.UNIT) or key in _SKIPPED:
            continue
        p_values = attribution.get(f"{key}_p")
        made.append(
            _scores(
                str(key), variable, latents, population, range(len(population)), p_values=p_values
            )
        )
    return made


def _variable_scores(
    attribution: xr.Dataset,
    latents: DynamicTable,
    variables: DynamicTable | None,
    rows: Mapping[str, range],
) -> list[Any]:
    made = []
    for key, variable in attribution.data_vars.items():
        if variables is None or variable.dims[:1] != (names.LATENT,) or names.UNIT in variable.dims:
            continue
        name = str(key)
        role = (
            name.removeprefix("train_")
            if name.startswith((TUNING, TRAIN_TUNING))
            else str(variable.dims[-1])
        )
        if variable.ndim > 1 and role in rows:
            made.append(_scores(name, variable, latents, variables, rows[role]))
    return made


def _scores(
    name: str,
    variable: xr.DataArray,
    latents: DynamicTable,
    targets: DynamicTable,
    rows: range,
    *,
    p_values: xr.DataArray | None = None,
) -> Any:
    split = "train" if name.startswith("train_") else "test"
    more = {} if p_values is None else {"p_values": packed(p_values.values.astype(np.float32))}
    metric = "mean_activation" if TUNING in name else _METRIC_NAMES.get(name, name)
    return ndx.LatentAttribution(
        name=name,
        description=f"{metric.replace('_', ' ')} of every latent and target",
        metric=metric,
        split=split,
        scores=packed(variable.values.reshape(len(variable), -1).astype(np.float32)),
        latents=_region("latents", range(len(latents)), latents),
        targets=_region("targets", rows, targets),
        **more,
    )


def _region(name: str, rows: range, table: DynamicTable) -> DynamicTableRegion:
    return DynamicTableRegion(
        name=name,
        data=np.arange(rows.start, rows.stop, dtype=np.int32),
        description="rows",
        table=table,
    )


def _clock(latents: xr.Dataset) -> dict[str, Any]:
    times = latents[names.TIME].values
    width = float(latents.attrs[names.BIN_WIDTH])
    regular = np.abs(times - (times[0] + np.arange(len(times)) * width)).max() < EDGE_TOLERANCE
    if regular:
        return {"starting_time": float(times[0]), "rate": 1.0 / width}
    return {"timestamps": packed(times)}


def _activations(stored: StoredResult, table: DynamicTable) -> tuple[str, Any]:
    latents = stored.latents
    width = float(latents.attrs[names.BIN_WIDTH])
    common = {
        "name": "activations",
        "description": "activation of every latent in every bin of the recording",
        "bin_width": width,
        "latents": _region("latents", range(len(table)), table),
        **_clock(latents),
    }
    if names.ACTIVATION in latents:
        data = packed(latents[names.ACTIVATION].values)
        series = ndx.LatentActivationSeries(
            data=data, unit="a.u.", time_reference="center", **common
        )
        return "latent_activation_series", series
    sparse = ndx.SparseLatentActivations(
        num_bins=latents.sizes[names.TIME],
        num_latents=latents.sizes[names.LATENT],
        values=packed(latents[names.VALUE].values),
        indices=packed(latents[names.LATENT_INDEX].values),
        indptr=packed(latents[names.INDPTR].values.astype(np.uint64)),
        **common,
    )
    return "sparse_latent_activations", sparse


def _metrics(metrics: xr.Dataset) -> DynamicTable:
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


def _sessions(stored: StoredResult, nwbfile: NWBFile) -> DynamicTable:
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
        uri=source.path.name if source.path else "",
        sha256=source.sha256,
    )
    return table


def _splits(latents: xr.Dataset) -> TimeIntervals:
    table = TimeIntervals(
        name="splits", description="which part of the recording each time belongs to"
    )
    table.add_column(name="split", description="train, validation or test; bins in none are gaps")
    times, parts = latents[names.TIME].values, latents[names.SPLIT].values
    half = float(latents.attrs[names.BIN_WIDTH]) / 2
    segment = latents[names.SEGMENT].values
    cuts = np.flatnonzero((np.diff(parts) != 0) | (np.diff(segment) != 0)) + 1
    for start, stop in zip(np.r_[0, cuts], np.r_[cuts, len(parts)], strict=True):
        if parts[start] != names.GAP:
            table.add_row(
                start_time=float(times[start] - half),
                stop_time=float(times[stop - 1] + half),
                split=names.SPLIT_NAMES[parts[start]],
            )
    return table


def _held_out_bins(stored: StoredResult) -> TimeSeries:
    metrics = stored.metrics
    columns = [metrics[key].values.astype(np.float32) for key in HELD_OUT_BINS]
    return TimeSeries(
        name=held_out_name(stored.name),
        description=f"quality of the model {stored.name} in each held-out bin: {', '.join(HELD_OUT_BINS)}",
        data=packed(np.stack(columns, axis=1)),
        unit="a.u.",
        timestamps=packed(metrics[names.TIME].values),
    )


def _card(stored: StoredResult) -> str:
    summary = json.loads(stored.attribution.attrs["summary"])
    lines = [
        f"# {stored.name}",
        "",
        f"Learned by nwbsparse {own_version()} from `{stored.source.identifier}` "
        f"(sha256 {stored.source.sha256[:16]}…).",
        "",
        f"- held-out R² {float(stored.metrics['r2']):.3f}, "
        f"L0 {float(stored.metrics['l0'].mean()):.2f}",
    ]
    for who, one in summary.items():
        lines.append(
            f"- {who}: {one['found']} of {one['assessable']} assessable follow a variable (held out, FDR)"
        )
    return "\n".join(lines)
