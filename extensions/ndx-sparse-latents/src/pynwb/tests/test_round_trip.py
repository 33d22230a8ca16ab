"""What is written is what is read, and it is valid."""

import h5py
import numpy as np
import pytest
from hdmf.common import DynamicTable, DynamicTableRegion, VectorData, VectorIndex
from hdmf.container import AbstractContainer
from nwbinspector import Importance, inspect_nwbfile, load_config
from pynwb import NWBHDF5IO, TimeSeries, validate

import ndx_sparse_latents
from ndx_sparse_latents import LatentsTable, check_source
from ndx_sparse_latents.testing import (
    mock_NWBFile,
    mock_PopulationTable,
    mock_SparseLatentModel,
)

ARRAYS = (
    "matryoshka_sizes decoder_weights decoder_bias encoder_weights encoder_bias pre_bias threshold "
    "parameters"
).split()
TABLES = (
    "input_population output_population explained_population latents variables metrics candidates "
    "sessions splits"
).split()

ADDED = {
    "model": "smoothing mask sign seeds replicates stability_method chance_match".split(),
    "latents": (
        "recurrence again hidden_gain r r_low r_high r_null_mean q status confirmed".split()
    ),
    "population": "group hidden_unit_r2 activity_sha256".split(),
    "attribution": ["low", "high"],
}


def assert_same(read, made):
    """Compare everything hdmf knows about two objects, down to dtypes and table cells."""
    assert type(read) is type(made)
    assert read.name == made.name
    if isinstance(made, DynamicTable):
        assert read.colnames == made.colnames
        for name in made.colnames:
            for row in range(len(made)):
                one, other = read.get((row, name)), made.get((row, name))
                if hasattr(other, "to_csv"):  # a region gives the rows it refers to
                    one, other = list(one.index), list(other.index)
                np.testing.assert_array_equal(one, other, err_msg=name)
        return
    if isinstance(made, DynamicTableRegion):
        assert read.table.name == made.table.name
        assert read.table.parent.name == made.table.parent.name
        np.testing.assert_array_equal(read.data[:], made.data[:])
        return
    for field, value in made.fields.items():
        other = read.fields.get(field)
        if isinstance(value, AbstractContainer):
            assert_same(other, value)
        elif isinstance(value, dict):
            assert set(other) == set(value)
            for key in value:
                assert_same(other[key], value[key])
        elif isinstance(value, np.ndarray):
            assert other.dtype == value.dtype, field
            np.testing.assert_array_equal(other[:], value, err_msg=field)
        else:
            assert other == value, field


def test_a_full_model_comes_back_unchanged(models):
    made = mock_SparseLatentModel()
    read = models["sae"]
    for field in (*ARRAYS, *TABLES, "embedding", "environment", "model_card", "seed"):
        assert made.fields[field] is not None, field
    assert_same(read, made)
    assert read.seed == 2**40


def test_what_0_2_0_added_comes_back(models):
    model = models["sae"]
    assert (model.smoothing, model.mask, model.sign) == (0.1, 0.25, "nonnegative")
    assert (model.seeds, model.replicates, model.chance_match) == (10, 2, 0.6)
    assert model.stability_method == "mock comparison"
    latents = model.latents.to_dataframe()
    assert latents["recurrence"][0] == 0.75 and list(latents["confirmed"][:2]) == [False, True]
    assert latents["status"][1] == "confirmed"
    units = model.input_population.to_dataframe()
    assert list(units["group"]) == [0, 0, 1, 1, 2, 2]
    assert list(units["activity_sha256"][:2]) == ["0" * 64, "0" * 63 + "1"]
    candidates = model.candidates.to_dataframe()
    assert list(candidates["chosen"]) == [False, True]
    scores = model.latent_attributions["units"]
    assert (scores.low[:] < scores.scores[:]).all() and (scores.high[:] > scores.scores[:]).all()


def test_a_file_without_what_0_2_0_added_is_valid_and_read(written, tmp_path):
    """As 0.1.0 wrote it: everything that came later is optional."""
    older = tmp_path / "older.nwb"
    older.write_bytes(written.read_bytes())
    with h5py.File(older, "a") as file:
        model = file["processing/sparse_latents/sae"]
        for name in ADDED["model"]:
            del model.attrs[name]
        del model["candidates"]
        for table, columns in (("latents", "latents"), ("input_population", "population")):
            kept = [one for one in model[table].attrs["colnames"] if one not in ADDED[columns]]
            for name in ADDED[columns]:
                del model[f"{table}/{name}"]
            model[table].attrs["colnames"] = kept
        for name in ADDED["attribution"]:
            del model[f"units/{name}"]
    assert validate(path=str(older), use_cached_namespaces=False) == []
    with NWBHDF5IO(older, "r") as io:
        model = io.read().processing["sparse_latents"]["sae"]
        assert model.candidates is None and model.stability_method is None
        assert "recurrence" not in model.latents.colnames
        assert model.latent_attributions["units"].low is None


def test_embedding_and_activations_are_not_mixed_up(models):
    model = models["sae"]
    assert type(model.embedding) is TimeSeries
    assert list(model.latent_activation_series) == ["dense"]
    assert set(model.sparse_latent_activations) == {"sparse", "with_gaps"}
    assert set(model.latent_attributions) == {"units", "behavior"}


def test_a_model_of_an_embedding_refers_to_its_own_series_and_to_the_units(tmp_path):
    file = mock_NWBFile()
    model = mock_SparseLatentModel(file=file, embedding=True)
    with NWBHDF5IO(tmp_path / "embedding.nwb", "w") as io:
        io.write(file)
    assert validate(path=str(tmp_path / "embedding.nwb")) == []
    with NWBHDF5IO(tmp_path / "embedding.nwb", "r") as io:
        read = io.read().processing["sparse_latents"]["sae"]
        assert_same(read.embedding, model.embedding)
        dims, units = read.input_population, read.explained_population
        assert dims.source_series is read.embedding and len(dims) == 3
        assert dims.source_table is None and units.source_table.name == "units"
        assert check_source(dims) == check_source(units) == []
        assert read.decoder_weights.shape == (8, 3)
        assert read.latents["top_units"].target.table is units
        assert read.latent_attributions["units"].targets.table is units
        assert read.output_population is None


def test_two_models_in_one_file(models):
    full, minimal = models["sae"], models["minimal"]
    assert minimal.decoder_weights.shape == (8, 3, 6)
    assert minimal.embedding is None
    assert minimal.explained_population is None
    assert minimal.splits is None
    assert not minimal.latent_activation_series
    assert full.latents.object_id != minimal.latents.object_id
    assert full.input_population.source_table is minimal.input_population.source_table


def test_top_units_are_ragged_and_lead_to_the_population(models):
    latents = models["sae"].latents
    assert [len(units) for units in latents["top_units"][:4]] == [1, 2, 3, 1]
    assert [len(weights) for weights in latents["top_unit_weights"][:4]] == [1, 2, 3, 1]
    assert list(latents["top_units"][2]["unit_name"]) == ["unit 0", "unit 1", "unit 2"]
    assert latents["top_units"].target.table is models["sae"].input_population


def test_regions_stay_inside_their_model(models):
    model = models["sae"]
    assert model.sparse_latent_activations["sparse"].latents.table is model.latents
    assert model.latent_attributions["units"].targets.table is model.input_population
    assert model.latent_attributions["behavior"].targets.table is model.variables


def test_dtypes_on_disk(written):
    with h5py.File(written) as file:
        model = file["processing/sparse_latents/sae"]
        assert model["sparse/indices"].dtype == np.uint16
        assert model["sparse/indptr"].dtype == np.uint64
        assert model["sparse/values"].dtype == np.float32
        assert model["dense/data"].dtype == np.float32
        assert model["input_population/source_row"].dtype == np.int32
        assert model["input_population/source_id"].dtype == np.int64


def test_indices_may_be_wider(tmp_path):
    file = mock_NWBFile()
    model = mock_SparseLatentModel(file=file)
    model.sparse_latent_activations["sparse"].fields["indices"] = model.sparse_latent_activations[
        "sparse"
    ].indices.astype(np.uint32)
    with NWBHDF5IO(tmp_path / "wide.nwb", "w") as io:
        io.write(file)
    with h5py.File(tmp_path / "wide.nwb") as opened:
        assert opened["processing/sparse_latents/sae/sparse/indices"].dtype == np.uint32
    assert validate(path=str(tmp_path / "wide.nwb")) == []


@pytest.mark.parametrize("cached", [True, False])
def test_written_file_is_valid(written, cached):
    assert validate(path=str(written), use_cached_namespaces=cached) == []


@pytest.mark.parametrize(
    "path", ["latents/density", "sparse/indptr", "units/targets", "decoder_weights"]
)
def test_validation_notices_a_missing_part(written, tmp_path, path):
    broken = tmp_path / "broken.nwb"
    broken.write_bytes(written.read_bytes())
    with h5py.File(broken, "a") as file:
        del file[f"processing/sparse_latents/sae/{path}"]
    assert [str(error) for error in validate(path=str(broken))]


def test_inspector_finds_nothing_in_our_types(written):
    found = inspect_nwbfile(nwbfile_path=written, config=load_config("dandi"))
    # One source session is one row, and that is as it should be.
    messages = [message for message in found if message.check_function_name != "check_single_row"]
    grave = {Importance.ERROR, Importance.PYNWB_VALIDATION, Importance.CRITICAL}
    assert [str(m) for m in messages if m.importance in grave] == []
    ours = [name for name in ndx_sparse_latents.__all__ if name[0].isupper()]
    assert [str(m) for m in messages if m.object_type in ours] == []


def test_tables_can_be_built_from_whole_columns(tmp_path):
    zeros = np.zeros(2, dtype=np.float32)
    population = mock_PopulationTable()
    units = DynamicTableRegion(
        name="top_units", description="x", data=np.array([0, 1, 2], np.int32), table=population
    )
    weights = VectorData(
        name="top_unit_weights", description="x", data=np.array([0.3, 0.2, 0.1], np.float32)
    )
    ends = np.array([1, 3], dtype=np.uint32)
    # add_column cannot: it has the required columns already, and compares an array of ends with a
    # truth value for the ragged ones.
    latents = LatentsTable(
        description="made from arrays",
        columns=[
            VectorData(name="is_dead", description="x", data=np.array([False, True])),
            VectorData(name="density", description="x", data=zeros),
            VectorData(name="mean_activation", description="x", data=zeros),
            VectorIndex(name="top_units_index", target=units, data=ends),
            units,
            VectorIndex(name="top_unit_weights_index", target=weights, data=ends),
            weights,
        ],
    )
    latents.add_column("my_note", "a column of the user's own", data=["a", "b"])
    file = mock_NWBFile()
    file.create_processing_module("sparse_latents", "x", [population, latents])
    with NWBHDF5IO(tmp_path / "arrays.nwb", "w") as io:
        io.write(file)
    assert validate(path=str(tmp_path / "arrays.nwb")) == []
    with h5py.File(tmp_path / "arrays.nwb") as opened:
        table = opened["processing/sparse_latents/latents"]
        assert table["is_dead"].dtype == bool
        assert table["top_unit_weights"].dtype == np.float32
    with NWBHDF5IO(tmp_path / "arrays.nwb", "r") as io:
        frame = io.read().processing["sparse_latents"]["latents"].to_dataframe()
        assert list(frame["my_note"]) == ["a", "b"]
        assert list(frame["top_units"][1]["unit_name"]) == ["unit 1", "unit 2"]
