"""Where bins begin and end, and which of them a time belongs to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make.sessions import WIDTHS, make_session, make_table, times_at_edges
from nwbsparse.binning.grid import make_grid
from nwbsparse.binning.observed import observed, suggest_bin_width
from nwbsparse.binning.stretches import union
from nwbsparse.errors import BadInput


def grid_of(*stretches, width):
    return make_grid(np.array(stretches, dtype=np.float64), width)


@pytest.mark.fault(37)
@settings(deadline=None, max_examples=300)
@given(drawn=times_at_edges())
def test_a_time_next_to_an_edge_lies_in_the_bin_that_the_rule_says(drawn):
    n = 100
    start, width = drawn["start"], drawn["width"]
    grid = grid_of([start, start + n * width], width=width)
    assert grid.size == n
    bins = drawn["bins"]
    expected = np.where((bins >= 0) & (bins < n), bins, -1)
    np.testing.assert_array_equal(grid.index(drawn["times"]), expected)


@pytest.mark.fault(37)
@settings(deadline=None, max_examples=200)
@given(
    width=st.sampled_from([1, 2, 5, 10, 20, 25, 50, 100, 200]),
    start=st.integers(-100_000_000, 100_000_000),
    ticks=st.lists(st.integers(0, 19_999), min_size=1, max_size=50),
)
def test_a_millisecond_clock_never_lands_in_a_wrong_bin(width, start, ticks):
    grid = grid_of([start / 1000, (start + 20_000) / 1000], width=width / 1000)
    times = np.array([(start + tick) / 1000 for tick in ticks])
    np.testing.assert_array_equal(grid.index(times), np.array(ticks) // width)


@pytest.mark.fault(37)
@pytest.mark.parametrize(("time", "expected"), [(0.29, 29), (0.57, 57), (0.58, 58), (1.13, 113)])
def test_times_that_plain_division_misplaces(time, expected):
    assert time // 0.01 == expected - 1 or np.floor(time / 0.01) == expected - 1
    assert grid_of([0, 2], width=0.01).index(np.array([time])) == [expected]


def test_bins_are_half_open():
    grid = grid_of([5.0, 15.0], width=0.1)
    times = [5.0, 5.05, 5.1, 14.95, 15.0 - 1e-6, 15.0, 4.9, 5.0 - 1e-6, 5.0 - 5e-8, 99.0]
    assert grid.index(np.array(times)).tolist() == [0, 0, 1, 99, 99, -1, -1, -1, 0, -1]


def test_nan_and_infinite_times_are_in_no_bin():
    grid = grid_of([0, 10], width=0.1)
    assert grid.index(np.array([np.inf, -np.inf, 1e300])).tolist() == [-1, -1, -1]
    assert grid.index(np.array([np.nan])).tolist() == [-1]


@settings(deadline=None, max_examples=200)
@given(drawn=times_at_edges(n_bins=800), n=st.integers(2, 8))
def test_narrow_bins_add_up_to_the_wide_bin(drawn, n):
    start, width, wide = drawn["start"], drawn["width"], 100
    stretch = [start, start + wide * n * width]
    of_narrow = grid_of(stretch, width=width).index(drawn["times"])
    of_wide = grid_of(stretch, width=n * width).index(drawn["times"])
    np.testing.assert_array_equal(np.where(of_narrow >= 0, of_narrow // n, -1), of_wide)


@settings(deadline=None, max_examples=200)
@given(
    drawn=times_at_edges(), shift=st.one_of(st.sampled_from([0.1, 1e5, -0.3]), st.floats(-1e5, 1e5))
)
def test_shifting_the_clock_changes_no_bin(drawn, shift):
    start, stop = drawn["start"], drawn["start"] + 100 * drawn["width"]
    before = grid_of([start, stop], width=drawn["width"])
    after = grid_of([start + shift, stop + shift], width=drawn["width"])
    np.testing.assert_array_equal(before.index(drawn["times"]), after.index(drawn["times"] + shift))


@settings(deadline=None)
@given(width=st.sampled_from(WIDTHS), start=st.floats(-1e5, 1e5), at=st.integers(0, 149))
def test_every_bin_holds_its_left_edge_and_its_centre_but_not_the_next_edge(width, start, at):
    grid = grid_of([start, start + 150 * width], width=width)
    assert grid.index(grid.lefts)[at] == at
    assert grid.index(grid.centres)[at] == at
    assert grid.index(grid.lefts + width)[at] == (at + 1 if at < 149 else -1)


@pytest.mark.fault(38)
def test_the_number_of_bins_is_what_fits_and_a_partial_last_bin_is_left_out():
    assert grid_of([0, 10], width=0.005).size == 2000
    assert grid_of([0, 10.049], width=0.1).size == 100
    assert grid_of([0, 10.1], width=0.1).size == 101
    assert grid_of([0.1, 30.1], width=0.1).size == 300
    grid = grid_of([0, 10.049], width=0.1)
    assert grid.index(np.array([9.99, 10.02])).tolist() == [99, -1]


@pytest.mark.fault(41)
def test_the_grid_restarts_at_every_gap():
    grid = grid_of([0.0, 10.05], [20.03, 31.0], [50.0, 50.04], [60.0, 60.1], width=0.1)
    assert grid.n_bins.tolist() == [100, 109, 1]
    np.testing.assert_array_equal(grid.starts, [0.0, 20.03, 60.0])
    np.testing.assert_allclose(grid.lefts[[0, 99, 100, 101, 209]], [0, 9.9, 20.03, 20.13, 60])
    np.testing.assert_array_equal(grid.segment, np.repeat([0, 1, 2], [100, 109, 1]))
    times = np.array([10.02, 15.0, 20.0, 20.03, 20.129, 20.13, 30.95, 50.01, 60.05, 60.1])
    assert grid.index(times).tolist() == [-1, -1, -1, 100, 100, 101, -1, -1, 209, -1]


@pytest.mark.fault(39)
@pytest.mark.parametrize("width", [0.0, np.nan, -0.01, np.inf])
def test_a_width_that_is_not_positive_is_refused(width):
    with pytest.raises(BadInput, match="bin width must be > 0"):
        grid_of([0, 10], width=float(width))


@pytest.mark.fault(40)
def test_too_few_bins_are_refused_with_a_width_that_works():
    with pytest.raises(BadInput, match=r"hold 99 bins.*at least 100.*0\.0999"):
        grid_of([0, 9.99], width=0.1)
    assert grid_of([0, 9.99], width=0.0999).size == 100


@pytest.mark.fault(34)
@pytest.mark.fault(35)
def test_an_absurd_number_of_bins_is_refused_before_memory_is_taken():
    with pytest.raises(BadInput, match="are the times in seconds"):
        grid_of([0, 1.7e9], width=0.0001)


def test_union_merges_what_overlaps_or_touches_and_leaves_out_what_is_empty():
    rows = [[5, 7], [0, 1], [1, 2], [6, 9], [3, 3], [4, 3.5], [np.nan, 8], [10, np.nan]]
    np.testing.assert_array_equal(union(np.array(rows, dtype=float)), [[0, 2], [5, 9]])
    assert union(np.empty((0, 2))).shape == (0, 2)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), min_size=1, max_size=12))
def test_union_covers_the_same_seconds(pairs):
    rows = np.array([[start, start + length] for start, length in pairs], dtype=float)
    merged = union(rows)
    assert np.all(np.diff(merged.ravel()) > 0)
    for second in np.arange(0, 40) + 0.5:
        inside = np.any((rows[:, 0] <= second) & (second < rows[:, 1]))
        assert inside == np.any((merged[:, 0] <= second) & (second < merged[:, 1]))


SPIKES = np.arange(1499.0, 1600.0, 0.5)
EPOCHS = make_table(
    [1500, 1520, 1560],
    [1520, 1540, 1580],
    label=("category", np.array(["Maze", "Sleep", "Maze"], dtype=object)),
    tags=("category", np.array(["run,first", "", "run"], dtype=object)),
)


def test_the_stretches_come_from_the_first_source_that_knows():
    everything = {
        "obs_intervals": [[[1490, 1550]], [[1540, 1595], [1597, 1600]], []],
        "intervals": {"epochs": EPOCHS},
        "extent": (1400.0, 1700.0),
    }
    spikes = {0: SPIKES, 1: SPIKES, 2: []}
    found, said = observed(make_session(spikes, **everything), epochs="Sleep")
    np.testing.assert_array_equal(found, [[1520, 1540]])
    assert "Sleep" in said
    expected = {
        "obs_intervals": [[1490, 1595], [1597, 1600]],
        "intervals": [[1500, 1540], [1560, 1580]],
        "extent": [[1400, 1700]],
    }
    for source, words in zip(expected, ("obs_intervals", "epochs table", "extent"), strict=True):
        found, said = observed(make_session(spikes, **everything))
        np.testing.assert_array_equal(found, expected[source])
        assert words in said
        del everything[source]
    found, said = observed(make_session(spikes))
    np.testing.assert_array_equal(found, [[1499.0, 1599.5]])
    assert said == "first to last spike"


def test_invalid_times_are_cut_out():
    holes = [[1510, 1515], [1400, 1502], [1514, 1518], [1599, 1700]]
    session = make_session({0: SPIKES}, extent=(1500.0, 1600.0), invalid_times=holes)
    found, said = observed(session)
    np.testing.assert_array_equal(found, [[1502, 1510], [1518, 1599]])
    assert "without invalid_times" in said
    found, _ = observed(make_session({0: SPIKES}, extent=(1.0, 2.0), invalid_times=[[0, 3]]))
    assert found.shape == (0, 2)


@pytest.mark.parametrize(
    ("asked", "stretches"),
    [
        ("Maze", [[1500, 1520], [1560, 1580]]),
        ("maze , SLEEP", [[1500, 1540], [1560, 1580]]),
        ("first", [[1500, 1520]]),
        ("run", [[1500, 1520], [1560, 1580]]),
    ],
)
def test_epochs_are_chosen_by_name_or_tag(asked, stretches):
    session = make_session({0: SPIKES}, intervals={"epochs": EPOCHS})
    np.testing.assert_array_equal(observed(session, epochs=asked)[0], stretches)


def test_epochs_that_do_not_exist_are_refused_with_those_that_do():
    session = make_session({0: SPIKES}, intervals={"epochs": EPOCHS})
    with pytest.raises(
        BadInput, match="no epoch is called rest; there are: first, maze, run, sleep"
    ):
        observed(session, epochs="Maze,rest")
    with pytest.raises(BadInput, match="no epochs table"):
        observed(make_session({0: SPIKES}), epochs="Maze")


@pytest.mark.fault(31)
def test_a_recording_without_any_spike_is_refused_in_words():
    with pytest.raises(BadInput, match="spike"):
        observed(make_session({0: [], 1: []}))


@pytest.mark.parametrize(
    ("rate", "width"),
    [
        (1000, 0.01),
        (500, 0.01),
        (499, 0.02),
        (200, 0.025),
        (199, 0.05),
        (50, 0.1),
        (25, 0.2),
        (3, 0.2),
    ],
)
def test_the_suggested_width_is_the_narrowest_with_five_spikes_per_bin(rate, width):
    spikes = np.linspace(100, 200, 100 * rate, endpoint=False)
    session = make_session({0: spikes[::2], 1: spikes[1::2]}, extent=(100.0, 200.0))
    assert suggest_bin_width(session) == (width, pytest.approx(rate * width))
