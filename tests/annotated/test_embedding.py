"""Results of a coder of an embedding in a file: everything comes back, and anyone can read it."""

import shutil
from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray as xr
from pynwb import NWBHDF5IO, validate

import nwbsparse as ns
from make.configs import plain_config
from make.embedded_recordings import N_DIMS, QUICK, embedded, projected
from make.recordings import circle, laps, write_recording
from ndx_sparse_latents import check_source
from nwbsparse.errors import BadInput, IntegrityError

PARTS = ("latents", "metrics", "attribution")
GAPS = [[[0, 40], [45, 100]]] * 4


def results_of(path, **options):
    data = embedded(path, parameters={"seed": 0})
    config = plain_config(reads="embedding", **(QUICK | options))
    coder = ns.fit(data, config)
    latents = ns.encode(coder, data)
    return ns.Results(
        ns.read(path),
        coder,
        latents,
        ns.evaluate(coder, data, detail="all"),
        ns.explain(coder, data, latents),
        embedding=data["embedding"],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("embedding")


@pytest.fixture(scope="module")
def source(folder):
    return write_recording(
        folder / "rat.nwb",
        position=circle(),
        trials=laps(),
        unit_ids=[70, 3, 1000, -2],
        obs_intervals=GAPS,
        subject={"subject_id": "A", "species": "Rattus norvegicus", "sex": "M", "age": "P90D"},
    )


@pytest.fixture(scope="module")
def results(source):
    return results_of(source)


@pytest.fixture(scope="module")
def annotated(results, folder):
    return ns.write(results, folder / "annotated.nwb")


@pytest.fixture
def model(annotated):
    with NWBHDF5IO(annotated, "r") as io:
        yield io.read().processing["sparse_latents"]["latents"]


def same(results, again):
    for part in PARTS:
        xr.testing.assert_allclose(getattr(again, part), getattr(results, part), rtol=1e-6)
        assert getattr(again, part).attrs == getattr(results, part).attrs
    assert again.coder.id == results.coder.id and again.config == results.config
    assert again.embedding.dims == ("time", "dim")
    np.testing.assert_array_equal(again.embedding, results.embedding)
    np.testing.assert_allclose(again.embedding["time"], results.embedding["time"], atol=1e-7)
    assert again.embedding.attrs == {"method": "projection", "parameters": '{"seed": 0}'}


@pytest.mark.parametrize("mode", ["derived", "link", "in_place", "zarr"])
def test_everything_comes_back_and_encodes_from_the_file_alone(results, source, folder, mode):
    to = folder / f"as_{mode}.nwb"
    if mode == "zarr":
        pytest.importorskip("hdmf_zarr", reason="hdmf-zarr writes the Zarr store")
        to = folder / "as_zarr.nwb.zarr"
    if mode == "in_place":
        shutil.copyfile(source, to)
        results = replace(results, session=ns.read(to))
    path = ns.write(results, to, mode)
    again = ns.open_results(path)
    same(results, again)
    there = ns.revisit(path)
    encoded = ns.encode(again.coder, there.binned)
    np.testing.assert_array_equal(encoded["activation"], results.latents["activation"])


@pytest.mark.slow
def test_several_kinds_of_coders_come_back(source, folder):
    for number, options in enumerate(
        (
            {"levels": ("8:1", "16:2")},
            {"n_latents": 300, "k": 4},
            {"encoder": "window", "window": 3},
        )
    ):
        results = results_of(source, **options)
        same(results, ns.open_results(ns.write(results, folder / f"kind{number}.nwb")))


def test_the_series_and_the_dims_stand_in_the_model(model, results):
    series = model.embedding
    assert type(series).__name__ == "TimeSeries" and series.data.shape[1] == N_DIMS
    assert series.data.dtype == np.float32
    assert "projection" in series.description
    assert series.comments == '{"method": "projection", "parameters": {"seed": 0}}'
    dims = model.input_population
    assert list(dims["unit_name"][:]) == [f"dim {dim}" for dim in range(N_DIMS)]
    assert list(dims["source_row"][:]) == list(dims["source_id"][:]) == list(range(N_DIMS))
    assert dims.source_series is series and dims.source_series_object_id == series.object_id
    assert dims.source_table is None
    np.testing.assert_allclose(dims["offset"][:], results.coder.offset, rtol=1e-6)
    np.testing.assert_allclose(dims["test_r2"][:], results.metrics["unit_r2"])
    assert check_source(dims) == []


def test_the_units_stand_in_a_population_of_their_own(model, results):
    units = model.explained_population
    assert list(units["source_id"][:]) == [70, 3, 1000, -2]
    assert units.source_table.name == "units"
    assert check_source(units) == []
    assert model.output_population is None
    for name, table in (("weight", model.input_population), ("correlation", units), ("z", units)):
        assert model.latent_attributions[name].targets.table is table, name
    top = model.latents["top_units"]
    assert top.target.table is units
    weights = model.latents["top_unit_weights"]
    z = results.attribution["z"].values
    for latent in range(results.coder.n_latents):
        rows = list(top[latent]["source_row"]) if len(top[latent]) else []
        known = np.isfinite(z[latent])
        assert len(rows) == known.sum()
        np.testing.assert_allclose(weights[latent], z[latent, rows], rtol=1e-6)
        assert list(weights[latent]) == sorted(weights[latent], reverse=True)


@pytest.mark.slow
def test_the_file_is_valid_and_a_bundle_of_it_holds_the_same(annotated, results, tmp_path):
    assert validate(path=str(annotated)) == []
    report = ns.validate(annotated)
    assert report.exit_code == 0
    bundle = ns.bundle(annotated, tmp_path)
    path = bundle if isinstance(bundle, type(tmp_path)) else bundle.path
    again = ns.open_results(path)
    np.testing.assert_array_equal(again.embedding, results.embedding)
    assert path.name.endswith("_ecephys.nwb")


def test_one_changed_value_of_the_embedding_is_found(annotated, tmp_path):
    damaged = shutil.copyfile(annotated, tmp_path / "damaged.nwb")
    with h5py.File(damaged, "r+") as file:
        file["processing/sparse_latents/latents/embedding/data"][17, 2] += 1
    with pytest.raises(IntegrityError, match="embedding/data changed"):
        ns.open_results(damaged)
    assert ns.validate(damaged).exit_code == 5


def test_a_label_leaves_the_embedding_where_it_is(annotated, results, tmp_path):
    labelled = shutil.copyfile(annotated, tmp_path / "labelled.nwb")
    ns.label(labelled, 3, name="a name")
    again = ns.open_results(labelled)
    assert str(again.attribution["label"].values[3]) == "a name"
    np.testing.assert_array_equal(again.embedding, results.embedding)


def test_results_without_their_embedding_are_refused(results, tmp_path):
    for wrong in (None, results.embedding[:-1], results.embedding[:, :2]):
        with pytest.raises(BadInput, match=r"5 dims, and .*; give Results\(…, embedding="):
            ns.write(replace(results, embedding=wrong), tmp_path / "a.nwb")
    assert list(tmp_path.iterdir()) == []


def test_an_embedding_with_holes_in_gaps_comes_back(source, tmp_path):
    binned = ns.split(ns.to_bins(ns.read(source), 0.1))
    values = projected(binned)
    values[binned["split"].values == -1] = np.nan
    data = ns.with_embedding(binned, values, method="projection", parameters={"seed": 0})
    coder = ns.fit(data, plain_config(reads="embedding", **QUICK))
    latents = ns.encode(coder, data)
    metrics, attribution = ns.evaluate(coder, data), ns.explain(coder, data, latents)
    results = ns.Results(
        ns.read(source), coder, latents, metrics, attribution, embedding=data["embedding"]
    )
    path = ns.write(results, tmp_path / "holes.nwb")
    same(results, ns.open_results(path))
    assert np.isnan(ns.revisit(path).binned["embedding"]).any()


@pytest.mark.slow
def test_two_results_of_one_recording_one_of_an_embedding(source, annotated, tmp_path):
    both = shutil.copyfile(annotated, tmp_path / "both.nwb")
    session = ns.read(both)
    data = ns.split(ns.to_bins(session, 0.1))
    coder = ns.fit(data, plain_config(name="plain", n_latents=16, k=2, **QUICK))
    latents = ns.encode(coder, data)
    plain = ns.Results(session, coder, latents, ns.evaluate(coder, data), ns.explain(coder, data))
    ns.write(plain, both, "in_place")
    assert ns.open_results(both, result="plain").embedding is None
    assert ns.open_results(both, result="latents").embedding is not None
