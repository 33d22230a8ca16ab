"""Faults of units and spikes: what must never go wrong when they are read."""

import h5py
import numpy as np
import pytest

from make.recordings import (
    circle,
    damaged,
    line_of,
    poisson_spikes,
    reasons,
    replace_dataset,
    time_series,
    write_recording,
)
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb


def spikes_line(session):
    return line_of(session, "spikes", "spike_times")


@pytest.mark.fault(25)
@pytest.mark.fault(26)
def test_nan_and_infinite_spikes_are_dropped_and_counted_by_unit(tmp_path):
    spikes = poisson_spikes()
    spikes[1][[3, 7]] = np.nan
    spikes[2][[0, 1, 2]] = np.inf, -np.inf, np.nan
    path = write_recording(tmp_path / "a.nwb", spike_times=spikes)
    session = read_nwb(path)
    line = spikes_line(session)
    assert (line.found, line.dropped) == (sum(map(len, spikes)), 5)
    assert "5 NaN or infinite times dropped, of unit 1 (2), unit 2 (3)" in line.reasons
    for row, times in enumerate(spikes):
        np.testing.assert_array_equal(session.spikes_of(row), times[np.isfinite(times)])
    with pytest.raises(BadInput, match=r"5 NaN or infinite times dropped, of unit 1 \(2\)"):
        read_nwb(path, strict=True)


@pytest.mark.fault(27)
def test_negative_times_are_kept_and_reported(tmp_path):
    spikes = poisson_spikes(start=-10.0, stop=90.0)
    early = sum(int((times < 0).sum()) for times in spikes)
    path = write_recording(tmp_path / "a.nwb", spike_times=spikes)
    session = read_nwb(path)
    assert len(session.spike_times) == sum(map(len, spikes))
    assert f"{early} spikes before time 0 kept" in spikes_line(session).reasons
    with pytest.raises(BadInput, match="spikes before time 0"):
        read_nwb(path, strict=True)


@pytest.mark.fault(27)
def test_negative_times_are_no_fault_of_a_recording_that_starts_before_zero(tmp_path):
    raw = {"data": np.zeros((1000, 1)), "rate": 10.0, "starting_time": -10.0}
    path = write_recording(
        tmp_path / "a.nwb", spike_times=poisson_spikes(start=-10.0, stop=90.0),
        electrodes={"location": ["CA1"] * 4}, raw=raw,
    )  # fmt: skip
    session = read_nwb(path, strict=True)
    assert "the recording starts at -10.0 s" in " ".join(spikes_line(session).reasons)


@pytest.mark.fault(28)
def test_unsorted_spikes_are_sorted_and_reported(tmp_path):
    spikes = poisson_spikes()
    shuffled = [times[::-1] if row == 2 else times for row, times in enumerate(spikes)]
    session = read_nwb(write_recording(tmp_path / "a.nwb", spike_times=shuffled))
    for row, times in enumerate(spikes):
        np.testing.assert_array_equal(session.spikes_of(row), times)
    assert "1 unit had unsorted times and was sorted: 2" in spikes_line(session).reasons


@pytest.mark.fault(29)
def test_duplicate_spikes_are_reported_as_a_rate(tmp_path):
    spikes = [np.repeat(np.arange(100.0), 2), np.arange(200.0)]
    session = read_nwb(write_recording(tmp_path / "a.nwb", spike_times=spikes))
    assert "100 duplicates (25.00% of all) kept" in spikes_line(session).reasons
    assert len(session.spike_times) == 400


@pytest.mark.fault(29)
def test_the_last_spike_of_one_unit_and_the_first_of_the_next_are_no_duplicate(tmp_path):
    spikes = [[1.0, 2.0, 5.0], [5.0, 6.0], [], [6.0, 7.0], [1.0]]
    session = read_nwb(write_recording(tmp_path / "a.nwb", spike_times=spikes))
    assert spikes_line(session).reasons == ()


@pytest.mark.fault(30)
@pytest.mark.parametrize("silent", [0, 2, 3])
def test_units_without_spikes_are_kept_and_reported(tmp_path, silent):
    spikes = poisson_spikes()
    spikes[silent] = np.empty(0)
    session = read_nwb(write_recording(tmp_path / "a.nwb", spike_times=spikes))
    assert session.n_units == 4
    assert session.units["n_spikes"].values[silent] == 0
    assert len(session.spikes_of(silent)) == 0
    said = reasons(session, "units", "units")
    assert said == f"1 unit without spikes kept: {silent}"


@pytest.mark.fault(31)
def test_a_recording_of_silent_units_is_refused(tmp_path):
    path = write_recording(tmp_path / "a.nwb", spike_times=[np.empty(0)] * 3)
    with pytest.raises(BadInput, match=r"no spikes in any of 3 units of .*a\.nwb"):
        read_nwb(path)
    path = write_recording(tmp_path / "b.nwb", spike_times=[[np.nan, np.inf], [np.nan]])
    with pytest.raises(BadInput, match="no spikes in any of 2 units"):
        read_nwb(path)


@pytest.mark.fault(32)
def test_a_file_without_units_says_what_it_holds(tmp_path):
    held = [time_series("sync", data=np.ones(3), rate=1.0)]
    path = write_recording(
        tmp_path / "a.nwb", spike_times=None, position=circle(n=10), acquisition=held
    )
    with pytest.raises(BadInput, match=r"no Units in .*: there is no table; found: ") as refused:
        read_nwb(path)
    assert "sync (TimeSeries)" in str(refused.value)
    assert "behavior (ProcessingModule)" in str(refused.value)


@pytest.mark.fault(32)
def test_units_without_rows_or_without_spike_times_are_refused(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        del file["units/spike_times"], file["units/spike_times_index"]
        file["units"].attrs["colnames"] = np.empty(0, dtype=h5py.string_dtype())
    with pytest.raises(BadInput, match=r"no Units in .*: /units has no spike_times"):
        read_nwb(path)
    with damaged(path) as file:
        replace_dataset(file, "units/id", np.empty(0, dtype=np.int64))
    with pytest.raises(BadInput, match=r"no Units in .*: /units has no rows"):
        read_nwb(path)


@pytest.mark.fault(33)
def test_duplicate_unit_ids_are_keyed_by_row(tmp_path):
    path = write_recording(tmp_path / "a.nwb", unit_ids=[7, 7, 7, 8])
    session = read_nwb(path)
    assert session.units["unit_id"].values.tolist() == [7, 7, 7, 8]
    assert reasons(session, "units", "units") == "ids are not unique (7): units keyed by row"
    with pytest.raises(BadInput, match=r"ids are not unique \(7\)"):
        read_nwb(path, strict=True)


@pytest.mark.fault(34)
@pytest.mark.parametrize("factor", [1000, 30_000])
def test_times_in_milliseconds_or_samples_are_refused(tmp_path, factor):
    spikes = [np.round(times * factor) for times in poisson_spikes(stop=1000.0)]
    path = write_recording(tmp_path / "a.nwb", spike_times=spikes)
    with pytest.raises(BadInput, match=r"median rate .* days .*--time-scale"):
        read_nwb(path)
    assert read_nwb(path, time_scale=1 / factor).spike_times.max() == pytest.approx(1000, abs=2)


@pytest.mark.fault(34)
def test_a_long_quiet_recording_in_seconds_is_not_refused(tmp_path):
    spikes = poisson_spikes(rate=0.1, stop=2 * 86_400.0)
    assert read_nwb(write_recording(tmp_path / "a.nwb", spike_times=spikes)).n_units == 4


@pytest.mark.fault(35)
def test_unix_times_are_refused(tmp_path):
    spikes = [times + 1.7e9 for times in poisson_spikes()]
    path = write_recording(tmp_path / "a.nwb", spike_times=spikes)
    with pytest.raises(BadInput, match=r"first spike of .* at 1\.7e\+09 s.*Unix time.*time_scale"):
        read_nwb(path)


@pytest.mark.fault(36)
def test_spike_times_in_float32_are_reported_where_they_are_coarse(tmp_path):
    late = [times.astype("f4") for times in poisson_spikes(start=86_300, stop=86_400)]
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        flat = np.concatenate(late)
        replace_dataset(file, "units/spike_times", flat)
    session = read_nwb(path)
    assert "stored as float32: near the end times are 7.8 ms apart" in spikes_line(session).reasons
    assert session.units.attrs["spike_time_spacing"] == pytest.approx(2**-7)
    assert session.spike_times.dtype == np.float64
