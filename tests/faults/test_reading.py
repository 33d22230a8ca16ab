"""Faulty recordings: refused with a reason, or repaired and counted. See the table of faults."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from nwbsparse.errors import BadInput, EnvironmentProblem
from nwbsparse.io.check import check_readable
from nwbsparse.io.nwb.read import read_nwb
from recordings import (
    circle,
    damaged,
    laps,
    line_of,
    poisson_spikes,
    reasons,
    replace_dataset,
    time_series,
    write_recording,
)

POSITION = "/processing/behavior/Position/position"


def spikes_line(session):
    return line_of(session, "spikes", "spike_times")


# storage


@pytest.mark.fault(16)
@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5, 0.9, 0.999])
def test_a_truncated_file_says_how_much_is_missing(tmp_path, share):
    whole = write_recording(tmp_path / "a.nwb").read_bytes()
    path = tmp_path / "cut.nwb"
    have = int(len(whole) * share)
    path.write_bytes(whole[:have])
    with pytest.raises(BadInput) as refused:
        read_nwb(path)
    assert str(refused.value) == f"{path} is incomplete: {have} of {len(whole)} bytes. Re-copy it."


@pytest.mark.fault(16)
def test_a_file_cut_inside_its_header_is_damaged(tmp_path):
    whole = write_recording(tmp_path / "a.nwb").read_bytes()
    (tmp_path / "cut.nwb").write_bytes(whole[:20])
    with pytest.raises(BadInput, match=r"cut\.nwb is damaged: .*Re-copy it"):
        read_nwb(tmp_path / "cut.nwb")


@pytest.mark.fault(18)
def test_what_is_not_an_nwb_file_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(BadInput, match=r"none\.nwb does not exist; look in"):
        check_readable(tmp_path / "none.nwb")
    with pytest.raises(BadInput, match=r"does not exist; there is no folder .*absent either"):
        check_readable(tmp_path / "absent" / "none.nwb")
    with pytest.raises(BadInput, match="is a folder; give the path of one NWB file"):
        check_readable(tmp_path)
    (tmp_path / "empty.nwb").touch()
    with pytest.raises(BadInput, match="is empty: 0 bytes"):
        check_readable(tmp_path / "empty.nwb")
    (tmp_path / "text.nwb").write_text("a,b\n1,2\n" * 100)
    with pytest.raises(BadInput, match="is not an HDF5 file, so not NWB"):
        check_readable(tmp_path / "text.nwb")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = np.zeros(3)
    with pytest.raises(BadInput, match=r"HDF5 but not NWB: .*\(it holds images\)"):
        check_readable(tmp_path / "other.h5")
    (tmp_path / "annexed.nwb").symlink_to(tmp_path / "gone")
    with pytest.raises(BadInput, match="a link to a file that is not here; fetch it first"):
        check_readable(tmp_path / "annexed.nwb")


@pytest.mark.fault(18)
@pytest.mark.parametrize("version", ["NWB-1.0.6", "1.0.5"])
def test_nwb_1_is_refused_with_its_version_and_a_way_out(tmp_path, version):
    with h5py.File(tmp_path / "old.nwb", "w") as file:
        file["nwb_version"] = version
    with pytest.raises(BadInput, match=rf"is NWB {version[-5:]}, .*rewrite it with pynwb"):
        check_readable(tmp_path / "old.nwb")


@pytest.mark.fault(18)
def test_a_file_that_may_not_be_read_is_a_problem_of_the_environment(tmp_path, monkeypatch):
    path = write_recording(tmp_path / "a.nwb")

    def denied(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)  # chmod does not stop root
    with pytest.raises(EnvironmentProblem, match="may not be read by this account") as refused:
        check_readable(path)
    assert refused.value.exit_code == 3


@pytest.mark.fault(11)
def test_a_file_open_for_writing_elsewhere_is_a_problem_of_the_environment(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    lock = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", lock, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(EnvironmentProblem, match="open for writing in another program"):
            check_readable(path)
        other.communicate(b"\n")


@pytest.mark.fault(18)
def test_what_pynwb_cannot_build_is_refused_with_its_reason(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        del file["identifier"]
    with pytest.raises(BadInput, match=r"cannot be read by pynwb \(.*identifier"):
        read_nwb(path)


@pytest.mark.fault(18)
def test_an_extension_without_its_definition_is_named(tmp_path):
    path = write_recording(tmp_path / "a.nwb", position=circle())
    with damaged(path) as file:
        file[POSITION].attrs.update(neurodata_type="FooSeries", namespace="ndx-foo")
    with pytest.raises(BadInput, match=r"extension ndx-foo but .*pip install ndx-foo"):
        read_nwb(path)


@pytest.mark.fault(18)
def test_a_damaged_chunk_is_refused(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        values = file["units/spike_times"][:]
        attributes = dict(file["units/spike_times"].attrs)
        del file["units/spike_times"]
        held = file.create_dataset("units/spike_times", data=values, compression="gzip")
        held.attrs.update(attributes)
        chunk = held.id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"data in .*a\.nwb are damaged"):
        read_nwb(path)


@pytest.mark.fault(23)
def test_a_dangling_external_link_names_what_is_missing(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        file["acquisition/raw"] = h5py.ExternalLink("raw.nwb", "/acquisition/raw")
    with pytest.raises(BadInput, match=r"/acquisition/raw in .* points to raw\.nwb; fetch it"):
        read_nwb(path)
    with h5py.File(tmp_path / "raw.nwb", "w") as file:
        file["other"] = 1
    with pytest.raises(BadInput, match=r"points to /acquisition/raw in .*raw\.nwb, which is not"):
        read_nwb(path)


@pytest.mark.fault(24)
@pytest.mark.parametrize("strict", [True, False])
def test_a_corrupt_ragged_index_names_the_unit(tmp_path, strict):
    path = write_recording(tmp_path / "a.nwb", unit_ids=[6, 191, 206, 207])
    with damaged(path) as file:
        index = file["units/spike_times_index"][:].astype(np.int64)
        replace_dataset(file, "units/spike_times_index", index[[0, 2, 1, 3]])
    with pytest.raises(BadInput, match=r"spike_times_index is not increasing at unit 206 \(row 2"):
        read_nwb(path, strict=strict)
    with damaged(path) as file:
        replace_dataset(file, "units/spike_times_index", index + np.array([0, 0, 0, 7]))
    with pytest.raises(BadInput, match=r"spike_times_index of unit 207 \(row 3\) points to spike"):
        read_nwb(path, strict=strict)
    with damaged(path) as file:
        replace_dataset(file, "units/spike_times_index", index[:3])
    with pytest.raises(BadInput, match="same number of ids as length of columns"):
        read_nwb(path, strict=strict)


@pytest.mark.fault(24)
def test_spikes_past_the_last_index_are_counted(tmp_path):
    path = write_recording(tmp_path / "a.nwb")
    with damaged(path) as file:
        index = file["units/spike_times_index"][:].astype(np.int64)
        index[3] -= 5
        replace_dataset(file, "units/spike_times_index", index)
    line = spikes_line(read_nwb(path))
    assert line.dropped == 5
    assert "5 spikes belong to no unit" in line.reasons
    with pytest.raises(BadInput, match="5 spikes belong to no unit"):
        read_nwb(path, strict=True)


# units and spikes


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
    with pytest.raises(BadInput, match=r"no Units in .*: the table has no spike_times"):
        read_nwb(path)
    with damaged(path) as file:
        replace_dataset(file, "units/id", np.empty(0, dtype=np.int64))
    with pytest.raises(BadInput, match=r"no Units in .*: the table has no rows"):
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


# clocks of behaviour


@pytest.mark.fault(43)
def test_bad_timestamps_are_dropped_and_counted(tmp_path):
    stamps = np.arange(100.0)
    stamps[10] = np.nan
    stamps[20] = stamps[19]  # repeats
    stamps[30] = 5.0  # runs backwards
    stamps[40] = 1e6  # one stamp from the far future must not delete all that follow
    data = np.arange(100.0)
    path = write_recording(tmp_path / "a.nwb", position={"data": data, "timestamps": stamps})
    session = read_nwb(path)
    series = session.series["position"]
    assert (np.diff(series.times) > 0).all()
    assert len(series.times) == len(series.data) == 96
    np.testing.assert_array_equal(series.data, series.times)
    said = reasons(session, "series", POSITION)
    assert "1 sample with NaN or infinite timestamps dropped" in said
    assert "3 samples dropped because timestamps run backwards" in said
    with pytest.raises(BadInput, match="2 problems") as refused:
        read_nwb(path, strict=True)
    assert "timestamps run backwards" in str(refused.value)


@pytest.mark.fault(43)
def test_a_clock_of_another_length_is_cut_to_the_shorter(tmp_path):
    given = {"data": np.arange(100.0), "timestamps": np.arange(100.0)}
    path = write_recording(tmp_path / "a.nwb", position=given)
    with damaged(path) as file:
        replace_dataset(file, f"{POSITION}/data", np.arange(90.0))
    session = read_nwb(path)
    assert len(session.series["position"].times) == 90
    assert "100 timestamps for 90 samples" in reasons(session, "series", POSITION)


@pytest.mark.fault(44)
@pytest.mark.parametrize("rate", [0.0, np.nan, -5.0])
def test_a_rate_that_is_no_rate_leaves_the_series_out(tmp_path, rate):
    path = write_recording(tmp_path / "a.nwb", position=circle())
    with damaged(path) as file:
        file[f"{POSITION}/starting_time"].attrs["rate"] = rate
    session = read_nwb(path)
    assert session.series == {}
    [line] = session.report.of_kind("series")
    assert line.kept == 0
    assert "is no clock" in " ".join(line.reasons)
    with pytest.raises(BadInput, match="is no clock"):
        read_nwb(path, strict=True)


@pytest.mark.fault(44)
def test_a_rate_that_holds_the_period_leaves_the_series_out_loudly(tmp_path):
    path = write_recording(tmp_path / "a.nwb", position=circle() | {"rate": 0.0256})
    session = read_nwb(path)
    assert session.series == {}
    said = reasons(session, "series", POSITION)
    assert "LEFT OUT" in said
    assert "39.06 Hz was meant" in said


# intervals


def _trials(start, stop):
    return {"start_time": np.array(start, float), "stop_time": np.array(stop, float)}


@pytest.mark.fault(45)
def test_a_nan_stop_becomes_the_next_start(tmp_path):
    # not in order of time: the next start is the next in time, not in the table
    trials = _trials([20, 0, 10, 30], [np.nan, np.nan, 15, np.nan])
    path = write_recording(tmp_path / "a.nwb", trials=trials)
    session = read_nwb(path)
    table = session.intervals["trials"]
    last = session.spike_times.max()
    np.testing.assert_array_equal(table["stop_time"], [30, 10, 15, last])
    assert table["stop_time"].attrs["inferred"] == 3
    said = reasons(session, "intervals", "trials")
    assert "3 rows (0, 1, 3) with NaN stop: took the next start" in said
    with pytest.raises(BadInput, match=r"3 rows \(0, 1, 3\) with NaN stop"):
        read_nwb(path, strict=True)


@pytest.mark.fault(45)
def test_rows_that_make_no_sense_are_dropped_and_listed(tmp_path):
    trials = _trials([0, np.nan, 20, 30, 200], [5, 15, 18, 35, np.nan])
    path = write_recording(tmp_path / "a.nwb", trials=trials)
    session = read_nwb(path)
    np.testing.assert_array_equal(session.intervals["trials"]["start_time"], [0, 30])
    [line] = session.report.of_kind("intervals")
    assert (line.found, line.dropped) == (5, 3)
    said = " | ".join(line.reasons)
    assert "1 row (1) without a start dropped" in said
    assert "1 row (2) that stop before they start dropped" in said
    assert "1 row (4) without a stop or a later start dropped" in said


@pytest.mark.fault(45)
def test_overlapping_and_outside_rows_are_kept_and_listed(tmp_path):
    trials = _trials([0, 5, 20, 500], [10, 15, 25, 510])
    session = read_nwb(write_recording(tmp_path / "a.nwb", trials=trials), strict=True)
    assert session.intervals["trials"].sizes["interval"] == 4
    said = reasons(session, "intervals", "trials")
    assert "1 row overlapping an earlier one kept: 1" in said
    assert "1 row outside the spikes" in said
    assert "kept: 3" in said


@pytest.mark.fault(45)
def test_contiguous_trials_do_not_overlap(tmp_path):
    session = read_nwb(write_recording(tmp_path / "a.nwb", trials=laps()))
    assert reasons(session, "intervals", "trials") == ""
