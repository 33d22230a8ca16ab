"""NWB Zarr: read as its HDF5 twin is, and no more trusted than that."""

import json
import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pynwb import NWBHDF5IO

from make.recordings import circle, laps, write_recording
from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.check import check_readable, sha256_of
from nwbsparse.io.nwb.read import read_nwb

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # numcodecs and zarr 2, when imported
    hdmf_zarr = pytest.importorskip("hdmf_zarr", reason="hdmf-zarr is not installed")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:zarr"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:numcodecs"),
    pytest.mark.filterwarnings("ignore:.*_destroy:DeprecationWarning"),
]

DATA = os.environ.get("NWBSPARSE_DATA")


def export(path: Path) -> Path:
    store = path.with_suffix(".nwb.zarr")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with NWBHDF5IO(path, "r") as source, hdmf_zarr.NWBZarrIO(str(store), mode="w") as target:
            target.export(src_io=source, write_args={"link_data": False})
    return store


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twins")
    path = write_recording(
        folder / "a.nwb", position=circle(), trials=laps(), obs_intervals=[[(0, 100)]] * 4,
        unit_columns={"quality": ["good", "mua", "é", ""], "snr": [1.0, 2.0, np.nan, 4.0]},
        epochs=[(0, 50, ["run", "left"]), (50, 90, ["rest"])], invalid_times=[(3.0, 4.0)],
        subject={"subject_id": "rat 1", "species": "Rattus norvegicus"},
    )  # fmt: skip
    return path, export(path)


@pytest.fixture
def store(twins, tmp_path):
    return shutil.copytree(twins[1], tmp_path / "a.nwb.zarr")


def edit(file: Path, **changes) -> None:
    held = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(held | changes))


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


def test_the_twin_reads_equal_to_the_hdf5_file(twins):
    path, store = twins
    from_file, from_store = read_nwb(path), read_nwb(store)
    assert_equal(from_file, from_store)
    assert from_store.n_units == 4
    assert set(from_store.intervals) == {"trials", "epochs"}
    np.testing.assert_array_equal(from_store.invalid_times, [[3.0, 4.0]])
    assert from_store.source.path == store
    assert from_store.source.sha256 == sha256_of(store)
    for key in ("identifier", "object_id", "nwb_version", "units_path", "units_object_id"):
        assert getattr(from_file.source, key) == getattr(from_store.source, key)


@pytest.mark.skipif(not DATA, reason="NWBSPARSE_DATA names no folder of recordings")
def test_the_rat_on_the_w_maze_reads_equal_from_both():
    folder = Path(DATA or "")
    from_store = read_nwb(folder / "rat-ca1-w-maze.nwb.zarr")
    assert_equal(read_nwb(folder / "rat-ca1-w-maze.nwb"), from_store)
    assert len(from_store.spike_times) == 493_977
    assert from_store.series["position"].data.shape == (261_995, 2)


def test_reading_changes_no_file_of_the_store(store):
    before = sha256_of(store)
    read_nwb(store)
    assert sha256_of(store) == before
    (store / "units" / "id" / "0").write_bytes(b"other")
    assert sha256_of(store) != before


@pytest.mark.fault(18)
def test_folders_that_are_not_nwb_zarr_are_refused_in_one_sentence(store, tmp_path):
    (tmp_path / "plain").mkdir()
    with pytest.raises(BadInput, match="is a folder; give the path of one NWB file"):
        check_readable(tmp_path / "plain")
    (tmp_path / "plain" / "zarr.json").write_text("{}")
    with pytest.raises(BadInput, match="Zarr store of format 3"):
        check_readable(tmp_path / "plain")
    (store / ".zattrs").write_text("{}")
    with pytest.raises(BadInput, match=r"is Zarr but not NWB: .*holds acquisition"):
        check_readable(store)
    (store / ".zattrs").write_text("{")
    with pytest.raises(BadInput, match=r"\.zattrs is damaged"):
        check_readable(store)


def test_a_missing_library_is_named(store, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "hdmf_zarr", None)
    with pytest.raises(EnvironmentProblem, match=r"pip install 'nwbsparse\[zarr\]'"):
        read_nwb(store)


# the store is untrusted


@pytest.mark.parametrize("name", ["units/spike_times/0", "units/secret"])
def test_symbolic_links_are_refused(store, tmp_path, name):
    (tmp_path / "secret").mkdir()
    (store / name).unlink(missing_ok=True)
    (store / name).symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match=rf"/{name} in .* is a symbolic link"):
        check_readable(store)


@pytest.mark.parametrize("consolidated", [True, False])
def test_pickles_are_refused_before_the_store_is_opened(store, consolidated):
    array = json.loads((store / "identifier/.zarray").read_text())
    array["filters"] = [{"id": "pickle", "protocol": 5}]
    if consolidated:
        held = json.loads((store / ".zmetadata").read_text())
        held["metadata"]["identifier/.zarray"] = array
        (store / ".zmetadata").write_text(json.dumps(held))
    else:
        edit(store / "identifier/.zarray", **array)
    with pytest.raises(BadInput, match=r"/identifier in .* is stored as Python pickles"):
        check_readable(store)


@pytest.fixture
def with_electrodes(tmp_path):
    # hdmf-zarr 0.13 pickles every column of references: any table of electrodes has one
    return write_recording(tmp_path / "a.nwb", electrodes={"location": ["CA1"] * 4})


def test_a_store_with_electrodes_reads_like_its_twin_without_decoding_a_pickle(with_electrodes):
    stored, twin = read_nwb(export(with_electrodes)), read_nwb(with_electrodes)
    np.testing.assert_array_equal(stored.spike_times, twin.spike_times)
    assert stored.units["region"].values.tolist() == ["CA1"] * 4


def test_reference_columns_are_refused_where_pickles_would_be_decoded(with_electrodes, monkeypatch):
    store = export(with_electrodes)
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True)
    with pytest.raises(BadInput, match=r"/electrodes/group in .* export it as HDF5: NWBHDF5IO"):
        read_nwb(store)


def test_a_pickle_that_poses_as_references_is_never_decoded(store):
    edit(store / "units/spike_times/.zarray", filters=[{"id": "pickle", "protocol": 5}])
    edit(store / "units/spike_times/.zattrs", zarr_dtype="object")
    (store / ".zmetadata").unlink(missing_ok=True)
    with pytest.raises(BadInput):
        read_nwb(store)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("units", {"zarr_link": [{"name": "evil", "source": "../b.zarr", "path": "/"}]}),
        ("units", {"zarr_link": [{"name": "evil", "path": "/etc"}]}),
        ("units/id", {"t": {"zarr_dtype": "object", "value": {"source": "/etc", "path": "/"}}}),
    ],
)
def test_references_out_of_the_store_are_refused(store, name, held):
    edit(store / name / ".zattrs", **held)
    with pytest.raises(BadInput, match=rf"/{name} in .* points to .*, outside the store"):
        check_readable(store)


def test_references_that_stand_in_data_are_refused_when_they_are_followed(store, monkeypatch):
    # the guard reads no data: pretend that it saw nothing
    edit(store / "units/.zattrs", zarr_link=[{"name": "evil", "source": "../b", "path": "/x"}])
    (store / ".zmetadata").unlink()
    monkeypatch.setattr("nwbsparse.io.check.check_zarr", lambda path: None)
    with pytest.raises(BadInput, match=r"a reference in .* points to .*, outside the store"):
        read_nwb(store)


def test_references_within_the_store_are_followed(store):
    link = {"name": "again", "source": ".", "path": "/units/spike_times"}
    edit(store / "units/.zattrs", zarr_link=[link])
    check_readable(store)


@pytest.mark.parametrize("key", ["shape", "chunks"])
def test_bombs_are_refused(store, key):
    edit(store / "units/spike_times/.zarray", **{key: [2**40]})
    with pytest.raises(BadInput, match=r"/units/spike_times in .* claims 8192\.0 GiB of which"):
        check_readable(store)


def test_damaged_metadata_are_refused(store):
    edit(store / "units/id/.zarray", dtype="nonsense")
    with pytest.raises(BadInput, match=r"metadata of /units/id in .* are damaged"):
        check_readable(store)


@pytest.mark.fault(16)
def test_missing_chunks_of_spike_times_are_not_taken_for_zeros(store):
    (store / "units/spike_times/0").unlink()
    with pytest.raises(BadInput, match="is incomplete: 0 of 1 chunks of /units/spike_times"):
        read_nwb(store)


@pytest.mark.fault(18)
def test_a_damaged_chunk_is_refused(store):
    (store / "units/spike_times/0").write_bytes(b"\xff" * 200)
    with pytest.raises(BadInput, match=r"data in .*a\.nwb\.zarr are damaged"):
        read_nwb(store)
