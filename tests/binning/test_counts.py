"""Counts per bin and unit: nothing is lost, nothing is counted twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make.sessions import make_session, times_at_edges
from nwbsparse.binning.counts import count_spikes, observed_bins
from nwbsparse.binning.grid import make_grid
from nwbsparse.binning.select_units import select_units
from nwbsparse.errors import BadInput

TEN_SECONDS = make_grid(np.array([[0.0, 10.0]]), 0.1)


def all_rows(session):
    return np.arange(session.n_units)


@settings(deadline=None, max_examples=150)
@given(drawn=times_at_edges(), cut=st.integers(0, 60))
def test_every_spike_is_counted_once_or_reported_as_dropped(drawn, cut):
    times = np.sort(drawn["times"])
    session = make_session({"a": times[:cut], "b": times[cut:], "empty": []})
    start, width = drawn["start"], drawn["width"]
    grid = make_grid(np.array([[start, start + 100 * width]]), width)
    counts, dropped = count_spikes(session, grid, all_rows(session))
    per_unit = counts.sum(axis=0, dtype=np.int64)
    np.testing.assert_array_equal(per_unit + dropped, session.units["n_spikes"].values)
    inside = (drawn["bins"] >= 0) & (drawn["bins"] < 100)
    assert per_unit.sum() == inside.sum()
    expected = np.bincount(drawn["bins"][inside], minlength=100)
    np.testing.assert_array_equal(counts.sum(axis=1), expected)


@settings(deadline=None, max_examples=50)
@given(drawn=times_at_edges(n_bins=400), n=st.sampled_from([2, 3, 4]))
def test_counts_of_narrow_bins_sum_to_the_wide_ones(drawn, n):
    session = make_session({0: drawn["times"]})
    stretch = np.array([[drawn["start"], drawn["start"] + n * 100 * drawn["width"]]])
    narrow, lost = count_spikes(session, make_grid(stretch, drawn["width"]), all_rows(session))
    wide, lost_wide = count_spikes(
        session, make_grid(stretch, n * drawn["width"]), all_rows(session)
    )
    np.testing.assert_array_equal(narrow.reshape(100, n, 1).sum(axis=1), wide)
    np.testing.assert_array_equal(lost, lost_wide)


def test_known_counts():
    session = make_session({"a": [0.05, 0.1, 0.1, 0.19, 9.95, 10.0, -1.0], "b": [5.0]})
    counts, dropped = count_spikes(session, TEN_SECONDS, all_rows(session))
    assert counts.shape == (100, 2)
    assert counts.dtype == np.uint8
    assert counts[[0, 1, 2, 99], 0].tolist() == [1, 3, 0, 1]
    assert counts[50, 1] == 1
    assert dropped.tolist() == [2, 0]


def test_only_the_rows_asked_for_are_counted_in_their_order():
    session = make_session({"a": [0.05], "b": [0.05, 0.06], "c": [0.05, 0.06, 0.07]})
    counts, _ = count_spikes(session, TEN_SECONDS, np.array([2, 0]))
    assert counts[0].tolist() == [3, 1]


@pytest.mark.fault(47)
@pytest.mark.parametrize(
    ("n", "dtype"), [(255, np.uint8), (256, np.uint16), (300, np.uint16), (70_000, np.uint32)]
)
def test_the_integer_type_grows_with_the_largest_count(n, dtype):
    spikes = {"first": [0.05, 0.05], "busy": np.full(n, 0.25), "last": [0.35]}
    session = make_session(spikes)
    counts, dropped = count_spikes(session, TEN_SECONDS, all_rows(session))
    assert counts.dtype == dtype
    assert counts[2].tolist() == [0, n, 0]
    assert counts[0].tolist() == [2, 0, 0]
    assert counts[3].tolist() == [0, 0, 1]
    assert dropped.sum() == 0


@pytest.mark.fault(41)
def test_a_bin_is_observed_only_where_it_lies_wholly_inside():
    session = make_session(
        {"a": [0.5], "b": [0.5], "c": [0.5], "d": [0.5]},
        obs_intervals=[
            [[0, 10]],
            [[2.0, 4.0], [6.05, 8.05]],
            [[0, 1], [1, 3], [2.5, 10]],
            [],
        ],
    )
    valid = observed_bins(session, TEN_SECONDS, all_rows(session))
    assert valid is not None
    assert valid[:, [0, 2, 3]].all()
    expected = np.zeros(100, dtype=bool)
    expected[20:40] = expected[61:80] = True
    np.testing.assert_array_equal(valid[:, 1], expected)
    np.testing.assert_array_equal(
        observed_bins(session, TEN_SECONDS, np.array([1]))[:, 0], expected
    )


def test_nothing_is_said_when_every_unit_was_observed_throughout():
    assert observed_bins(make_session({0: [1]}), TEN_SECONDS, np.array([0])) is None
    session = make_session({0: [1], 1: [1]}, obs_intervals=[[[0, 10]], [[-5, 20]]])
    assert observed_bins(session, TEN_SECONDS, np.array([0, 1])) is None


SESSION = make_session(
    {"001": [1], "3": [1], "7": [1], "a-b_c": [1]},
    columns={"quality": ["good", "mua", "good", "noise"], "depth": [100.0, 900.0, np.nan, 950.0]},
)


@pytest.mark.parametrize(
    ("units", "rows"),
    [
        (None, [0, 1, 2, 3]),
        ("3", [1]),
        ("3,7", [1, 2]),
        (" 7 , 3 ", [1, 2]),
        ("001", [0]),
        ("a-b_c", [3]),
        ("good", [0, 2]),
        ("quality == 'good'", [0, 2]),
        ("depth > 800", [1, 3]),
        ("quality != 'noise' and depth > 800", [1]),
        ("n_spikes > 0", [0, 1, 2, 3]),
        ("unit_id in ['001', '7']", [0, 2]),
    ],
)
def test_units_are_chosen_by_id_or_by_a_condition(units, rows):
    assert select_units(SESSION, units).tolist() == rows


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ("3,8", "there is no unit '8' among the 4 units"),
        ("1", "there is no unit '1'"),
        ("8,9", "2 problems"),
        ("dept > 800", "did you mean 'depth'"),
        ("depth > 1000", "none of the 4 units"),
        ("__import__('os').getcwd() == 1", "not a comparison"),
        ("", "units"),
    ],
)
def test_units_that_do_not_exist_are_refused(units, words):
    with pytest.raises(BadInput, match=words):
        select_units(SESSION, units)


def test_good_needs_a_quality_column():
    with pytest.raises(BadInput, match="no 'quality'"):
        select_units(make_session({0: [1]}), "good")


def test_a_condition_that_always_holds_selects_every_unit():
    assert select_units(SESSION, "1 == 1").tolist() == [0, 1, 2, 3]
