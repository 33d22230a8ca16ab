"""Data frames: the kind of fault is a label that is lost, so that a unit or a moment is another's.

Its members are names and clock of the activity, of the signals, of the events and of the columns of units.
"""

import numpy as np
import pandas as pd
import pytest

from nwbsparse import read
from nwbsparse.errors import BadInput

COUNTS = np.random.default_rng(0).poisson(1.0, (50, 3))
TIMES = 100.05 + 0.1 * np.arange(50)


def frame(**given):
    return pd.DataFrame(COUNTS, **({"columns": ["a", "b", "c"]} | given))


def said(session):
    return " | ".join(reason for line in session.report.lines for reason in line.reasons)


def test_columns_are_the_units_and_an_index_of_seconds_is_the_clock():
    session = read(frame(index=pd.Index(TIMES, name="time")), bin_width=0.1)
    assert session.units["unit_id"].values.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(session.traces.times, TIMES)
    assert "named by the columns" in said(session)
    assert "data frame's index" in said(session)
    assert session.extent == pytest.approx((100.0, 105.0))


def test_timedeltas_and_numbers_of_units_are_read_as_well():
    index = pd.to_timedelta(TIMES, unit="s")
    session = read(frame(index=index, columns=[7, 3, 12]), bin_width=0.1)
    assert session.units["unit_id"].values.tolist() == [7, 3, 12]
    np.testing.assert_allclose(session.traces.times, TIMES)


def test_labels_that_only_count_change_nothing_and_what_is_given_goes_first():
    plain = read(COUNTS, bin_width=0.1)
    session = read(pd.DataFrame(COUNTS), bin_width=0.1)
    assert session.units["unit_id"].values.tolist() == plain.units["unit_id"].values.tolist()
    np.testing.assert_array_equal(session.traces.times, plain.traces.times)
    assert said(session) == said(plain)
    session = read(frame(index=TIMES), bin_width=0.1, times=TIMES + 1, unit_ids=[4, 5, 6])
    assert session.units["unit_id"].values.tolist() == [4, 5, 6]
    np.testing.assert_array_equal(session.traces.times, TIMES + 1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"index": pd.date_range("2024-01-01", periods=50)}, "index of the data frame .dates."),
        ({"index": np.arange(0, 100, 2)}, "neither seconds nor 0, 1, 2"),
        ({"columns": ["time", "a", "b"]}, "column 'time' of the data frame is the clock"),
        ({"columns": pd.MultiIndex.from_tuples([("p", 1), ("p", 2), ("q", 1)])}, "several levels"),
    ],
)
def test_labels_that_are_neither_are_refused_and_not_dropped(given, words):
    with pytest.raises(BadInput, match=words):
        read(frame(**given), bin_width=0.1)


def test_signals_and_events_keep_the_clock_of_their_index():
    speed = pd.Series(np.arange(20.0), index=101 + 0.2 * np.arange(20))
    licks = pd.Series(["l", "r", "l"], index=pd.Index([101.0, 102.0, 103.0], name="time"))
    session = read(
        frame(index=TIMES), bin_width=0.1, series={"speed": speed}, events={"licks": licks}
    )
    np.testing.assert_allclose(session.series["speed"].times, speed.index)
    np.testing.assert_allclose(session.events["licks"].times, [101, 102, 103])
    assert session.events["licks"].labels.tolist() == ["l", "r", "l"]


def test_a_column_of_units_in_another_order_is_put_into_theirs():
    region = pd.Series(["CA3", "CA1", "DG"], index=["c", "a", "b"])
    session = read(frame(index=TIMES), bin_width=0.1, columns={"region": region})
    assert session.units["region"].values.tolist() == ["CA1", "DG", "CA3"]
    with pytest.raises(BadInput, match="names other units"):
        read(frame(index=TIMES), bin_width=0.1, columns={"region": region.rename({"a": "x"})})


def test_an_index_that_holds_the_ids_names_the_units_and_a_plain_one_counts_them():
    activity = pd.DataFrame(np.ones((50, 3), dtype=int), columns=[2, 0, 1], index=TIMES)
    named = pd.Series([10, 20, 30], index=[0, 1, 2])
    session = read(activity, bin_width=0.1, columns={"depth": named})
    assert session.units["depth"].values.tolist() == [30, 10, 20]
    counted = pd.Series([10, 20, 30])
    session = read(activity, bin_width=0.1, columns={"depth": counted})
    assert session.units["depth"].values.tolist() == [10, 20, 30]


def test_levels_that_a_bin_width_stands_in_for_are_said_to_be_left_out():
    levels = pd.MultiIndex.from_product([range(5), range(10)], names=["trial", "phase"])
    session = read(frame(index=levels), bin_width=0.1)
    assert "(trial, phase) were left out" in said(session)
