"""The extension's types in an NWB file → a result again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput, IntegrityError
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.results.stored import (
    HELD_OUT_BINS,
    TRAIN_TUNING,
    TUNING,
    StoredResult,
    held_out_name,
    tuning_dims,
)
from nwbsparse.io.stream import is_address
from nwbsparse.session import Source

_PARTS = {"gap": names.GAP} | {name: value for value, name in enumerate(names.SPLIT_NAMES)}

_OWN_COLUMNS = {
    "is_dead", "density", "mean_activation", "matryoshka_level", "mean_active_value",
    "max_activation", "label", "top_units", "top_unit_weights", "tuning",
}  # fmt: skip
"""Columns of the latents table that other parts of a result already say."""


def find_model(nwbfile: Any, name: str | None, *, path: Path) -> Any:
    """The model of this name in a file; the only one when no name is given.

    Raises:
        BadInput: there is none, or several and no name was given.
    """
    module = nwbfile.processing.get(MODULE)
    found = {} if module is None else {
        key: thing
        for key, thing in module.data_interfaces.items()
        if thing.neurodata_type == "SparseLatentModel"
    }  # fmt: skip
    if not found:
        raise BadInput(f"{path} holds no sparse latents; `nwbsparse run {path.name}` makes them")
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name not in found:
        said = "" if name is None else f"no result called '{name}'; "
        raise BadInput(f"{path}: {said}choose one of {', '.join(sorted(found))}")
    return found[name]


def parse_model(model: Any) -> StoredResult:
    """Everything that was stored about a model.

    Raises:
        IntegrityError: parts are missing or do not fit together.
    """
    try:
        environment = json.loads(model.environment)
        words = {**environment["coder"], "config": json.loads(model.hyperparameters)}
        latents = _latents(model, environment["attrs"]["latents"])
        return StoredResult(
            name=model.name,
            words=words,
            tensors=bytes(model.parameters[:].tobytes()),
            weights={
                "dictionary": model.decoder_weights[:].reshape(int(model.num_latents), -1),
                "encoder_weight": model.encoder_weights[:].T,
            },
            latents=latents,
            metrics=_metrics(model, environment["attrs"]["metrics"]),
            attribution=_attribution(model, environment["attrs"]["attribution"]),
            source=_source(model),
            environment=environment["run"],
        )
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise IntegrityError(f"the result '{model.name}' is damaged: {error!r}") from error


def _latents(model: Any, attrs: dict[str, Any]) -> xr.Dataset:
    dense = model.latent_activation_series.get("activations")
    series = dense if dense is not None else model.sparse_latent_activations["activations"]
    width = float(series.bin_width)
    n_bins = len(series.data) if dense is not None else int(series.num_bins)
    if series.timestamps is not None:
        times = series.timestamps[:]
    else:
        times = float(series.starting_time) + np.arange(n_bins) * width
    variables: dict[str, Any]
    if dense is not None:
        variables = {names.ACTIVATION: ((names.TIME, names.LATENT), series.data[:])}
    else:
        variables = {
            names.VALUE: (names.ENTRY, series.values[:]),
            names.LATENT_INDEX: (names.ENTRY, series.indices[:]),
            names.INDPTR: (names.TIME_EDGE, series.indptr[:]),
        }
    n_bins_of = np.asarray(model.splits["n_bins"][:])
    parts = [_PARTS[str(part)] for part in model.splits["split"][:]]
    segments = np.asarray(model.splits["segment"][:], dtype=np.int32)
    coords = {
        names.TIME: times,
        names.SEGMENT: (names.TIME, np.repeat(segments, n_bins_of)),
        names.SPLIT: (names.TIME, np.repeat(np.array(parts, dtype=np.int8), n_bins_of)),
        names.LATENT: np.arange(int(model.num_latents)),
        names.LEVEL: (
            names.LATENT,
            np.asarray(model.latents["matryoshka_level"][:], dtype=np.int32),
        ),
    }
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def _unit_coords(model: Any) -> dict[str, Any]:
    population = model.input_population
    unit_names = [str(name) for name in population["unit_name"][:]]
    numeric = [str(value) for value in population["source_id"][:]] == unit_names
    ids = population["source_id"][:] if numeric else np.array(unit_names, dtype=object)
    return {
        names.UNIT: np.arange(len(unit_names)),
        names.UNIT_ID: (names.UNIT, np.asarray(ids)),
        names.UNIT_ROW: (names.UNIT, np.asarray(population["source_row"][:], dtype=np.int64)),
    }


def _metrics(model: Any, attrs: dict[str, Any]) -> xr.Dataset:
    rows = model.metrics.to_dataframe()
    levels = rows[(rows["metric"] == "r2") & (rows["matryoshka_level"] >= 0)]
    whole = rows[rows["matryoshka_level"] < 0].set_index("metric")["value"]
    bins = model.parent[held_out_name(model.name)]
    variables: dict[str, Any] = {
        "r2": float(whole["r2"]),
        "level_r2": ("matryoshka_level", levels["value"].to_numpy()),
        "level_size": ("matryoshka_level", np.asarray(model.matryoshka_sizes[:], dtype=np.int64)),
        "unit_r2": (names.UNIT, np.asarray(model.input_population["test_r2"][:])),
        "unit_cosine": (names.UNIT, np.asarray(model.input_population["test_cosine"][:])),
    }
    for column, key in enumerate(HELD_OUT_BINS):
        variables[key] = (names.TIME, bins.data[:, column])
    for key in ("density", "dead", "always_on"):
        variables[key] = (names.LATENT, np.asarray(model.latents[f"test_{key}"][:]))
    coords = {names.TIME: bins.timestamps[:], names.LATENT: np.arange(int(model.num_latents))}
    return xr.Dataset(variables, coords=coords | _unit_coords(model), attrs=attrs)


def _attribution(model: Any, attrs: dict[str, Any]) -> xr.Dataset:
    variables: dict[str, Any] = {}
    for key in model.latents.colnames:
        if key not in _OWN_COLUMNS and not key.startswith("test_"):
            values = np.asarray(model.latents[key][:])
            variables[key] = (
                names.LATENT,
                values.astype(object) if values.dtype.kind in "OU" else values,
            )
    coords: dict[str, Any] = {
        names.LATENT: np.arange(int(model.num_latents)),
        names.LEVEL: (
            names.LATENT,
            np.asarray(model.latents["matryoshka_level"][:], dtype=np.int32),
        ),
    }
    coords |= _unit_coords(model)
    table = None if model.variables is None else model.variables.to_dataframe()
    for name, scores in model.latent_attributions.items():
        if scores.targets.table is model.input_population:
            variables[name] = ((names.LATENT, names.UNIT), scores.scores[:])
            if scores.p_values is not None:
                variables[f"{name}_p"] = ((names.LATENT, names.UNIT), scores.p_values[:])
            continue
        assert table is not None
        rows = table.iloc[np.asarray(scores.targets.data[:])]
        role = str(rows["role"].iloc[0])
        if role.startswith(TUNING):
            _add_tuning(variables, coords, name, scores.scores[:], rows)
        else:
            variables[name] = ((names.LATENT, role), scores.scores[:])
    if table is not None:
        _add_targets(variables, coords, table)
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def _add_tuning(
    variables: dict[str, Any], coords: dict[str, Any], name: str, scores: np.ndarray, rows: Any
) -> None:
    covariate = name.removeprefix(TRAIN_TUNING).removeprefix(TUNING)
    two = bool(np.isfinite(rows["centre_y"]).all())
    dims = tuning_dims(covariate, two=two)
    axes = [np.unique(rows[key]) for key in (("centre_y", "centre_x") if two else ("centre_x",))]
    shape = tuple(len(axis) for axis in axes)
    coords |= dict(zip(dims, axes, strict=True))
    variables[name] = ((names.LATENT, *dims), scores.reshape(-1, *shape))
    column, occupancy = (
        ("train_bins", "train_occupancy.")
        if name.startswith("train_")
        else ("test_bins", "occupancy.")
    )
    variables[f"{occupancy}{covariate}"] = (
        dims,
        rows[column].to_numpy().reshape(shape).astype(np.int64),
    )


def _add_targets(variables: dict[str, Any], coords: dict[str, Any], table: Any) -> None:
    of_role = {role: rows for role, rows in table.groupby("role", sort=False)}
    if names.COVARIATE in of_role:
        coords[names.COVARIATE] = of_role[names.COVARIATE]["variable"].to_numpy(dtype=object)
    if names.CONDITION in of_role:
        rows = of_role[names.CONDITION]
        coords["condition_variable"] = (names.CONDITION, rows["variable"].to_numpy(dtype=object))
        coords["condition_name"] = (names.CONDITION, rows["condition"].to_numpy(dtype=object))
        coords["condition_bins"] = (names.CONDITION, rows["test_bins"].to_numpy())
    if "candidate" in of_role:
        rows = of_role["candidate"]
        variables["candidate_variable"] = ("candidate", rows["variable"].to_numpy(dtype=object))
        variables["candidate_condition"] = ("candidate", rows["condition"].to_numpy(dtype=object))


def _source(model: Any) -> Source:
    row = model.sessions.to_dataframe().iloc[0]
    population = model.input_population
    uri = str(row["uri"])
    return Source(
        path=None,
        sha256=str(row["sha256"]),
        identifier=str(row["nwb_identifier"]),
        object_id=str(row["nwb_object_id"]),
        session_id=str(row["session_id"]),
        units_path=str(population.source_table_path),
        units_object_id=str(population.source_table_object_id),
        uri=uri if is_address(uri) else "",  # of a local file its name stands there
    )
