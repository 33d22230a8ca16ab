"""Behaviour, intervals and events given as arrays and frames, beside spikes in memory."""

import numpy as np
import pandas as pd
import pytest

from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.numpy import read_times
from nwbsparse.session import Series
from recordings import line_of, reasons

RNG = np.random.default_rng(0)


def trains():
    return {1: RNG.uniform(0, 50, 300), 2: RNG.uniform(0, 50, 200)}


def test_series_by_kind_and_clock():
    times = np.arange(500) / 10
    session = read_times(
        trains(),
        series={
            "position": (times, RNG.random((500, 2))),
            "head direction": (times, RNG.uniform(0, 6, 500)),
            "speed": Series("anything", times, times * 2, unit="m/s"),
            "pupil": (np.append(times[:-1], np.nan), np.where(times < 1, np.nan, times)),
        },
    )
    kinds = {name: series.kind for name, series in session.series.items()}
    assert kinds == {
        "position": "position", "head_direction": "circular",
        "speed": "continuous", "pupil": "continuous",
    }  # fmt: skip
    assert session.series["speed"].unit == "m/s"
    pupil = line_of(session, "series", "pupil")
    assert (pupil.found, pupil.kept) == (500, 499)
    assert "NaN or infinite timestamps" in pupil.reasons[0] and "10 samples NaN" in pupil.reasons[1]


def test_a_signal_on_another_clock_is_reported_not_shifted():
    session = read_times(trains(), series={"speed": (np.arange(10) + 1e6, np.arange(10.0))})
    assert "another clock? It was not shifted" in reasons(session, "series", "speed")


def test_labels_become_runs_that_end_at_gaps():
    times = np.array([0, 1, 2, 3, 4, 100, 101, 102.0])
    labels = np.array(["L", "L", "R", "R", "", "R", "R", "L"])
    table = read_times(trains(), series={"side": (times, labels)}).intervals["side_runs"]
    assert table["side"].values.tolist() == ["L", "R", "R", "L"]
    assert table["start_time"].values.tolist() == [0, 2, 100, 102]
    assert table["stop_time"].values.tolist() == [2, 4, 102, 103]
    assert table["side"].attrs["kind"] == "category"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.arange(5.0), r"series 's' has no clock: give \(times, data\)"),
        ((np.arange(4), np.arange(5.0)), "has 5 samples and its clock 4"),
        ((np.arange(5), np.ones((2, 5))), "time last; give its transpose"),
        ((np.arange(5), np.ones((5, 4))), "has 4 columns; behaviour has 1 to 3"),
        ((np.arange(5), np.ones(5, dtype=complex)), "holds complex128"),
        ((list("abcde"), np.arange(5.0)), "times of series 's' holds <U1"),
    ],
)
def test_series_that_are_none(value, message):
    with pytest.raises(BadInput, match=message):
        read_times(trains(), series={"s": value})


def test_intervals_from_arrays_and_frames():
    frame = pd.DataFrame(
        {
            "start": [0.0, 10, 20, 30],
            "end": [5.0, 15, np.nan, 25],
            "side": pd.Categorical(["L", "R", "L", "R"]),
            "reward": pd.array([1, None, 0, 1], dtype="Int64"),
            "tags": [["a", "b"], [], ["c"], ["a"]],
            "cells": [{1}, {2}, {3}, {4}],
        }
    )
    session = read_times(trains(), intervals={"trials": frame, "epochs": np.array([[0, 40.0]])})
    trials = session.intervals["trials"]
    assert trials["stop_time"].values.tolist() == [5, 15, 30]
    assert trials["side"].values.tolist() == ["L", "R", "L"]
    assert trials["tags"].values.tolist() == ["a,b", "", "c"]
    assert np.isnan(trials["reward"].values[1])
    said = reasons(session, "intervals", "trials")
    assert "NaN stop: took the next start" in said and "stop before they start" in said
    assert line_of(session, "intervals", "trials").dropped == 1
    assert line_of(session, "column", "trials/cells").kept == 0
    with pytest.raises(BadInput, match="stop before they start"):
        read_times(trains(), intervals={"trials": frame}, strict=True)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.ones((2, 5)), r"must be \(n, 2\).*give its transpose"),
        (np.ones(5), r"must be \(n, 2\)"),
        (pd.DataFrame({"start": [1.0]}), "no column stop_time or stop or end; they have start"),
        ({"start": [1.0, 2.0], "stop": [2.0]}, "different lengths: start_time 2, stop_time 1"),
        ({"start": ["a"], "stop": [2.0]}, "start of intervals 't' holds no numbers"),
    ],
)
def test_intervals_that_are_none(value, message):
    with pytest.raises(BadInput, match=message):
        read_times(trains(), intervals={"t": value})


def test_events():
    session = read_times(
        trains(), events={"lick": [3.0, 1.0, np.nan], "cue": ([1.0, 2.0], ["go", "stop"])}
    )
    assert session.events["lick"].times.tolist() == [1, 3]
    assert line_of(session, "events", "lick").dropped == 1
    assert session.events["cue"].labels is not None
    assert session.events["cue"].labels.tolist() == ["go", "stop"]
    with pytest.raises(BadInput, match="one label for each of their 2 times"):
        read_times(trains(), events={"cue": ([1.0, 2.0], ["go"])})


def test_a_name_is_never_taken_twice():
    labels = (np.arange(4.0), np.array(list("LLRR")))
    with pytest.raises(BadInput, match="intervals 'side_runs' are given, and made from the labels"):
        read_times(trains(), series={"side": labels}, intervals={"side_runs": [[0.0, 1.0]]})
    times = np.arange(4.0)
    both = read_times(trains(), series={"a b": (times, times), "a_b": (times, times * 2)})
    assert set(both.series) == {"a_b", "a_b_2"}
