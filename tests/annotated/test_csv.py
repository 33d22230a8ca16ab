"""Datasets as CSV: every variable once, beside the names of what it is about."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.results.csv import tables, write_csv


@pytest.fixture
def dataset():
    return xr.Dataset(
        {
            "r2": 0.25,
            "density": ("latent", [0.1, np.nan]),
            "label": ("latent", np.array(["speed > 1, fast", ""], dtype=object)),
            "weight": (("latent", "unit"), np.arange(6.0).reshape(2, 3)),
            "best": ("condition", [1, 2]),
        },
        coords={
            "latent": [0, 1],
            "unit": [0, 1, 2],
            "unit_id": ("unit", ["a", "b", "c"]),
            "alone": 3,
        },
    )


def test_variables_of_the_same_dims_stand_in_one_table(dataset):
    made = tables(dataset)
    assert set(made) == {"values", "latent", "latent_unit", "condition"}
    assert list(made["latent"].columns) == ["latent", "density", "label"]
    assert made["values"].values.tolist() == [["r2", 0.25]]


def test_a_table_of_two_dims_has_a_row_per_pair_and_names_both(dataset):
    table = tables(dataset)["latent_unit"]
    assert list(table.columns) == ["latent", "unit", "unit_id", "weight"]
    row = table[(table.latent == 1) & (table.unit_id == "b")]
    assert len(table) == 6
    assert row.weight.tolist() == [4.0]


def test_a_dim_without_names_is_numbered(dataset):
    assert tables(dataset)["condition"]["condition"].tolist() == [0, 1]


def test_what_is_written_reads_back(dataset, tmp_path):
    paths = write_csv(dataset, tmp_path / "new" / "folder")
    assert sorted(path.name for path in paths) == [
        "condition.csv", "latent.csv", "latent_unit.csv", "values.csv",
    ]  # fmt: skip
    again = pd.read_csv(tmp_path / "new" / "folder" / "latent.csv", keep_default_na=False)
    assert again["label"].tolist() == ["speed > 1, fast", ""]
    assert again["density"].tolist() == ["0.1", ""]


def test_files_are_replaced_only_when_asked(dataset, tmp_path):
    write_csv(dataset, tmp_path)
    before = (tmp_path / "latent.csv").read_bytes()
    with pytest.raises(BadInput, match=r"latent\.csv.*--overwrite"):
        write_csv(dataset.isel(latent=[0]), tmp_path)
    assert (tmp_path / "latent.csv").read_bytes() == before
    write_csv(dataset.isel(latent=[0]), tmp_path, overwrite=True)
    assert (tmp_path / "latent.csv").read_bytes() != before
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_is_a_file_is_named(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="file"):
        write_csv(dataset, tmp_path / "file")
