"""NWB Zarr of both generations: read as its HDF5 twin is, by the hdmf-zarr that is installed."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from make.recordings import reasons
from make.zarr_stores import (
    QUIET,
    RECORDING,
    chunks_of,
    export,
    form_of,
    golden,
    need_hdmf_zarr,
    set_attributes,
    writes_format_3,
)
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.check import check_readable, sha256_of
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.io.zarr import stack

pytestmark = QUIET

STORES = ["format_2", "format_3", "sharded"]
DATA = os.environ.get("NWBSPARSE_DATA")


@pytest.fixture(scope="module", params=STORES)
def twin(request, tmp_path_factory):
    """A golden store that can be read here; never changed."""
    need_hdmf_zarr(form_of(request.param))
    return golden(request.param, tmp_path_factory.mktemp("golden"))


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    need_hdmf_zarr(form_of(request.param))
    return golden(request.param, tmp_path)


def assert_equal(ours, theirs):
    xr.testing.assert_identical(ours.units, theirs.units)
    np.testing.assert_array_equal(ours.spike_times, theirs.spike_times)
    np.testing.assert_array_equal(ours.spike_index, theirs.spike_index)
    assert ours.series.keys() == theirs.series.keys()
    for name, one in ours.series.items():
        np.testing.assert_array_equal(one.times, theirs.series[name].times)
        np.testing.assert_array_equal(one.data, theirs.series[name].data)
        kept = ("kind", "unit", "path", "object_id", "description")
        assert [getattr(one, k) for k in kept] == [getattr(theirs.series[name], k) for k in kept]
    assert ours.intervals.keys() == theirs.intervals.keys()
    for name, table in ours.intervals.items():
        xr.testing.assert_identical(table, theirs.intervals[name])
    assert (ours.obs_intervals is None) == (theirs.obs_intervals is None)
    for one, other in zip(ours.obs_intervals or (), theirs.obs_intervals or (), strict=True):
        np.testing.assert_array_equal(one, other)
    assert ours.subject == theirs.subject
    assert ours.extent == theirs.extent
    assert ours.report.lines == theirs.report.lines


def test_every_store_reads_equal_to_the_hdf5_file(twin):
    """The kind: each generation stores text, ragged text and (tables of) references in a way of its own.

    zarr 3 opens none of those of format 2 by itself.
    """
    from_file, from_store = read_nwb(RECORDING), read_nwb(twin)
    assert_equal(from_file, from_store)
    assert from_store.units["region"].values.tolist() == ["CA1", "CA3", "é", "?"]
    assert from_store.units["quality"].values.tolist() == ["good", "mua", "é", ""]
    assert set(from_store.intervals) == {"trials", "epochs", "looks"}
    assert from_store.intervals["epochs"]["tags"].values.tolist() == [
        *from_file.intervals["epochs"]["tags"].values
    ]
    np.testing.assert_array_equal(from_store.invalid_times, [[3.0, 4.0]])
    assert from_store.report.warnings == from_file.report.warnings
    assert from_store.source.path == twin
    assert from_store.source.sha256 == sha256_of(twin)
    for key in ("identifier", "object_id", "nwb_version", "units_path", "units_object_id"):
        assert getattr(from_file.source, key) == getattr(from_store.source, key)


def test_what_is_exported_here_reads_equal_too(tmp_path):
    path = Path(shutil.copy(RECORDING, tmp_path / "rat.nwb"))
    made = export(_without_tables_of_references(path))
    assert_equal(read_nwb(path), read_nwb(made))
    assert (made / "zarr.json").exists() == writes_format_3()


def _without_tables_of_references(path):
    # where numcodecs refuses pickles, hdmf-zarr 0.13 cannot write them any more
    with h5py.File(path, "r+") as file:
        del file["intervals/looks"]
    return path


@pytest.mark.skipif(not DATA, reason="NWBSPARSE_DATA names no folder of recordings")
def test_the_rat_on_the_w_maze_reads_equal_from_both():
    need_hdmf_zarr()
    folder = Path(DATA or "")
    from_store = read_nwb(folder / "rat-ca1-w-maze.nwb.zarr")
    assert_equal(read_nwb(folder / "rat-ca1-w-maze.nwb"), from_store)
    assert len(from_store.spike_times) == 493_977
    assert from_store.series["position"].data.shape == (261_995, 2)


def test_reading_changes_no_file_of_the_store(store):
    before = sha256_of(store)
    read_nwb(store)
    assert sha256_of(store) == before
    chunks_of(store, "units/id")[0].write_bytes(b"other")
    assert sha256_of(store) != before


@pytest.mark.fault(18)
def test_folders_that_are_not_nwb_zarr_are_refused_in_one_sentence(store, tmp_path):
    (tmp_path / "plain").mkdir()
    with pytest.raises(BadInput, match="is a folder; give the path of one NWB file"):
        check_readable(tmp_path / "plain")
    set_attributes(store, "", nwb_version="", neurodata_type="Group")
    with pytest.raises(BadInput, match=r"is Zarr but not NWB: .*holds acquisition"):
        check_readable(store)
    other = store / (".zattrs" if (store / ".zattrs").exists() else "zarr.json")
    other.write_text("{")
    with pytest.raises(BadInput, match=f"{other.name} is damaged"):
        check_readable(store)


def test_a_store_that_says_both_formats_of_itself_is_refused(store):
    (store / "zarr.json").touch()
    (store / ".zgroup").touch()
    with pytest.raises(BadInput, match=r"format 2 \(\.zgroup\) and of format 3 \(zarr\.json\)"):
        check_readable(store)


@pytest.mark.fault(16)
def test_missing_chunks_of_spike_times_are_not_taken_for_zeros(store):
    files = chunks_of(store, "units/spike_times")
    files[0].unlink()
    said = f"is incomplete: {len(files) - 1} of {len(files)} chunks of /units/spike_times"
    with pytest.raises(BadInput, match=said):
        read_nwb(store)


@pytest.mark.fault(18)
@pytest.mark.parametrize("how", ["nonsense", "cut", "empty"])
def test_a_damaged_chunk_is_refused(store, how):
    """The kind: each codec says in its own way that it cannot unpack (zarr 3 by a ValueError too)."""
    file = chunks_of(store, "units/spike_times")[-1]
    whole = file.read_bytes()
    file.write_bytes({"nonsense": b"\xff" * len(whole), "cut": whole[:20], "empty": b""}[how])
    with pytest.raises(BadInput, match=r"data in .*\.nwb\.zarr are damaged|is incomplete"):
        read_nwb(store)


@pytest.mark.fault(18)
@pytest.mark.parametrize(
    "place",
    ["units/quality", "session_start_time", "intervals/looks/timeseries", "intervals/epochs/tags"],
)
def test_damaged_text_and_tables_are_refused_with_the_reason(store, place):
    """The kind: what hdmf-zarr 0.14 cannot decode of format 2 it skips, over which pynwb stumbles."""
    for file in chunks_of(store, place):
        file.write_bytes(b"\xff" * 50)
    if place == "intervals/looks/timeseries":  # of references, which nothing needs
        with suppress(BadInput):
            assert "timeseries" not in read_nwb(store).intervals["looks"]
        return
    with pytest.raises(BadInput, match=r"data in .*\.nwb\.zarr are damaged"):
        read_nwb(store)


@pytest.mark.fault(18)
def test_what_cannot_be_decoded_and_is_not_needed_is_left_out_and_said(tmp_path):
    need_hdmf_zarr(3)
    store = golden("format_2", tmp_path)
    shutil.copytree(store / "file_create_date", store / "units" / "unknown")
    chunks_of(store, "units/unknown")[0].write_bytes(b"\xff" * 50)
    session = read_nwb(store)
    assert "it cannot be decoded" in reasons(session, "other", "/units/unknown")
    with pytest.raises(BadInput, match="/units/unknown"):
        read_nwb(store, strict=True)


def test_a_missing_library_is_named(twin, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "hdmf_zarr", None)
    with pytest.raises(EnvironmentProblem, match=r"pip install 'nwbsparse\[zarr\]'"):
        read_nwb(twin)


@pytest.mark.parametrize("name", ["format_3", "sharded", "annotated_format_3"])
def test_on_the_older_stack_format_3_is_refused_with_what_it_needs(name, tmp_path, monkeypatch):
    need_hdmf_zarr()
    store = golden(name, tmp_path)
    monkeypatch.setattr(stack, "_is_newer", lambda module: False)
    monkeypatch.setattr(stack, "version", lambda package: "0.13.0")
    monkeypatch.setattr("sys.version_info", (3, 11, 7))
    said = (
        r"is NWB Zarr of format 3, which needs Python 3\.12 or newer and hdmf-zarr 0\.14 \(here are "
        r"Python 3\.11 and hdmf-zarr 0\.13\.0\): pip install 'nwbsparse\[zarr\]' with such a Python\.$"
    )
    with pytest.raises(EnvironmentProblem, match=said):
        read_nwb(store)
    monkeypatch.setattr("sys.version_info", (3, 13, 0))
    with pytest.raises(EnvironmentProblem, match=r"in an environment without SpikeInterface"):
        read_nwb(store)
