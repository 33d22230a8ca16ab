"""Counts that somebody binned already: milliseconds to seconds, windows in time, nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hdmf.common import DynamicTableRegion
from ndx_binned_spikes import BinnedAlignedSpikes, BinnedSpikes
from pynwb import NWBHDF5IO, NWBFile

from make.recordings import START, line_of, reasons
from nwbsparse.binning.grid import make_grid
from nwbsparse.binning.observed import observed
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb

PATH = "/processing/ecephys/BinnedSpikes"
ALIGNED = "/processing/ecephys/BinnedAlignedSpikes"
RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(2.0, (3, 200)).astype("uint64")


def write(path, thing, *, units=(), spikes=False, region=None):
    """A file with binned spikes, and a Units table with these ids (and spikes)."""
    nwbfile = NWBFile("a synthetic recording", "synthetic", START)
    if len(units):
        nwbfile.add_unit_column("snr", "snr")
    for unit in units:
        given = {"spike_times": np.arange(50.0)} if spikes else {}
        nwbfile.add_unit(id=unit, snr=unit / 10, **given)
    module = nwbfile.create_processing_module("ecephys", "e")
    module.add(thing)
    if region is not None:
        rows = DynamicTableRegion(
            name="units_region", data=region, description="u", table=nwbfile.units
        )
        thing.units_region = rows
        rows.parent = thing
    with NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


def test_counts_are_read_at_the_centres_of_their_bins_in_seconds(tmp_path):
    thing = BinnedSpikes(data=COUNTS, bin_width_in_ms=20.0, start_time_in_ms=1500.0)
    session = read_nwb(write(tmp_path / "a.nwb", thing))
    traces = session.traces
    assert traces is not None
    np.testing.assert_array_equal(traces.data, COUNTS.T)
    assert traces.data.dtype == np.uint8
    assert traces.bin_width == 0.02
    np.testing.assert_allclose(traces.times[:2], [1.51, 1.53])
    assert session.extent == pytest.approx((1.5, 5.5))
    assert session.units["unit_id"].values.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(session.units["n_spikes"], COUNTS.sum(axis=1))
    assert set(session.units["modality"].values) == {"ecephys"}
    assert line_of(session, "traces", PATH).kept == 200


def test_the_region_says_which_units_were_counted(tmp_path):
    thing = BinnedSpikes(data=COUNTS, bin_width_in_ms=20.0)
    path = write(tmp_path / "a.nwb", thing, units=[10, 20, 30, 40], region=[3, 0, 2])
    session = read_nwb(path)
    assert session.units["unit_id"].values.tolist() == [40, 10, 30]
    np.testing.assert_allclose(session.units["snr"], [4, 1, 3])
    assert session.source.units_path == "/units"


def test_spikes_come_before_counts_unless_these_are_asked_for(tmp_path):
    thing = BinnedSpikes(data=COUNTS, bin_width_in_ms=20.0)
    path = write(tmp_path / "a.nwb", thing, units=[10, 20, 30], spikes=True)
    session = read_nwb(path)
    assert session.traces is None
    assert f"series='{PATH}'" in reasons(session, "other", PATH)
    counted = read_nwb(path, series="BinnedSpikes")
    assert counted.traces is not None
    assert not len(counted.spike_times)


def test_large_missing_and_fractional_counts(tmp_path):
    large = COUNTS.copy()
    large[1, 5] = 70_000
    path = write(tmp_path / "a.nwb", BinnedSpikes(data=large, bin_width_in_ms=20.0))
    traces = read_nwb(path).traces
    assert traces is not None and traces.data.dtype == np.uint32
    gone = COUNTS.astype(np.float64)
    gone[:, 5] = np.nan
    session = read_nwb(write(tmp_path / "b.nwb", BinnedSpikes(data=gone, bin_width_in_ms=20.0)))
    assert session.traces is not None and session.traces.data.dtype == np.float32
    assert "3 of 600 values are NaN and stay so" in reasons(session, "traces", PATH)
    half = BinnedSpikes(data=COUNTS / 2, bin_width_in_ms=20.0)
    assert "not whole numbers" in reasons(read_nwb(write(tmp_path / "c.nwb", half)), "traces", PATH)


@pytest.mark.parametrize(
    ("data", "width", "said"),
    [(COUNTS.astype("i8") - 3, 20.0, "counts below 0"), (COUNTS, 0.0, "must be wider than 0")],
)
def test_what_cannot_be_counts_is_refused(tmp_path, data, width, said):
    path = write(tmp_path / "a.nwb", BinnedSpikes(data=data, bin_width_in_ms=width))
    with pytest.raises(BadInput, match=said):
        read_nwb(path)


# windows around events


def aligned(events, *, data=None, conditions=None, labels=None, offset=-100.0):
    n = len(events)
    values = np.arange(2 * n * 5).reshape(2, n, 5) if data is None else data
    return BinnedAlignedSpikes(
        data=values, event_timestamps=np.asarray(events, float), bin_width_in_ms=50.0,
        event_to_bin_offset_in_ms=offset,
        condition_indices=None if conditions is None else np.asarray(conditions, "uint64"),
        condition_labels=labels,
    )  # fmt: skip


def test_windows_follow_each_other_in_time_and_no_bin_spans_two(tmp_path):
    events = 10.0 + np.arange(30)
    thing = aligned(events, conditions=[0, 1] * 15, labels=["left", "right"])
    session = read_nwb(write(tmp_path / "a.nwb", thing))
    traces = session.traces
    assert traces is not None
    assert traces.data.shape == (150, 2)
    np.testing.assert_array_equal(traces.data[:7, 0], np.arange(7))
    np.testing.assert_allclose(traces.times[:6], [9.925, 9.975, 10.025, 10.075, 10.125, 10.925])
    assert session.obs_intervals is not None
    np.testing.assert_allclose(session.obs_intervals[1][:2], [[9.9, 10.15], [10.9, 11.15]])
    grid = make_grid(observed(session)[0], 0.05)
    np.testing.assert_allclose(grid.centres, traces.times)
    assert len(grid.starts) == 30
    table = session.intervals["BinnedAlignedSpikes"]
    assert table["condition"].values[:3].tolist() == ["left", "right", "left"]
    assert table["condition"].attrs["kind"] == "category"
    np.testing.assert_array_equal(table["event_time"], events)


def test_of_windows_that_overlap_the_first_stays(tmp_path):
    session = read_nwb(write(tmp_path / "a.nwb", aligned([10.0, 10.1, 10.25, 11.0])))
    traces = session.traces
    assert traces is not None
    assert (np.diff(traces.times) > 0).all()
    np.testing.assert_array_equal(traces.data[:, 0], [*range(5), *range(10, 20)])
    assert session.obs_intervals is not None
    np.testing.assert_allclose(session.obs_intervals[0][:2], [[9.9, 10.15], [10.15, 10.4]])
    said = reasons(session, "traces", ALIGNED)
    assert "1 window overlapping an earlier one dropped" in said
    assert line_of(session, "traces", ALIGNED).dropped == 5


def test_files_are_read_where_the_extension_is_not_loaded(tmp_path):
    path = write(tmp_path / "a.nwb", aligned(10.0 + np.arange(30), conditions=[0, 1, 2] * 10))
    code = (
        "import sys, json; from nwbsparse.io.nwb.read import read_nwb; s = read_nwb(sys.argv[1]);"
        "assert 'ndx_binned_spikes' not in sys.modules;"
        "t = s.intervals['BinnedAlignedSpikes'];"
        "print(json.dumps([s.traces.data.shape, sorted(set(t['condition'].values))]))"
    )
    done = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True)
    assert json.loads(done.stdout) == [[150, 2], ["0", "1", "2"]]
