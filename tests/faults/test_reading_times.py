"""Faults of clocks and intervals: what must never go wrong when they are read."""

from types import SimpleNamespace

import numpy as np
import pytest

from make.recordings import (
    circle,
    damaged,
    laps,
    reasons,
    replace_dataset,
    time_series,
    write_recording,
)
from nwbsparse.binning.observed import observed
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.read import read_nwb
from nwbsparse.io.rules.scale import channel_scale

POSITION = "/processing/behavior/Position/position"


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
    with pytest.raises(BadInput, match="is no clock; give rate="):
        read_nwb(path, strict=True)
    assert len(read_nwb(path, rate=50.0, strict=True).series["position"].times) == 5000


@pytest.mark.parametrize("name", ["conversion", "offset"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_a_conversion_that_would_lose_every_sample_is_mended(tmp_path, name, value):
    """The kind of fault: a factor that nobody knew; so of behaviour, and of traces below."""
    path = write_recording(tmp_path / "a.nwb", position=circle())
    with damaged(path) as file:
        file[f"{POSITION}/data"].attrs[name] = value
    session = read_nwb(path)
    np.testing.assert_array_equal(session.series["position"].data, circle()["data"])
    if name == "conversion" or value != 0:
        assert f"its {name} is {value:g}" in reasons(session, "series", POSITION)
        with pytest.raises(BadInput, match=f"its {name} is"):
            read_nwb(path, strict=True)


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_conversions_of_traces_and_channels_are_mended_too(tmp_path, value):
    data = np.random.default_rng(0).random((4000, 1))
    path = write_recording(
        tmp_path / "a.nwb", electrodes={"location": ["CA1"] * 4},
        acquisition=[time_series("roi", data=data, rate=10.0)], raw={"data": data, "rate": 500.0},
    )  # fmt: skip
    with damaged(path) as file:
        file["acquisition/roi/data"].attrs["conversion"] = value
        file["acquisition/raw/data"].attrs["conversion"] = value
    session = read_nwb(path, series="roi")
    np.testing.assert_array_equal(session.traces.data, data.astype(np.float32))
    assert "its conversion is" in reasons(session, "traces", "/acquisition/roi")
    session = read_nwb(path, series="raw", band=(5.0, 20.0))
    assert session.traces.data.max() > 0
    assert "its conversion is" in reasons(session, "traces", "/acquisition/raw")
    [scale] = [channel_scale(SimpleNamespace(channel_conversion=[2.0, value]), 2)]
    assert scale[0].tolist() == [2.0, 1.0] and "1 of 2 channel conversions" in scale[1][0]


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
def test_an_open_interval_ends_with_the_next_or_with_the_activity(tmp_path):
    """The kind of fault: inf is taken for no number. So of trials, epochs, and asked stretches."""
    trials = _trials([-np.inf, 40, 60], [30, np.inf, np.inf])
    path = write_recording(tmp_path / "a.nwb", trials=trials, invalid_times=[(90, np.inf)])
    session = read_nwb(path)
    first, last = session.spike_times.min(), session.spike_times.max()
    table = session.intervals["trials"]
    np.testing.assert_array_equal(table["start_time"], [first, 40, 60])
    np.testing.assert_array_equal(table["stop_time"], [30, 60, last])
    said = reasons(session, "intervals", "trials")
    assert "2 rows (1, 2) that stop at inf: took the next start, or the end of the spikes" in said
    assert "1 row (0) that start at -inf" in said
    np.testing.assert_array_equal(observed(session)[0], [[first, 90]])
    asked = observed(session, intervals=np.array([[50.0, np.inf]]))
    np.testing.assert_array_equal(asked[0], [[50, 90]])


@pytest.mark.fault(45)
def test_rows_that_last_no_time_are_said_to_hold_no_bin(tmp_path):
    session = read_nwb(write_recording(tmp_path / "a.nwb", trials=_trials([5, 9, 9], [5, 9, 12])))
    assert "2 rows last 0 s: no bin can lie in them" in reasons(session, "intervals", "trials")


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
