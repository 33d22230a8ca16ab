"""A result → the extension's types, ready to be added to an NWB file."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from pynwb import TimeSeries

import ndx_sparse_latents as ndx
from nwbsparse import names
from nwbsparse.annotated.elements.activations import activations
from nwbsparse.annotated.elements.descriptions import architecture_said, description_of, model_card
from nwbsparse.annotated.elements.embedding import embedding_series
from nwbsparse.annotated.elements.latents import latents_table
from nwbsparse.annotated.elements.leftovers import layout_of, plain_json, rest_tables
from nwbsparse.annotated.elements.metrics import metrics_table
from nwbsparse.annotated.elements.populations import (
    UNIT_METRICS,
    of_the_same_units,
    population_tables,
    units_placed,
)
from nwbsparse.annotated.elements.recurrence import recurrence_attributes, recurrence_columns
from nwbsparse.annotated.elements.scores import unit_scores, variable_scores
from nwbsparse.annotated.elements.sessions import sessions_table
from nwbsparse.annotated.elements.splits import splits_table
from nwbsparse.annotated.elements.storage import Pack, packed
from nwbsparse.annotated.elements.variables import variables_table
from nwbsparse.annotated.stored import HELD_OUT_BINS, OCCUPANCY, TUNING, StoredResult, held_out_name
from nwbsparse.schema import own_version

DENSE_LIMIT = 256
"""Latents up to which activations are stored as a full table, which any NWB viewer shows."""

_TIMES = {names.TIME, names.SEGMENT, names.SPLIT, names.LEVEL}
_OF_LATENTS = _TIMES | {names.ACTIVATION, names.VALUE, names.LATENT_INDEX, names.INDPTR}


def build_model(
    stored: StoredResult, nwbfile: Any, *, pack: Pack = packed, dense: bool | None = None
) -> list[Any]:
    """The SparseLatentModel of a result, and the series and tables that go beside it.

    Only its populations of units refer to anything outside the model: to the units of
    ``nwbfile``. ``dense`` says how activations are stored; None: as a full table for up to 256
    latents.
    """
    config = stored.words["config"]
    attribution, metrics = stored.attribution, stored.metrics
    series = embedding_series(stored, pack)
    populations = population_tables(stored, nwbfile, series)
    written = populations[names.UNIT]
    latents, metrics_columns, attribution_columns = latents_table(stored, written)
    variables, rows = variables_table(attribution)
    scores = unit_scores(attribution, latents, populations, pack)
    scores |= variable_scores(attribution, latents, variables, rows, pack)
    threshold = stored.weights["threshold"]
    n_latents = len(stored.weights["dictionary"])
    if dense is None:
        dense = n_latents <= DENSE_LIMIT
    parts: dict[str, Any] = activations(stored.latents, latents, pack, dense=dense)
    if variables is not None:
        parts["variables"] = variables
    if series is not None:
        parts["embedding"] = series
    beside, of_bins = _held_out_bins(stored, pack)
    placed = {
        "latents": _in_types(stored.latents, _OF_LATENTS),
        "metrics": of_bins | metrics_columns | _metrics_placed(stored),
        "attribution": set(scores) | attribution_columns | _targets_placed(attribution, set(rows)),
    }
    datasets = stored.parts
    if stored.stability is not None:
        placed[names.STABILITY] = _in_types(stored.stability, set(recurrence_columns(stored)))
    layouts = {key: layout_of(one, placed[key], key) for key, one in datasets.items()}
    beside += rest_tables(stored.name, datasets, layouts, pack)
    words = {key: value for key, value in stored.words.items() if key != "config"}
    environment = {
        "coder": words,
        "parts": layouts,
        "run": plain_json(stored.environment),
        "beside": [one.name for one in beside],
        **({"target": {"series": stored.target.series}} if stored.target is not None else {}),
    }
    encoder = stored.weights.get("encoder_weight")
    model = ndx.SparseLatentModel(
        name=stored.name,
        description=description_of(stored, populations),
        architecture=architecture_said(config),
        activation_function=config.get("sparsifier", "batch_topk"),
        software="nwbsparse",
        software_version=own_version(),
        num_latents=n_latents,
        seed=int(config["seed"]),
        target_l0=float(config["k"]),
        created=str(stored.environment["created"]),
        hyperparameters=json.dumps(config, sort_keys=True),
        environment=json.dumps(environment, sort_keys=True),
        model_card=model_card(stored),
        decoder_weights=pack(_by_lag(stored)),
        decoder_bias=stored.weights["decoder_bias"].astype(np.float32),
        encoder_weights=None if encoder is None else pack(encoder.T.astype(np.float32)),
        encoder_bias=stored.weights["encoder_bias"].astype(np.float32),
        pre_bias=stored.weights["pre_bias"].astype(np.float32),
        threshold=np.repeat(threshold[:, None], n_latents, axis=1).astype(np.float32),
        parameters=pack(np.frombuffer(stored.tensors, dtype=np.uint8)),
        **{table.name: table for table in populations.values()},
        latents=latents,
        metrics=metrics_table(metrics),
        sessions=sessions_table(stored, nwbfile),
        splits=splits_table(stored.latents),
        latent_attributions=[one for one in scores.values() if one is not None],
        **_sizes(metrics),
        **recurrence_attributes(stored),
        **parts,
    )
    return [model, *beside]


def _by_lag(stored: StoredResult) -> np.ndarray:
    """The dictionary as (latent, unit), or (latent, lag, unit) where it has several lags."""
    rows = stored.weights["dictionary"].astype(np.float32)
    n_units = len(stored.weights.get("target_offset", stored.weights["offset"]))
    n_lags = rows.shape[1] // n_units
    return rows if n_lags == 1 else rows.reshape(len(rows), n_lags, n_units)


def _sizes(metrics: xr.Dataset) -> dict[str, Any]:
    if "level_size" not in metrics or metrics["level_size"].ndim != 1:
        return {}
    return {"matryoshka_sizes": np.array(metrics["level_size"].values, dtype=np.int32)}


def _in_types(dataset: xr.Dataset, candidates: set[str]) -> set[str]:
    """Those variables that are there, and the latents' own numbers, which need no place."""
    placed = {str(key) for key in dataset.variables if key in candidates}
    latent = dataset.coords.get(names.LATENT)
    if latent is not None and np.array_equal(latent.values, np.arange(len(latent))):
        placed.add(names.LATENT)
    return placed


def _metrics_placed(stored: StoredResult) -> set[str]:
    metrics = stored.metrics
    placed = _in_types(metrics, set())
    if metrics.get("r2") is not None and metrics["r2"].ndim == 0:
        placed.add("r2")
    for key in ("level_r2", "level_size"):
        if key in metrics and metrics[key].ndim == 1:
            placed.add(key)
    if of_the_same_units(stored):
        placed |= units_placed(metrics) | {key for key in UNIT_METRICS if key in metrics}
        ours, theirs = (one.coords.get(names.UNIT_ROW) for one in (metrics, stored.attribution))
        if ours is None or theirs is None or not np.array_equal(ours.values, theirs.values):
            placed.discard(names.UNIT_ROW)
    return placed


def _targets_placed(attribution: xr.Dataset, roles: set[str]) -> set[str]:
    """What the tables of variables, units and latents say about an attribution."""
    placed = _in_types(attribution, {names.LEVEL}) | units_placed(attribution)
    if names.COVARIATE in roles:
        placed.add(names.COVARIATE)
    if names.CONDITION in roles:
        placed |= {"condition_variable", "condition_name", "condition_bins"}
    if "candidate" in roles:
        placed |= {"candidate_variable", "candidate_condition"}
    for role in roles:
        if role.startswith(TUNING):
            covariate = role.removeprefix(TUNING)
            placed |= {f"{prefix}{covariate}" for prefix in OCCUPANCY}
            placed |= {str(dim) for dim in attribution[role].dims[1:]}
    return placed


def _held_out_bins(stored: StoredResult, pack: Pack) -> tuple[list[Any], set[str]]:
    """The series of what has one number per held-out bin, and which variables that are."""
    metrics = stored.metrics
    found = [key for key in HELD_OUT_BINS if key in metrics and metrics[key].dims == (names.TIME,)]
    if not found or names.TIME not in metrics.coords or not metrics.sizes[names.TIME]:
        return [], set()
    columns = [metrics[key].values.astype(np.float32) for key in found]
    series = TimeSeries(
        name=held_out_name(stored.name),
        description=f"quality of the model {stored.name} in each held-out bin: {', '.join(found)}",
        data=pack(np.stack(columns, axis=1)),
        unit="a.u.",
        timestamps=pack(metrics[names.TIME].values),
    )
    return [series], {names.TIME, *found}
