"""Checksums of what units did: the same for every copy, another after any edit."""

import time
from dataclasses import replace

import numpy as np
import pytest
from pynwb import NWBHDF5IO

import nwbsparse as ns
from make.recordings import poisson_spikes, write_recording
from make.sessions import make_session
from nwbsparse.io.unit_digests import SAMPLES, unit_digests
from nwbsparse.session import Traces


def test_one_for_each_unit_by_its_row_and_id():
    session = make_session({"a": [1.0, 2.0], "b": [1.0, 2.0], "c": []})
    found = unit_digests(session)
    assert list(found) == [(0, "a"), (1, "b"), (2, "c")]
    assert found[0, "a"] == found[1, "b"] != found[2, "c"]


def test_a_spike_that_moved_is_seen_however_little():
    one, other = (
        unit_digests(make_session({"a": [1.0, last], "b": [3.0]}))
        for last in (2.0, np.nextafter(2.0, 3.0))
    )
    assert one[0, "a"] != other[0, "a"] and one[1, "b"] == other[1, "b"]


def test_hdf5_and_zarr_say_the_same(tmp_path):
    zarr = pytest.importorskip("hdmf_zarr", reason="hdmf-zarr writes the Zarr store")
    path = write_recording(tmp_path / "a.nwb", spike_times=[*poisson_spikes(), []])
    with NWBHDF5IO(path, "r") as source, zarr.NWBZarrIO(str(tmp_path / "a.zarr"), "w") as io:
        io.export(src_io=source, write_args={"link_data": False})
    assert unit_digests(ns.read(path)) == unit_digests(ns.read(tmp_path / "a.zarr"))


def traces(n, *, dtype=np.float32, modality="ophys"):
    data = np.arange(2 * n).reshape(n, 2).astype(dtype)
    session = make_session({"a": [], "b": []})
    units = session.units.assign(modality=("unit", [modality] * 2))
    return replace(session, units=units, traces=Traces("F", data, np.arange(n) / 30.0))


def test_of_traces_some_samples_and_their_number_are_looked_at():
    n = 3 * SAMPLES
    whole = unit_digests(traces(n))
    assert whole != unit_digests(traces(n - 1))
    changed = traces(n)
    changed.traces.data[-1, 1] += 1
    now = unit_digests(changed)
    assert now[0, "a"] == whole[0, "a"] and now[1, "b"] != whole[1, "b"]
    later = traces(n)
    later.traces.times[:] += 0.001
    assert unit_digests(later)[0, "a"] != whole[0, "a"]


def test_the_type_in_which_counts_are_stored_does_not_matter():
    assert unit_digests(traces(9, dtype=np.uint8)) == unit_digests(traces(9, dtype=np.uint32))


def test_power_in_a_band_is_computed_and_has_none():
    assert unit_digests(traces(9, modality="lfp")) == {}


def test_half_a_million_spikes_take_no_time():
    rng = np.random.default_rng(0)
    session = make_session({str(i): np.sort(rng.uniform(0, 1e4, 5000)) for i in range(100)})
    began = time.perf_counter()
    assert len(unit_digests(session)) == 100
    assert time.perf_counter() - began < 1.0
