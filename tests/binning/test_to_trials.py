"""Trials cut out of a session: known answers by hand, for traces and for spikes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import nwbsparse as ns
from make.sessions import make_series, make_session, make_table
from make.trial_sessions import clock_session, imaged, with_column
from nwbsparse.binning.trial_labels import labels_of


def notes(trials):
    return json.loads(trials.attrs["notes"])


def test_traces_are_averaged_in_bins_that_begin_with_the_trial():
    trials = ns.to_trials(clock_session(), bin_width=0.5)
    assert trials["activity"].dims == ("trial", "time", "unit")
    assert trials["activity"].dtype == np.float32
    np.testing.assert_allclose(trials["time"], [0.25, 0.75, 1.25, 1.75])
    # five samples in each bin, the first on its left edge: their mean lies .2 s behind it
    expected = trials["start"].values[:, None] + np.arange(4) * 0.5 + 0.2
    np.testing.assert_allclose(trials["activity"].values[:, :, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(trials["activity"].values[:, :, 1], -expected, rtol=1e-6)
    assert trials["row"].values.tolist() == list(range(6))
    assert trials["direction"].values.tolist() == [0, 1, 2, 0, 1, 2]
    assert json.loads(trials["direction"].attrs["values"]) == ["0", "90", "270"]
    assert not trials["blank"].any() and notes(trials) == []
    assert trials.attrs["window"] == [0.0, 2.0]
    assert trials.attrs["table"] == "trials"
    [step] = json.loads(trials.attrs["history"])
    assert step["step"] == "to_trials" and step["parameters"]["labels"] == ["direction"]


def test_without_a_width_each_sample_of_a_trace_is_a_bin():
    trials = ns.to_trials(clock_session())
    assert trials.sizes["time"] == 20
    np.testing.assert_allclose(
        trials["activity"].values[0, :, 0], 5 + np.arange(20) / 10, rtol=1e-6
    )


def test_spikes_are_counted_per_bin_and_a_window_may_begin_before_the_trial():
    table = make_table([10.0, 20.0], [12.0, 22.0], side=("category", ["l", "r"]))
    spikes = {7: [0.0, 9.5, 10.0, 10.2, 11.99, 40.0], 9: [19.75, 20.5, 21.0]}
    session = make_session(spikes, intervals={"trials": table})
    trials = ns.to_trials(session, window=(-0.5, 2.0), bin_width=0.5)
    np.testing.assert_allclose(trials["time"], [-0.25, 0.25, 0.75, 1.25, 1.75])
    expected = np.zeros((2, 5, 2))
    expected[0, :, 0] = [1, 2, 0, 0, 1]
    expected[1, :, 1] = [1, 0, 1, 1, 0]
    np.testing.assert_array_equal(trials["activity"], expected)
    assert trials["unit_id"].values.tolist() == [7, 9]


def test_overlapping_windows_are_each_whole():
    table = make_table([10.0, 11.0, 11.5], [13.0, 14.0, 14.5], kind=("category", ["a", "b", "a"]))
    rng = np.random.default_rng(0)
    session = make_session(
        {0: rng.uniform(0, 40, 900), 1: rng.uniform(0, 40, 90)}, intervals={"trials": table}
    )
    together = ns.to_trials(session, bin_width=0.25)
    for trial, start in enumerate([10.0, 11.0, 11.5]):
        edges = start + np.arange(13) * 0.25
        for unit in (0, 1):
            counted = np.histogram(session.spikes_of(unit), edges)[0]
            np.testing.assert_array_equal(together["activity"].values[trial, :, unit], counted)


def test_an_unsteady_clock_leaves_no_bin_of_its_own_step_empty():
    rng = np.random.default_rng(1)
    times = np.arange(400) / 10 + rng.uniform(0, 0.04, 400)
    session = clock_session()
    session = imaged(np.column_stack([times, times]), times, session.intervals)
    trials = ns.to_trials(session, bin_width=0.1)
    values = trials["activity"].values
    assert np.isfinite(values).all()
    centres = trials["start"].values[:, None] + trials["time"].values
    assert np.abs(values[:, :, 0] - centres).max() < 0.1


def test_bins_in_a_pause_are_nan_and_trials_mostly_in_one_are_left_out():
    session = clock_session()
    times = session.traces.times
    # 6.5 to 7.5 s: the last quarter of the first trial; 10 to 11.5 s: most of the second
    gone = ((times >= 6.49) & (times < 7.49)) | ((times >= 9.99) & (times < 11.49))
    kept = replace(session.traces, times=times[~gone], data=session.traces.data[~gone])
    trials = ns.to_trials(replace(session, traces=kept), bin_width=0.5)
    assert trials["row"].values.tolist() == [0, 2, 3, 4, 5]
    unknown = np.isnan(trials["activity"].values).all(axis=2)
    assert unknown.sum() == 1 and unknown[0, 3]
    assert notes(trials) == [
        "1 trial left out: the recording covers less than half of the window",
        "in 1 of 5 trials some bins were not recorded: they are NaN",
    ]


def test_trials_beyond_the_recording_are_left_out_and_said():
    trials = ns.to_trials(clock_session(n_trials=9), bin_width=0.5)
    assert trials["row"].values.tolist() == list(range(7))
    assert notes(trials) == ["2 trials left out: the window lies outside the recording"]
    session = make_session(
        {0: np.arange(0.5, 30, 0.25)},
        intervals={
            "trials": make_table([-1.0, 5.0, 9.0], [1.0, 7.0, 11.0], s=("category", list("aab")))
        },
        extent=(0.0, 30.0),
    )
    assert ns.to_trials(session, bin_width=0.5)["row"].values.tolist() == [1, 2]


def test_samples_that_are_nan_stay_unknown_and_are_said():
    session = clock_session()
    data = session.traces.data.copy()
    data[50:60, 1] = np.nan
    broken = replace(session, traces=replace(session.traces, data=data))
    trials = ns.to_trials(broken, bin_width=0.5)
    unknown = np.isnan(trials["activity"].values)
    assert unknown.sum() == 2 and unknown[0, :2, 1].all()
    assert notes(trials) == ["2 of 48 values were not measured: they are NaN"]
    data[:, 1] = np.nan
    trials = ns.to_trials(
        replace(session, traces=replace(session.traces, data=data)), bin_width=0.5
    )
    assert notes(trials) == [
        "24 of 48 values were not measured: they are NaN; 1 units without any value"
    ]


def test_units_that_were_not_observed_are_nan():
    table = make_table([10.0, 20.0], [12.0, 22.0], side=("category", ["l", "r"]))
    spikes = {0: np.arange(0, 30, 0.1), 1: np.arange(0, 15, 0.1)}
    session = make_session(
        spikes, intervals={"trials": table}, obs_intervals=[[(0, 30)], [(0, 15)]]
    )
    trials = ns.to_trials(session, bin_width=1.0)
    assert np.isfinite(trials["activity"].values[:, :, 0]).all()
    assert np.isfinite(trials["activity"].values[0]).all()
    assert np.isnan(trials["activity"].values[1, :, 1]).all()


def test_blank_sweeps_are_kept_apart_without_a_label():
    session = clock_session()
    session = with_column(
        session,
        direction=("category", [0.0, np.nan, 90.0, 0.0, 45.0, 90.0]),
        blank_sweep=("category", [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
    )
    trials = ns.to_trials(session, bin_width=0.5)
    assert trials["blank"].values.tolist() == [False, True, False, False, True, False]
    assert trials["direction"].values.tolist() == [0, -1, 1, 0, -1, 1]
    assert json.loads(trials["direction"].attrs["values"]) == ["0", "90"]
    assert np.isfinite(trials["activity"]).all()
    assert labels_of(trials) == ["direction"]


def test_a_trial_with_one_of_its_labels_is_not_blank():
    session = with_column(
        clock_session(),
        direction=("category", [0.0, np.nan, 90.0, np.nan, 0.0, 90.0]),
        speed=("category", ["slow", "fast", "slow", "", "fast", "slow"]),
    )
    trials = ns.to_trials(session, labels="direction, speed", bin_width=0.5)
    assert trials["blank"].values.tolist() == [False, False, False, True, False, False]
    assert trials["direction"].values.tolist() == [0, -1, 1, -1, 0, 1]
    assert trials["speed"].values.tolist() == [1, 0, 1, -1, 0, 1]


def test_a_condition_chooses_the_trials():
    trials = ns.to_trials(clock_session(), where="direction != 90", bin_width=0.5)
    assert trials["row"].values.tolist() == [0, 2, 3, 5]
    assert json.loads(trials["direction"].attrs["values"]) == ["0", "270"]


def test_behaviour_has_a_value_in_each_bin():
    times = np.arange(0, 40, 0.05)
    signals = [
        make_series("speed", times, times * 2),
        make_series("angle", times, np.angle(np.exp(1j * times)), kind="circular", unit="radians"),
        make_series("place", times, np.column_stack([times, -times]), kind="position", unit="m"),
    ]
    session = clock_session(series=signals)
    trials = ns.to_trials(session, labels="direction, speed, angle, place_y", bin_width=0.5)
    assert trials["speed"].dims == ("trial", "time")
    mean = trials["start"].values[:, None] + np.arange(4) * 0.5 + 0.225
    np.testing.assert_allclose(trials["speed"], 2 * mean, rtol=1e-5)
    np.testing.assert_allclose(trials["place_y"], -mean, rtol=1e-5)
    assert trials["speed"].attrs["kind"] == "continuous"
    assert trials["angle"].attrs["kind"] == "circular"
    assert trials["angle"].attrs["period"] == pytest.approx(2 * np.pi)


@pytest.mark.parametrize("window", [None, (0, 1.0)])
def test_like_makes_new_sessions_as_earlier_ones_were(window):
    before = ns.to_trials(clock_session(), bin_width=0.5, window=window)
    new = with_column(clock_session(name="new"), direction=("category", [270.0] * 6))
    after = ns.to_trials(new, like=before)
    assert after["direction"].values.tolist() == [2] * 6
    assert after["direction"].attrs["values"] == before["direction"].attrs["values"]
    xr.testing.assert_equal(after["time"], before["time"])


def test_the_session_is_left_as_it_was():
    session = clock_session()
    before = session.traces.data.copy(), session.intervals["trials"].copy(deep=True)
    ns.to_trials(session, bin_width=0.5)
    np.testing.assert_array_equal(session.traces.data, before[0])
    xr.testing.assert_identical(session.intervals["trials"], before[1])
