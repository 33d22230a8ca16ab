"""Stimuli that a file states as a series over time become tables of presentations."""

import numpy as np
import pytest
from pynwb import NWBHDF5IO, TimeSeries

from make.recordings import line_of, poisson_spikes, reasons, write_recording
from nwbsparse.io.read import read


def recording_with(path, *series):
    write_recording(path, spike_times=poisson_spikes(stop=60.0))
    with NWBHDF5IO(path, "a") as io:
        nwbfile = io.read()
        for one in series:
            nwbfile.add_stimulus(one)
        io.write(nwbfile)
    return read(path)


def test_a_sampled_series_has_a_row_for_each_stretch_without_change(tmp_path):
    degrees = np.repeat([0.0, 90.0, np.nan, 90.0, 0.0, np.nan], 20)
    session = recording_with(
        tmp_path / "a.nwb",
        TimeSeries(
            name="grating angle", data=degrees, unit="degrees", rate=10.0, starting_time=5.0
        ),
    )
    table = session.intervals["grating_angle"]
    np.testing.assert_allclose(table["start_time"], 5 + 2 * np.arange(6))
    np.testing.assert_allclose(table["stop_time"], 7 + 2 * np.arange(6))
    np.testing.assert_array_equal(table["grating_angle"], [0, 90, np.nan, 90, 0, np.nan])
    assert table["grating_angle"].attrs["kind"] == "category"
    assert table.attrs["path"] == "/stimulus/presentation/grating angle"
    assert "6 presentations, 3 different ones" in reasons(
        session, "other", "/stimulus/presentation/grating angle"
    )
    assert session.report.of_kind("series") == ()


def test_a_sample_per_presentation_is_a_row_each_even_where_one_follows_its_like(tmp_path):
    data = np.array([[0, 1], [0, 1], [90, 2], [0, 1], [90, 2]], dtype=np.int16)
    session = recording_with(
        tmp_path / "a.nwb",
        TimeSeries(name="gratings", data=data, unit="n.a.", timestamps=[1.0, 4.0, 7.0, 11.0, 14.0]),
    )
    table = session.intervals["gratings"]
    np.testing.assert_array_equal(table["start_time"], [1, 4, 7, 11, 14])
    np.testing.assert_array_equal(table["stop_time"], [4, 7, 11, 14, 17])
    np.testing.assert_array_equal(table["gratings_1"], data[:, 0])
    np.testing.assert_array_equal(table["gratings_2"], data[:, 1])


def test_a_pause_of_the_clock_ends_a_presentation(tmp_path):
    times = np.concatenate([np.arange(40) / 10, 30 + np.arange(40) / 10])
    session = recording_with(
        tmp_path / "a.nwb",
        TimeSeries(
            name="angle", data=np.tile(np.repeat([0.0, 9.0], 20), 2), unit="n.a.", timestamps=times
        ),
    )
    np.testing.assert_allclose(session.intervals["angle"]["stop_time"], [2, 4.2, 32, 34])


@pytest.mark.parametrize(
    "series",
    [
        TimeSeries(
            name="noise", data=np.random.default_rng(0).normal(size=300), unit="V", rate=10.0
        ),
        TimeSeries(name="tone", data=[1.0, 2.0], unit="Pa", rate=1.0),
        TimeSeries(name="wide", data=np.zeros((50, 9)), unit="V", rate=1.0),
        TimeSeries(name="clockless", data=np.tile([0.0, 1.0], 50), unit="V", rate=np.nan),
    ],
    ids=lambda one: one.name,
)
def test_what_states_no_stimuli_is_listed_and_left(series, tmp_path):
    session = recording_with(tmp_path / "a.nwb", series)
    assert series.name not in session.intervals
    assert line_of(session, "other", f"/stimulus/presentation/{series.name}").kept == 0


def test_a_table_of_the_same_name_keeps_it(tmp_path):
    path = tmp_path / "a.nwb"
    write_recording(path, spike_times=poisson_spikes(stop=60.0), trials={
        "start_time": [1.0, 2.0], "stop_time": [2.0, 3.0]})  # fmt: skip
    with NWBHDF5IO(path, "a") as io:
        nwbfile = io.read()
        data = np.repeat([0.0, 1.0, 0.0, 1.0], 10)
        nwbfile.add_stimulus(TimeSeries(name="trials", data=data, unit="n.a.", rate=1.0))
        io.write(nwbfile)
    session = read(path)
    assert session.intervals["trials"].sizes["interval"] == 2
    assert session.intervals["trials_over_time"].sizes["interval"] == 4
