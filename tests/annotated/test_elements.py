"""Every element of a file: what it says it has placed is what it gives back."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from pynwb import NWBFile
from safetensors.numpy import load

from make.recordings import START, laps, write_recording
from make.results import made_results
from nwbsparse import names
from nwbsparse.annotated.elements.activations import activations, activations_in
from nwbsparse.annotated.elements.build import build_model
from nwbsparse.annotated.elements.embedding import embedding_in
from nwbsparse.annotated.elements.held_out_bins import held_out_bins, held_out_bins_in
from nwbsparse.annotated.elements.latents import latents_in, latents_table
from nwbsparse.annotated.elements.leftovers import restore, tables_of
from nwbsparse.annotated.elements.metrics import metrics_in, metrics_table
from nwbsparse.annotated.elements.placed import Placed, numbered, there, together
from nwbsparse.annotated.elements.populations import (
    digests_of_model,
    population_tables,
    populations_in,
)
from nwbsparse.annotated.elements.recurrence import recurrence_columns, recurrence_in
from nwbsparse.annotated.elements.scores import scores, scores_in
from nwbsparse.annotated.elements.sessions import source_in, target_in
from nwbsparse.annotated.elements.splits import splits_in, splits_table
from nwbsparse.annotated.elements.storage import plain
from nwbsparse.annotated.elements.variables import variables_in, variables_table
from nwbsparse.annotated.elements.weights import tensors_in, weights_in
from nwbsparse.annotated.read.opened import opened_model
from nwbsparse.annotated.read.parse import parse_model
from nwbsparse.annotated.record import read_record
from nwbsparse.results.results import write


def built(stored, *, dense):
    """The model of a result in an NWBFile that is in no file."""
    nwbfile = NWBFile("fresh", "fresh", START)
    made = build_model(stored, nwbfile, pack=plain, dense=dense)
    nwbfile.create_processing_module("sparse_latents", "fresh").add(made)
    return made[0]


def rich(attribution):
    """Everything that latents can be compared with, and tuning curves in one and two dims."""
    latent, rng = names.LATENT, np.random.default_rng(0)
    n = attribution.sizes[latent]
    place = (latent, "place_y", "place_x")
    return attribution.assign(
        {
            "r": ((latent, names.COVARIATE), rng.uniform(size=(n, 2)).astype(np.float32)),
            "auroc": ((latent, names.CONDITION), rng.uniform(size=(n, 2)).astype(np.float32)),
            "association_r": ((latent, "candidate"), rng.uniform(size=(n, 3)).astype(np.float32)),
            "condition_variable": (names.CONDITION, np.array(["side", "side"], dtype=object)),
            "condition_name": (names.CONDITION, np.array(["left", "right"], dtype=object)),
            "condition_bins": (names.CONDITION, np.array([30, 40])),
            "candidate_variable": ("candidate", np.array(["speed", "side", "side"], dtype=object)),
            "candidate_condition": ("candidate", np.array(["", "left", "right"], dtype=object)),
            "tuning.speed": ((latent, "speed_bin"), rng.uniform(size=(n, 4)).astype(np.float32)),
            "occupancy.speed": ("speed_bin", np.arange(4)),
            "train_occupancy.speed": ("speed_bin", np.arange(4) + 9),
            "tuning.place": (place, rng.uniform(size=(n, 2, 3)).astype(np.float32)),
            "occupancy.place": (place[1:], np.arange(6).reshape(2, 3)),
            "train_occupancy.place": (place[1:], np.arange(6).reshape(2, 3) + 9),
        }
    ).assign_coords(
        {
            names.COVARIATE: ["speed", "heading"],
            "speed_bin": [0.5, 1.5, 2.5, 3.5],
            "place_y": [0.25, 0.75],
            "place_x": [1.0, 2.0, 3.0],
        }
    )


TRIED = [
    {
        "smoothing": sigma, "n_latents": 16, "k": 3, "penalty_weight": 0.0, "score": 0.1 + sigma,
        "standard_error": 0.02, "chosen": sigma == 0.1,
    }
    for sigma in (0.0, 0.1)
]  # fmt: skip


@pytest.fixture(scope="module", params=[True, False], ids=["dense", "sparse"])
def made(request, tmp_path_factory):
    """stored: a result; model: the same in an NWBFile in memory."""
    folder = tmp_path_factory.mktemp("elements")
    source = write_recording(folder / "source.nwb", trials=laps())
    path = write(made_results(source), folder / "a.nwb")
    with opened_model(path, None) as model:
        stored = parse_model(model)
    stability = xr.Dataset(
        {
            "recurrence": (names.LATENT, np.linspace(0, 1, stored.latents.sizes[names.LATENT])),
            "again": (names.LATENT, np.linspace(1, 0, stored.latents.sizes[names.LATENT])),
        },
        coords={names.LATENT: stored.latents[names.LATENT].values},
        attrs={names.CODER_ID: stored.words["id"], "n_seeds": 3, "n_replicates": 2},
    )
    metrics = stored.metrics.assign(
        hidden_gain=stability["again"] / 100,
        unit_hidden_r2=stored.metrics["unit_r2"] / 10,
    ).assign_coords(group=(names.UNIT, np.arange(stored.metrics.sizes[names.UNIT]) // 2))
    words = stored.words["config"] | {"smoothing": 0.1, "mask": 0.25, "sign": "nonnegative"}
    stored = replace(
        stored,
        words=stored.words | {"config": words, "learned": {"candidates": TRIED}},
        metrics=metrics,
        weights=load(stored.tensors),
        attribution=rich(stored.attribution),
        stability=stability,
    )
    return SimpleNamespace(stored=stored, model=built(stored, dense=request.param))


def tables(made):
    populations, placed = population_tables(made.stored, SimpleNamespace(objects={}))
    latents, _ = latents_table(made.stored, populations[names.UNIT])
    variables, rows, _ = variables_table(made.stored.attribution)
    return populations, placed, latents, variables, rows


def of_scores(made):
    populations, _, latents, variables, rows = tables(made)
    return scores(made.stored.attribution, latents, populations, variables, rows, plain)[1]


def of_activations(made):
    return activations(made.stored.latents, tables(made)[2], plain, dense=True)[1]


ELEMENTS = {
    "activations": (
        of_activations,
        lambda m, s: {names.LATENTS: activations_in(m, s.latents.variables)},
    ),
    "splits": (
        lambda made: splits_table(made.stored.latents)[1],
        lambda m, s: {names.LATENTS: splits_in(m)},
    ),
    "latents": (
        lambda made: latents_table(made.stored, tables(made)[0][names.UNIT])[1],
        lambda m, s: latents_in(m),
    ),
    "metrics": (
        lambda made: metrics_table(made.stored.metrics)[2],
        lambda m, s: {names.METRICS: metrics_in(m)},
    ),
    "held-out bins": (
        lambda made: held_out_bins(made.stored, plain)[1],
        lambda m, s: {names.METRICS: held_out_bins_in(m)},
    ),
    "populations": (lambda made: tables(made)[1], lambda m, s: populations_in(m)),
    "variables": (
        lambda made: variables_table(made.stored.attribution)[2],
        lambda m, s: {names.ATTRIBUTION: variables_in(m)},
    ),
    "scores": (of_scores, lambda m, s: {names.ATTRIBUTION: scores_in(m)}),
    "recurrence": (
        lambda made: recurrence_columns(made.stored)[1],
        lambda m, s: {names.STABILITY: recurrence_in(m)},
    ),
}
LEAST = {
    "activations": {names.TIME, names.ACTIVATION},
    "splits": {names.SEGMENT, names.SPLIT},
    "latents": {
        names.LATENT, names.LEVEL, "density", "dead", "best_variable", "recurrence", "again", "hidden_gain",
    },
    "metrics": {"r2", "level_r2", "level_size"},
    "held-out bins": {names.TIME, "l0", "bin_cosine"},
    "populations": {
        names.UNIT, names.UNIT_ID, names.UNIT_ROW, "unit_r2", "unit_cosine",
        "unit_hidden_r2", "group",
    },
    "variables": {
        names.COVARIATE, "condition_name", "candidate_condition", "occupancy.place", "place_x",
        "speed_bin",
    },
    "scores": {"weight", "z", "r", "auroc", "association_r", "tuning.speed", "tuning.place"},
    "recurrence": {"recurrence", "again"},
}  # fmt: skip


def same(given, held):
    held = np.asarray(held).reshape(given.shape)
    if given.dtype.kind in "OU":
        return list(map(str, held.flat)) == list(map(str, given.flat))
    return np.allclose(held.astype(float), given.astype(float), rtol=2e-7, equal_nan=True)


@pytest.mark.parametrize("element", ELEMENTS)
def test_what_an_element_has_placed_comes_back(made, element):
    placed_by, read = ELEMENTS[element]
    placed, found = placed_by(made), together(read(made.model, made.stored))
    names_of_all = set()
    for part, dataset in made.stored.parts.items():
        for name in placed.of(part):
            assert same(dataset[name].values, found[part][name]), (part, name)
            names_of_all.add(name)
    assert names_of_all >= LEAST[element]


def test_how_it_was_chosen_stands_in_types_that_other_readers_know(made):
    model = made.model
    tried = model.candidates.to_dataframe()
    assert list(tried["num_latents"]) == [16, 16] and list(tried["chosen"]) == [False, True]
    np.testing.assert_allclose(tried["score"], [0.1, 0.2])
    assert (model.smoothing, model.mask, model.sign) == (0.1, 0.25, "nonnegative")
    assert (model.seeds, model.replicates) == (3, 2)
    assert read_record(model).words["learned"]["candidates"] == TRIED


def test_weights_and_source_come_back(made):
    stored, model = made.stored, made.model
    assert tensors_in(model) == stored.tensors
    for name, values in weights_in(model).items():
        np.testing.assert_array_equal(values.ravel(), stored.weights[name].ravel(), err_msg=name)
    assert source_in(model) == replace(stored.source, path=None)
    assert target_in(model, None) is None
    assert digests_of_model(model) == stored.digests and stored.digests


def test_what_nothing_has_a_place_for_comes_back(made):
    record = read_record(made.model)
    held = {key: made.model.parent[f"latents_{key}"] for key in tables_of(record.parts)}
    kept = {
        part: {
            key: said for key, said in layout["variables"].items() if {"column", "value"} & {*said}
        }
        for part, layout in record.parts.items()
    }
    assert {"spectrum", "median"} <= set(kept[names.METRICS])
    assert "of_lags" in kept[names.ATTRIBUTION] and names.TRIAL in kept[names.LATENTS]
    for part, variables in kept.items():
        again = restore({"attrs": {}, "variables": variables}, {}, held)
        for name in variables:
            assert same(made.stored.parts[part][name].values, again[name].values), (part, name)


def test_an_embedding_comes_back(made):
    latents = made.stored.latents
    values = np.random.default_rng(0).normal(size=(latents.sizes[names.TIME], 3))
    dims = {names.TIME: latents[names.TIME].values, names.DIM: np.arange(3)}
    attrs = {names.METHOD: "pca", names.PARAMETERS: '{"n": 3}'}
    embedding = xr.DataArray(
        values.astype(np.float32), dims=tuple(dims), coords=dims, attrs=attrs, name=names.EMBEDDING
    )
    from nwbsparse.annotated.elements.embedding import embedding_series

    series = embedding_series(replace(made.stored, embedding=embedding), plain)
    again = embedding_in(SimpleNamespace(embedding=series), dims[names.TIME])
    xr.testing.assert_identical(again, embedding)


def test_levels_of_their_own_in_an_attribution_are_kept(made):
    other = made.stored.attribution[names.LEVEL] + 1
    stored = replace(made.stored, attribution=made.stored.attribution.assign_coords(level=other))
    _, placed = latents_table(stored, tables(made)[0][names.UNIT])
    assert names.LEVEL in placed.latents and names.LEVEL not in placed.attribution


def test_what_is_placed_adds_up():
    one = Placed(latents=frozenset("a")) + Placed(latents=frozenset("b"), metrics=frozenset("c"))
    assert one == Placed(latents=frozenset("ab"), metrics=frozenset("c"))
    assert one.of("latents") == {"a", "b"} and not one.of("stability")
    dataset = xr.Dataset({"x": ("n", [1, 2])}, coords={"n": [0, 1], "m": ("n", [5, 6])})
    assert there(dataset, "x", "y", "m") == {"x", "m"} and not there(None, "x")
    assert numbered(dataset, "n") == {"n"} and not numbered(dataset, "m")
