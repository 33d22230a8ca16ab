"""Recordings that are already open: an NWBFile of pynwb, or a binary file."""

import hashlib
import io
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest
import xarray as xr
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import Position, SpatialSeries

from make.recordings import circle, damaged, laps, poisson_spikes, write_recording
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb


def in_memory(*, with_units: bool = True) -> NWBFile:
    nwbfile = NWBFile("in memory", "made here", datetime(2024, 1, 1, tzinfo=UTC))
    if with_units:
        nwbfile.add_unit_column("quality", "quality")
        for times in poisson_spikes():
            nwbfile.add_unit(spike_times=times, quality="good")
    position = SpatialSeries(name="position", reference_frame="arena", **circle())
    module = nwbfile.create_processing_module("behavior", "behaviour")
    module.add(Position(spatial_series=position))
    nwbfile.add_acquisition(TimeSeries(name="lfp", data=np.zeros(10), unit="V", rate=1.0))
    nwbfile.add_trial_column("side", "side")
    for i in range(10):
        nwbfile.add_trial(start_time=10.0 * i, stop_time=10.0 * i + 10, side="lr"[i % 2])
    nwbfile.add_epoch(0.0, 50.0, ["run"])
    return nwbfile


def test_an_open_file_of_pynwb_reads_as_its_path_and_stays_open(tmp_path):
    path = write_recording(tmp_path / "a.nwb", position=circle(), trials=laps())
    from_path = read_nwb(path)
    with NWBHDF5IO(path, "r") as opened:
        nwbfile = opened.read()
        session = read_nwb(nwbfile)
        assert len(nwbfile.units["spike_times"][0])
    assert session.source == from_path.source
    assert session.report == from_path.report
    xr.testing.assert_identical(session.units, from_path.units)
    np.testing.assert_array_equal(session.spike_times, from_path.spike_times)
    with pytest.raises(BadInput, match=r"was closed; give its path \(.*a\.nwb\)"):
        read_nwb(nwbfile)


def test_a_file_changed_in_memory_is_not_the_one_on_disk(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with NWBHDF5IO(path, "r") as opened:
        nwbfile = opened.read()
        nwbfile.add_trial(start_time=0.0, stop_time=1.0)
        session = read_nwb(nwbfile)
    assert session.intervals["trials"].sizes["interval"] == 1
    assert session.source.path is None
    assert session.source.sha256.startswith("units:")


def test_a_recording_in_memory_reads_as_the_file_it_becomes(tmp_path):
    nwbfile = in_memory()
    before = read_nwb(nwbfile)
    assert nwbfile.container_source is None  # nothing of the caller's was touched
    with NWBHDF5IO(tmp_path / "a.nwb", "w") as target:
        target.write(nwbfile)
    after = read_nwb(tmp_path / "a.nwb")
    assert before.report.lines == after.report.lines
    xr.testing.assert_identical(before.units, after.units)
    np.testing.assert_array_equal(before.spike_times, after.spike_times)
    np.testing.assert_array_equal(before.series["position"].data, after.series["position"].data)
    for name, table in after.intervals.items():
        xr.testing.assert_identical(before.intervals[name], table)
    assert before.source.path is None
    for key in ("identifier", "object_id", "nwb_version", "units_path", "units_object_id"):
        assert getattr(before.source, key) == getattr(after.source, key)


def test_the_digest_of_a_recording_in_memory_is_that_of_its_spikes():
    nwbfile = in_memory()
    digest = read_nwb(nwbfile).source.sha256
    assert digest.startswith("units:")
    assert len(digest) == len("units:") + 64
    assert read_nwb(nwbfile).source.sha256 == digest
    assert read_nwb(in_memory()).source.sha256 != digest  # another table, with other ids
    nwbfile.units["spike_times"].target.data[0] += 1e-3
    assert read_nwb(nwbfile).source.sha256 != digest


def test_messages_name_a_recording_in_memory():
    with pytest.raises(BadInput, match="NWBFile 'made here'"):
        read_nwb(in_memory(with_units=False))


@pytest.mark.parametrize("in_a_file", [True, False])
def test_an_open_binary_file_reads_as_its_path(tmp_path, in_a_file):
    path = write_recording(tmp_path / "a.nwb", position=circle())
    from_path = read_nwb(path)
    with path.open("rb") if in_a_file else io.BytesIO(path.read_bytes()) as stream:
        stream.seek(7)
        session = read_nwb(stream)
        assert stream.tell() == 7
    assert session.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert session.source.path == (path if in_a_file else None)
    assert session.report == from_path.report
    np.testing.assert_array_equal(session.spike_times, from_path.spike_times)


def test_what_cannot_be_read_as_a_binary_file_is_refused(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    stream = io.BytesIO(path.read_bytes())
    stream.close()
    with pytest.raises(BadInput, match="a binary file that is open and can seek"):
        read_nwb(stream)
    with path.open(encoding="latin-1") as text, pytest.raises(BadInput, match="a binary file"):
        read_nwb(text)
    with pytest.raises(BadInput, match="the open file is not an HDF5 file"):
        read_nwb(io.BytesIO(b"a,b\n1,2\n" * 100))
    with pytest.raises(BadInput, match="is incomplete: 9000 of"):
        read_nwb(io.BytesIO(path.read_bytes()[:9000]))


@pytest.mark.fault(23)
def test_the_guard_also_walks_open_files(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        file["acquisition/raw"] = h5py.ExternalLink("raw.nwb", "/acquisition/raw")
    with pytest.raises(BadInput, match=r"/acquisition/raw in .* points to another file \(raw\.nwb"):
        read_nwb(io.BytesIO(path.read_bytes()))
    with damaged(path) as file:
        del file["acquisition/raw"]
        file.create_dataset("evil", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    with pytest.raises(BadInput, match=r"/evil in .* keeps its data in .*etc/passwd"):
        read_nwb(io.BytesIO(path.read_bytes()))


def test_a_file_address_is_a_path(tmp_path):
    path = write_recording(tmp_path / "a b.nwb")
    assert read_nwb(path.as_uri()).source == read_nwb(path).source
    with pytest.raises(BadInput, match="is on another machine"):
        read_nwb("file://elsewhere/a.nwb")
