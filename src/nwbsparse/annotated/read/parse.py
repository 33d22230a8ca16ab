"""The extension's types in an NWB file → a result again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from ndx_sparse_latents import bin_times, to_dense
from nwbsparse import names
from nwbsparse.annotated.elements.embedding import embedding_in
from nwbsparse.annotated.elements.latents import is_own_column
from nwbsparse.annotated.elements.leftovers import restore
from nwbsparse.annotated.elements.populations import (
    digests_of_model,
    other_table,
    populations_of,
    reconstructed_by,
    recorded_in,
    source_of,
    units_in,
)
from nwbsparse.annotated.elements.recurrence import recurrence_in
from nwbsparse.annotated.read.checksums import check_manifest
from nwbsparse.annotated.stored import (
    OCCUPANCY,
    TRAIN_TUNING,
    TUNING,
    StoredResult,
    held_out_name,
    tuning_dims,
)
from nwbsparse.errors import BadInput, IntegrityError, NwbsparseError
from nwbsparse.io.nwb.contents import MODULE

_PARTS = {"gap": names.GAP} | {name: value for value, name in enumerate(names.SPLIT_NAMES)}


def find_model(nwbfile: Any, name: str | None, *, path: Path) -> Any:
    """The model of this name in a file; the only one when no name is given.

    Raises:
        BadInput: there is none, or several and no name was given.
    """
    module = nwbfile.processing.get(MODULE)
    found = {} if module is None else {
        key: thing
        for key, thing in module.data_interfaces.items()
        if is_model(thing)
    }  # fmt: skip
    if not found:
        raise BadInput(f"{path} holds no sparse latents; `nwbsparse run {path.name}` makes them")
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name not in found:
        said = "" if name is None else f"no result called '{name}'; "
        raise BadInput(f"{path}: {said}choose one of {', '.join(sorted(found))}")
    return found[name]


def is_model(thing: Any) -> bool:
    """Whether an object of a file is a model, whichever class it was read as."""
    return getattr(thing, "neurodata_type", type(thing).__name__) == "SparseLatentModel"


def parse_model(model: Any) -> StoredResult:
    """Everything that was stored about a model.

    Raises:
        IntegrityError: parts are missing, do not fit together, or changed since they were written.
    """
    with whole(model):
        check_manifest(model)
        environment = json.loads(model.environment)
        layouts = environment["parts"]
        tables = {key: model.parent[f"{model.name}_{key}"] for key in _tables_of(layouts)}
        named = {
            "latents": named_activations(model, 0, None, layouts["latents"]) | bins_of(model),
            "metrics": _metrics(model),
            "attribution": _attribution(model),
            names.STABILITY: recurrence_in(model),
        }
        datasets = {key: restore(said, named[key], tables) for key, said in layouts.items()}
        encoder = model.encoder_weights
        return StoredResult(
            name=model.name,
            words={**environment["coder"], "config": json.loads(model.hyperparameters)},
            tensors=bytes(np.asarray(model.parameters[:]).tobytes()),
            weights={
                "dictionary": model.decoder_weights[:].reshape(int(model.num_latents), -1),
                **({} if encoder is None else {"encoder_weight": encoder[:].T}),
            },
            source=source_of(model, recorded_in(model)),
            environment=environment["run"],
            target=other_table(model, environment.get("target")),
            embedding=embedding_in(model, datasets["latents"][names.TIME].values),
            digests=digests_of_model(model),
            latents=datasets["latents"],
            metrics=datasets["metrics"],
            attribution=datasets["attribution"],
            stability=datasets.get(names.STABILITY),
        )


@contextmanager
def whole(model: Any) -> Iterator[None]:
    """Say that a result is damaged, whatever goes wrong while it is read."""
    try:
        yield
    except (KeyError, AttributeError, TypeError, ValueError, IndexError, OSError) as error:
        if isinstance(error, NwbsparseError):
            raise
        raise IntegrityError(f"the result '{model.name}' is damaged: {error!r}") from error


def named_activations(
    model: Any, first: int, stop: int | None, layout: Mapping[str, Any]
) -> dict[str, Any]:
    """Activations of some neighbouring bins, and their times, in the form that a layout names."""
    series = activations_of(model)
    stop = n_bins_of(series) if stop is None else stop
    named: dict[str, Any] = {names.TIME: bin_times(series)[first:stop]}
    if names.ACTIVATION in layout["variables"]:
        return named | {names.ACTIVATION: to_dense(series, first, stop)}
    if getattr(series, "indptr", None) is None:
        table = csr_matrix(to_dense(series, first, stop))
        found = (table.data, table.indices, table.indptr)
    else:
        edges = np.asarray(series.indptr[first : stop + 1]).astype(np.int64)
        entries = slice(int(edges[0]), int(edges[-1]))
        found = (series.values[entries], series.indices[entries], edges - edges[0])
    return named | dict(zip((names.VALUE, names.LATENT_INDEX, names.INDPTR), found, strict=True))


def activations_of(model: Any) -> Any:
    """The series that holds the activations of a model, dense or sparse."""
    dense = model.latent_activation_series.get("activations")
    return dense if dense is not None else model.sparse_latent_activations["activations"]


def n_bins_of(series: Any) -> int:
    """How many bins a series of activations has."""
    sparse = getattr(series, "indptr", None) is not None
    return int(series.num_bins) if sparse else len(series.data)


def bins_of(model: Any) -> dict[str, Any]:
    """What belongs to every bin and every latent besides activations."""
    n_bins = np.asarray(model.splits["n_bins"][:])
    parts = np.array([_PARTS[str(part)] for part in model.splits["split"][:]], dtype=np.int8)
    return {
        names.SEGMENT: np.repeat(np.asarray(model.splits["segment"][:]), n_bins),
        names.SPLIT: np.repeat(parts, n_bins),
        names.LATENT: np.arange(int(model.num_latents)),
        names.LEVEL: np.asarray(model.latents["matryoshka_level"][:]),
    }


def _tables_of(layouts: Mapping[str, Any]) -> set[str]:
    said = (one for layout in layouts.values() for one in layout["variables"].values())
    return {one["table"] for one in said if "table" in one}


def _metrics(model: Any) -> dict[str, Any]:
    rows = model.metrics.to_dataframe()
    levels = rows[(rows["metric"] == "r2") & (rows["matryoshka_level"] >= 0)]
    alone = rows[rows["matryoshka_level"] < 0].set_index("metric")["value"]
    named: dict[str, Any] = {
        "level_r2": levels["value"].to_numpy(),
        names.LATENT: np.arange(int(model.num_latents)),
        **units_in(model),
    }
    if "r2" in alone:
        named["r2"] = alone["r2"]
    if model.matryoshka_sizes is not None:
        named["level_size"] = model.matryoshka_sizes[:]
    for table, prefix in ((reconstructed_by(model), "unit_"), (model.latents, "")):
        for column in table.colnames:
            if column.startswith("test_"):
                named[prefix + column.removeprefix("test_")] = table[column][:]
    if held_out_name(model.name) in model.parent.data_interfaces:
        bins = model.parent[held_out_name(model.name)]
        named[names.TIME] = bins.timestamps[:]
        for column, key in enumerate(bins.description.rpartition(": ")[2].split(", ")):
            named[key] = bins.data[:, column]
    return named


def _attribution(model: Any) -> dict[str, Any]:
    named: dict[str, Any] = {
        names.LATENT: np.arange(int(model.num_latents)),
        names.LEVEL: model.latents["matryoshka_level"][:],
        **units_in(model),
    }
    for key in model.latents.colnames:
        if is_own_column(key):
            named[key] = np.asarray(model.latents[key][:])
    table = None if model.variables is None else model.variables.to_dataframe()
    for name, scores in model.latent_attributions.items():
        if any(scores.targets.table is one for one in populations_of(model).values()):
            named[name] = scores.scores[:]
            if scores.p_values is not None:
                named[f"{name}_p"] = scores.p_values[:]
            continue
        assert table is not None
        rows = table.iloc[np.asarray(scores.targets.data[:])]
        named[name] = scores.scores[:]
        if str(rows["role"].iloc[0]).startswith(TUNING):
            named |= _tuning(name, rows)
    return named if table is None else named | _targets(table)


def _tuning(name: str, rows: Any) -> dict[str, Any]:
    covariate = name.removeprefix(TRAIN_TUNING).removeprefix(TUNING)
    two = bool(np.isfinite(rows["centre_y"]).all())
    axes = [np.unique(rows[key]) for key in (("centre_y", "centre_x") if two else ("centre_x",))]
    return {
        **dict(zip(tuning_dims(covariate, two=two), axes, strict=True)),
        **{
            f"{prefix}{covariate}": rows[column].to_numpy()
            for prefix, column in zip(OCCUPANCY, ("test_bins", "train_bins"), strict=True)
        },
    }


def _targets(table: Any) -> dict[str, Any]:
    of_role = {role: rows for role, rows in table.groupby("role", sort=False)}
    named: dict[str, Any] = {}
    if names.COVARIATE in of_role:
        named[names.COVARIATE] = of_role[names.COVARIATE]["variable"].to_numpy()
    if names.CONDITION in of_role:
        rows = of_role[names.CONDITION]
        named["condition_variable"] = rows["variable"].to_numpy()
        named["condition_name"] = rows["condition"].to_numpy()
        named["condition_bins"] = rows["test_bins"].to_numpy()
    if "candidate" in of_role:
        rows = of_role["candidate"]
        named["candidate_variable"] = rows["variable"].to_numpy()
        named["candidate_condition"] = rows["condition"].to_numpy()
    return named
