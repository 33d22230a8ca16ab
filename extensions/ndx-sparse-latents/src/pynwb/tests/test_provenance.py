"""A population notices that it points at something else than it was made from."""

import pytest
from pynwb import NWBHDF5IO

from ndx_sparse_latents import PopulationTable, check_source
from ndx_sparse_latents.testing import mock_NWBFile, mock_PopulationTable, mock_SparseLatentModel


@pytest.fixture
def file():
    return mock_NWBFile()


def test_intact_link(file, models):
    assert check_source(mock_PopulationTable(source_table=file.units)) == []
    assert check_source(models["sae"].input_population) == []


def test_another_object_behind_the_link(file):
    table = mock_PopulationTable(source_table=mock_NWBFile().units)
    table.fields["source_table"] = file.units
    problems = check_source(table)
    assert len(problems) == 2  # the table's id and its file's id; the identifiers are the same
    assert file.units.object_id in problems[0]
    assert file.object_id in problems[1]


def test_rows_changed_since(file):
    table = mock_PopulationTable(source_table=file.units)
    table["source_id"].data[0] = 99
    assert "1 of 6 ids differ" in check_source(table)[0]
    table["source_row"].data[0] = 6
    assert "outside" in check_source(table)[0]


def test_an_id_without_a_link_is_looked_up_in_the_same_file(file):
    model = mock_SparseLatentModel(file=file, optional=False)
    model.input_population.fields.pop("source_table")
    assert check_source(model.input_population) == []


def test_nothing_to_compare_with():
    table = PopulationTable(
        name="input_population", description="x", source_table_object_id="somewhere else"
    )
    table.add_row(source_row=0, source_id=0)
    assert "was not checked" in check_source(table)[0]


def test_a_link_without_an_id(file):
    table = PopulationTable(name="input_population", description="x", source_table=file.units)
    table.add_row(source_row=0, source_id=0)
    assert "no object id" in check_source(table)[0]


def test_nothing_recorded():
    assert check_source(mock_PopulationTable()) == []


def test_external_link_that_finds_a_wrong_file_of_the_same_name(tmp_path):
    source_path, result_path = tmp_path / "source.nwb", tmp_path / "result.nwb"
    with NWBHDF5IO(source_path, "w") as io:
        io.write(mock_NWBFile())
    with NWBHDF5IO(source_path, "r") as source:
        result = mock_NWBFile(num_units=0)
        module = result.create_processing_module("sparse_latents", "models")
        module.add(mock_PopulationTable(source_table=source.read().units))
        with NWBHDF5IO(result_path, "w", manager=source.manager) as io:
            io.write(result)
    with NWBHDF5IO(result_path, "r") as io:
        table = io.read().processing["sparse_latents"]["input_population"]
        assert check_source(table) == []
    with NWBHDF5IO(source_path, "w") as io:
        io.write(mock_NWBFile())
    with NWBHDF5IO(result_path, "r") as io:
        table = io.read().processing["sparse_latents"]["input_population"]
        assert "another file of the same name" in check_source(table)[0]
