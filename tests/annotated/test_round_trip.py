"""Written and opened again, a result is the same, and its coder works."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pynwb import NWBHDF5IO

from make.recordings import write_recording
from nwbsparse.analysis.apply.activity import dense
from nwbsparse.analysis.apply.encode import encode
from nwbsparse.annotated.read.parse import parse_model
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.errors import BadInput
from nwbsparse.results.results import open_results, write


def equal(written, read):
    """Every variable, coordinate and attribute of two datasets, numbers to 1e-6."""
    assert set(read.data_vars) == set(written.data_vars)
    assert set(written.coords) - set(read.coords) <= {"trial"}
    assert dict(read.attrs) == dict(written.attrs)
    for name in (*written.data_vars, *(set(written.coords) & set(read.coords))):
        one, other = written[name], read[name]
        assert one.dims == other.dims and one.shape == other.shape, name
        if one.dtype.kind in "OUSb":
            assert list(map(str, one.values.ravel())) == list(map(str, other.values.ravel())), name
        else:
            np.testing.assert_allclose(
                other.values.astype(float),
                one.values.astype(float),
                rtol=1e-6,
                atol=1e-9,
                err_msg=str(name),
            )


def test_everything_comes_back(library, kind):
    one = library(kind)
    again = one.opened
    for part in ("latents", "metrics", "attribution"):
        equal(getattr(one.results, part), getattr(again, part))
    assert again.config == one.results.config
    assert again.coder.record == one.results.coder.record


def test_bins_and_parts_come_back_exactly(library, kind):
    one = library(kind)
    again = one.opened
    for name in ("split", "segment", "level"):
        np.testing.assert_array_equal(again.latents[name], one.results.latents[name], err_msg=name)
    np.testing.assert_allclose(
        again.latents["time"], one.results.latents["time"], atol=1e-7, rtol=0
    )
    np.testing.assert_array_equal(dense(again.latents), dense(one.results.latents))


def test_the_stored_coder_encodes_the_stored_units_to_the_stored_activations(library, kind):
    again = library(kind).opened
    units = {"chosen units": "1000,70"}.get(kind)
    binned = to_bins(again.session, again.config.bin_width, units=units)
    found = encode(again.coder, split(binned))
    np.testing.assert_array_equal(dense(found), dense(again.latents))
    np.testing.assert_array_equal(found["split"], again.latents["split"])


def test_the_recording_comes_back_with_nothing_added_to_its_behaviour(library, kind):
    one = library(kind)
    again, source = one.opened.session, one.results.session
    np.testing.assert_array_equal(again.spike_times, source.spike_times)
    np.testing.assert_array_equal(again.spike_index, source.spike_index)
    xr.testing.assert_identical(again.units, source.units)
    assert list(again.series) == list(source.series)
    assert list(again.intervals) == list(source.intervals)
    assert (again.obs_intervals is None) == (source.obs_intervals is None)


def test_more_than_256_latents_stay_a_csr_table(library):
    again = library("more than 256 latents").opened
    assert "activation" not in again.latents
    assert again.latents["indptr"].dtype == np.uint64
    assert again.latents["latent_index"].dtype == np.uint16


def test_the_source_of_the_result_is_told(library):
    one = library("position and trials")
    source = one.results.session.source
    with NWBHDF5IO(one.path, "r") as io:
        model = io.read().processing["sparse_latents"]["latents"]
        row = model.sessions.to_dataframe().iloc[0]
        assert row["sha256"] == source.sha256 and row["nwb_object_id"] == source.object_id
        assert model.input_population.source_table_object_id == source.units_object_id
        assert json.loads(model.hyperparameters)["n_latents"] == 16


def test_the_address_of_a_recording_is_kept(library, tmp_path):
    results = library("trials").results
    source = replace(results.session.source, uri="https://a.org/x.nwb")
    path = tmp_path / "a.nwb"
    write(replace(results, session=replace(results.session, source=source)), path)
    for written, uri in ((path, "https://a.org/x.nwb"), (library("trials").path, "")):
        with NWBHDF5IO(written, "r") as io:
            model = io.read().processing["sparse_latents"]["latents"]
            assert parse_model(model).source.uri == uri


def test_names_of_units_are_those_of_the_table_in_model_order(library):
    again = library("chosen units").opened
    assert list(again.attribution["unit_id"].values) == [70, 1000]
    assert list(again.attribution["unit_row"].values) == [0, 2]
    assert again.coder.record.unit_ids == ("70", "1000")


# several results in one file


AGAIN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from nwbsparse.results import write
from annotated.conftest import analyse
write(analyse(Path(sys.argv[2]), name="second", seed=3, n_latents=24), Path(sys.argv[3]))
"""


@pytest.fixture(scope="module")
def two(library, quick_analysis, tmp_path_factory):
    """A file with the results 'latents' and 'second'; written by a process that may crash."""
    path = tmp_path_factory.mktemp("two") / "two.nwb"
    first = library("position and trials")
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, tests, str(first.path), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[:2000]
    second = quick_analysis(first.path, name="second", seed=3, n_latents=24)
    return first.results, second, path


def test_other_programs_can_export_an_annotated_file(library, tmp_path):
    """pynwb copies what was read before chunk by chunk: no filter may crash it (HDF5 2.0.0)."""
    code = """
import sys
from pynwb import NWBHDF5IO
with NWBHDF5IO(sys.argv[1], "r") as source:
    nwbfile = source.read()
    model = nwbfile.processing["sparse_latents"]["latents"]
    model.latent_activation_series["activations"].data[:]
    model.latents.to_dataframe()
    with NWBHDF5IO(sys.argv[2], "w") as target:
        target.export(src_io=source, nwbfile=nwbfile, write_args={"link_data": False})
"""
    one = library("position and trials")
    copy = tmp_path / "copy.nwb"
    done = subprocess.run(
        [sys.executable, "-c", code, str(one.path), str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[:2000]
    equal(one.results.latents, open_results(copy).latents)


def test_two_results_live_in_one_file(two):
    first, second, path = two
    equal(first.latents, open_results(path, result="latents").latents)
    equal(first.attribution, open_results(path, result="latents").attribution)
    equal(second.latents, open_results(path, result="second").latents)
    equal(second.metrics, open_results(path, result="second").metrics)
    assert open_results(path, result="second").coder.id == second.coder.id != first.coder.id


def test_the_second_result_is_made_from_the_same_behaviour(two):
    first, second, _ = two
    assert list(second.session.series) == list(first.session.series)
    assert set(second.attribution["candidate_variable"].values) == set(
        first.attribution["candidate_variable"].values
    )


def test_among_several_results_a_name_is_asked_for(two):
    _, _, path = two
    with pytest.raises(BadInput, match="choose one of latents, second"):
        open_results(path)
    with pytest.raises(BadInput, match=r"'third'.*latents, second"):
        open_results(path, result="third")


@pytest.mark.fault(20)
def test_the_same_name_twice_is_refused(library, quick_analysis, tmp_path):
    first = library("position and trials")
    again = quick_analysis(first.path)
    with pytest.raises(BadInput, match=r"'latents' exists.*--name"):
        write(again, tmp_path / "again.nwb")
    assert not list(tmp_path.iterdir())


def test_a_file_without_results_says_so(tmp_path):
    path = write_recording(tmp_path / "plain.nwb")
    with pytest.raises(BadInput, match="no sparse latents"):
        open_results(path)


def test_an_annotated_file_can_be_moved(library, tmp_path):
    one = library("position and trials")
    moved = shutil.copy(one.path, tmp_path / "elsewhere.nwb")
    equal(one.results.latents, open_results(moved).latents)
