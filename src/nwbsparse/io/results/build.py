"""A result → the extension's types, ready to be added to an NWB file."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from hdmf.backends.hdf5.h5_utils import H5DataIO
from hdmf.common import DynamicTable, DynamicTableRegion
from pynwb import TimeSeries

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.io.results.stored import (
    HELD_OUT_BINS,
    TRAIN_TUNING,
    TUNING,
    StoredResult,
    held_out_name,
)
from nwbsparse.io.results.tables import (
    latents_table,
    metrics_table,
    population_table,
    sessions_table,
    splits_table,
    variables_table,
)
from nwbsparse.schema import own_version
from nwbsparse.session import EDGE_TOLERANCE

_METRIC_NAMES = {
    "weight": "decoder_weight",
    "z": "conditional_z",
    "correlation": "pearson_r",
    "train_association": "cross_validated_r",
}
_SKIPPED = ("correlation_p",)  # p values stand beside the scores they belong to


def packed(array: np.ndarray) -> Any:
    """An array that is stored compressed, in chunks (decision 0007 says why without Fletcher32)."""
    array = np.ascontiguousarray(array)
    if array.size == 0:
        return array
    return H5DataIO(array, compression="gzip", compression_opts=4, shuffle=True)


def build_model(stored: StoredResult, nwbfile: Any) -> list[Any]:
    """The SparseLatentModel of a result, and the series of per-bin quality that goes beside it.

    Only the table ``input_population`` refers to anything outside the model: to the units of
    ``nwbfile``.
    """
    config = stored.words["config"]
    population = population_table(stored, nwbfile)
    latents = latents_table(stored, population)
    variables, rows = variables_table(stored.attribution)
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
        architecture=_architecture(config),
        activation_function=config.get("sparsifier", "batch_topk"),
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
        decoder_weights=packed(_by_lag(stored)),
        decoder_bias=stored.weights["decoder_bias"].astype(np.float32),
        encoder_weights=packed(stored.weights["encoder_weight"].T.astype(np.float32)),
        encoder_bias=stored.weights["encoder_bias"].astype(np.float32),
        pre_bias=stored.weights["pre_bias"].astype(np.float32),
        threshold=np.repeat(threshold[:, None], n_latents, axis=1).astype(np.float32),
        parameters=packed(np.frombuffer(stored.tensors, dtype=np.uint8)),
        input_population=population,
        latents=latents,
        metrics=metrics_table(stored.metrics),
        sessions=sessions_table(stored, nwbfile),
        splits=splits_table(stored.latents),
        latent_attributions=attributions,
        **parts,
    )
    return [model, _held_out_bins(stored)]


def _architecture(config: Mapping[str, Any]) -> str:
    """What the model is, in words; all of its weights stand in ``parameters``."""
    window = config.get("window", 1)
    over = f" over {window} bins" if window > 1 else ""
    encoder = {"transformer": f"transformer ({config.get('attention')} attention)"}.get(
        config.get("encoder", "linear"), "linear encoder"
    )
    levels = f", {config.get('nesting')} Matryoshka levels" if config.get("levels") else ""
    convolution = config.get("decoder") == "convolution"
    decoder = "dictionary of time courses" if convolution else "linear dictionary"
    rule = config.get("sparsifier", "batch_topk").replace("_", " ").replace("topk", "top-k")
    return f"{encoder}{over if not convolution else ''}, {rule}{levels}, {decoder}" + (
        over if convolution else ""
    )


def _by_lag(stored: StoredResult) -> np.ndarray:
    """The dictionary as (latent, unit), or (latent, lag, unit) where it has several lags."""
    rows = stored.weights["dictionary"].astype(np.float32)
    n_units = len(stored.weights["offset"])
    n_lags = rows.shape[1] // n_units
    return rows if n_lags == 1 else rows.reshape(len(rows), n_lags, n_units)


def _environment(stored: StoredResult) -> dict[str, Any]:
    words = {key: value for key, value in stored.words.items() if key != "config"}
    attrs = {
        "latents": dict(stored.latents.attrs),
        "metrics": dict(stored.metrics.attrs),
        "attribution": dict(stored.attribution.attrs),
    }
    return {"coder": words, "attrs": attrs, "run": dict(stored.environment)}


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
