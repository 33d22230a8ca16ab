"""Trials per bin: row numbers, category codes, and what happens where intervals overlap."""

import json

import numpy as np
import pytest

from make.sessions import make_table
from nwbsparse.binning.conditions import interval_rows, label_bins
from nwbsparse.binning.grid import make_grid

GRID = make_grid(np.array([[0.0, 10.0], [20.0, 30.0]]), 0.1)


def test_a_bin_belongs_to_the_interval_that_holds_its_centre():
    rows, overlapping = interval_rows(make_table([1.0, 3.04, 25], [2.0, 4.06, 26]), GRID)
    expected = np.full(200, -1)
    expected[10:20] = 0
    expected[30:41] = 1  # centres 3.05 to 4.05
    expected[150:160] = 2
    np.testing.assert_array_equal(rows, expected)
    assert rows.dtype == np.int32
    assert overlapping == 0


def test_touching_intervals_share_no_bin_and_one_over_a_gap_goes_on_behind_it():
    rows, overlapping = interval_rows(make_table([0, 5, 8], [5, 8, 22]), GRID)
    assert overlapping == 0
    np.testing.assert_array_equal(rows, np.repeat([0, 1, 2, -1], [50, 30, 40, 80]))


@pytest.mark.fault(45)
def test_bins_in_two_intervals_belong_to_neither_and_are_counted():
    rows, overlapping = interval_rows(make_table([0, 4, 20, 20, 20], [5, 6, 21, 21, 21]), GRID)
    assert overlapping == 20
    np.testing.assert_array_equal(rows[:70], np.repeat([0, -1, 1, -1], [40, 10, 10, 10]))
    assert (rows[100:110] == -1).all()
    made = label_bins("trials", make_table([0, 4], [5, 6]), GRID)
    assert made["trials"].attrs["n_overlapping_bins"] == 10


@pytest.mark.fault(45)
def test_intervals_that_are_outside_empty_or_reversed_hold_no_bin():
    table = make_table([-5, 12, 3, 7, 99], [-1, 18, 3, 6, 100])
    rows, overlapping = interval_rows(table, GRID)
    assert (rows == -1).all()
    assert overlapping == 0


def test_the_order_of_the_table_is_kept():
    rows, _ = interval_rows(make_table([5, 0], [6, 1]), GRID)
    assert rows[50] == 0
    assert rows[0] == 1


def labelled(**columns):
    return label_bins("trials", make_table([0, 2, 4, 6], [1, 3, 5, 7], **columns), GRID)


FIRST = [5, 25, 45, 65]  # one bin in each of the four intervals
OUTSIDE = 15


@pytest.mark.parametrize(
    ("values", "categories", "codes"),
    [
        (np.array(["right", "left", "right", "left"]), ["left", "right"], [1, 0, 1, 0]),
        (np.array(["b", None, "", "a"], dtype=object), ["a", "b"], [1, -1, -1, 0]),
        (np.array([2.0, np.nan, 0.5, 2.0]), ["0.5", "2"], [1, -1, 0, 1]),
        (np.array([7, 3, 7, 3]), ["3", "7"], [1, 0, 1, 0]),
        (np.array([True, False, True, True]), ["False", "True"], [1, 0, 1, 1]),
        (np.array(["", "", "", ""]), [], [-1, -1, -1, -1]),
        (np.full(4, np.nan), [], [-1, -1, -1, -1]),
    ],
)
def test_category_columns_become_codes(values, categories, codes):
    made = labelled(side=("category", values))["trials.side"]
    assert json.loads(made.attrs["categories"]) == categories
    assert made.values[FIRST].tolist() == codes
    assert made.values[OUTSIDE] == -1
    assert made.attrs["role"] == "condition"
    assert made.attrs["kind"] == "categorical"


def test_continuous_columns_become_covariates_and_others_nothing():
    made = labelled(
        reward=("continuous", np.array([0.1, np.nan, 3.0, 4.0])),
        count=("continuous", np.array([1, 2, 3, 4])),
        cue=("event time", np.array([0.5, 2.5, 4.5, 6.5])),
        serial=("identifier", np.array(["a", "b", "c", "d"])),
    )
    assert set(made) == {"trials", "trials.reward", "trials.count"}
    np.testing.assert_allclose(made["trials.reward"].values[FIRST], [0.1, np.nan, 3, 4], rtol=1e-6)
    assert made["trials.count"].values[FIRST].tolist() == [1, 2, 3, 4]
    assert np.isnan(made["trials.reward"].values[OUTSIDE])
    assert made["trials.reward"].attrs["role"] == "covariate"
    assert made["trials"].attrs["role"] == "interval"


def test_many_categories_keep_their_codes():
    n = 40_000
    table = make_table(
        np.arange(n), np.arange(n) + 1, name=("category", [f"{i:05d}" for i in range(n)])
    )
    grid = make_grid(np.array([[0.0, float(n)]]), 1.0)
    codes = label_bins("trials", table, grid)["trials.name"].values
    np.testing.assert_array_equal(codes, np.arange(n))


@pytest.mark.parametrize("kind", ["category", "continuous"])
def test_a_table_without_rows_labels_no_bin(kind):
    made = label_bins("trials", make_table([], [], side=(kind, np.empty(0))), GRID)
    assert (made["trials"].values == -1).all()
