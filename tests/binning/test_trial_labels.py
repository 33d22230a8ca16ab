"""What trials are called by: columns, what holds for a session, the same codes in every session."""

import json

import numpy as np
import pytest

import nwbsparse as ns
from make.sessions import make_session, make_table
from make.trial_sessions import clock_session, with_column

LINES = ("Cux2", "Rorb", "Cux2")


def animals(**columns):
    return [
        clock_session(name=f"mouse {n}", subject={"genotype": line}, **columns)
        for n, line in enumerate(LINES)
    ]


def test_codes_agree_over_sessions_whatever_each_of_them_holds():
    first = with_column(clock_session(name="a"), direction=("category", [90.0, 0.0] * 3))
    second = with_column(clock_session(name="b"), direction=("category", np.array([45, 90] * 3)))
    one, two = ns.to_trials([first, second], bin_width=0.5)
    assert json.loads(one["direction"].attrs["values"]) == ["0", "45", "90"]
    assert one["direction"].attrs == two["direction"].attrs
    assert one["direction"].values.tolist() == [2, 0] * 3
    assert two["direction"].values.tolist() == [1, 2] * 3


def test_numbers_in_one_session_and_words_in_another_are_the_same_categories():
    first = with_column(clock_session(name="a"), size=("category", [1.0, 2.5] * 3))
    second = with_column(clock_session(name="b"), size=("category", ["2.5", "1"] * 3))
    one, two = ns.to_trials([first, second], labels="size", bin_width=0.5)
    assert one["size"].values.tolist() == [0, 1] * 3
    assert two["size"].values.tolist() == [1, 0] * 3


def test_what_holds_for_a_session_is_a_label_of_all_its_trials():
    made = ns.to_trials(animals(), labels="direction, genotype", bin_width=0.5)
    assert [one["genotype"].values.tolist() for one in made] == [[0] * 6, [1] * 6, [0] * 6]
    assert json.loads(made[0]["genotype"].attrs["values"]) == ["Cux2", "Rorb"]
    assert made[0]["genotype"].attrs["constant"] == 1
    assert "constant" not in made[0]["direction"].attrs
    assert [one.attrs["session"] for one in made] == ["mouse 0", "mouse 1", "mouse 2"]


def test_blank_sweeps_keep_what_holds_for_the_session():
    made = [with_column(one, direction=("category", [0.0, np.nan, 90.0] * 2)) for one in animals()]
    trials = ns.to_trials(made, labels="direction, genotype", bin_width=0.5)[1]
    assert trials["blank"].sum() == 2
    assert trials["genotype"].values.tolist() == [1] * 6


def test_a_place_in_the_brain_is_a_label_where_all_units_share_it():
    table = make_table([1.0, 5.0], [2.0, 6.0], side=("category", ["l", "r"]))
    spikes = {0: np.arange(0, 9, 0.1), 1: np.arange(0, 9, 0.2)}
    sessions = [
        make_session(spikes, intervals={"trials": table}, columns={"region": [place] * 2})
        for place in ("CA1", "CA3")
    ]
    made = ns.to_trials(sessions, labels="side, region", bin_width=0.5)
    assert [one["region"].values.tolist() for one in made] == [[0, 0], [1, 1]]
    assert made[0]["region_"].dims == ("unit",)  # the units' own column makes way for the label
    assert [one.attrs["session"] for one in made] == ["in memory", "in memory-1"]


def test_none_are_asked_for_categories_and_what_differs_between_sessions_are_taken():
    more = {"RT": ("continuous", np.arange(6.0)), "same": ("category", ["x"] * 6)}
    made = ns.to_trials([with_column(one, **more) for one in animals()], bin_width=0.5)
    assert [name for name in made[0].data_vars if name not in ("activity", "blank")] == [
        "direction",
        "genotype",
    ]
    alone = ns.to_trials(clock_session(subject={"genotype": "Cux2"}), bin_width=0.5)
    assert "genotype" not in alone


def test_orientation_is_direction_modulo_180():
    trials = ns.to_trials(clock_session(), labels="direction, orientation", bin_width=0.5)
    assert json.loads(trials["orientation"].attrs["values"]) == ["0", "90"]
    assert trials["orientation"].values.tolist() == [0, 1, 1, 0, 1, 1]
    assert "modulo 180" in trials["orientation"].attrs["notes"]


def test_an_orientation_that_goes_all_round_is_a_direction():
    table = make_table([5.0, 15.0], [7.0, 17.0], orientation=("category", [45.0, 225.0]))
    trials = ns.to_trials(
        clock_session(tables={"gratings": table}), labels="direction", bin_width=0.5
    )
    assert json.loads(trials["direction"].attrs["values"]) == ["45", "225"]
    half = make_table([5.0, 15.0], [7.0, 17.0], orientation=("category", [45.0, 135.0]))
    with pytest.raises(ns.errors.BadInput, match="no label 'direction'"):
        ns.to_trials(clock_session(tables={"gratings": half}), labels="direction")


@pytest.mark.parametrize(
    ("asked", "kind", "period"),
    [
        ("direction:circular", "circular", 360.0),
        ("direction:circular:720", "circular", 720.0),
        ("orientation:circular", "circular", 180.0),
        ({"direction": "continuous"}, "continuous", None),
        (["direction:category"], "category", None),
    ],
)
def test_a_label_is_of_the_kind_that_is_asked_for(asked, kind, period):
    trials = ns.to_trials(clock_session(), labels=asked, bin_width=0.5)
    [name] = [one for one in ("direction", "orientation") if one in trials]
    assert trials[name].attrs["kind"] == kind
    assert trials[name].attrs.get("period") == period
    if kind != "category":
        turn = 180 if name == "orientation" else 360
        assert trials[name].values.tolist() == [v % turn for v in (0, 90, 270, 0, 90, 270)]


def test_numbers_stay_numbers_and_none_where_a_trial_has_none():
    session = with_column(clock_session(), RT=("continuous", [0.1, np.nan, 0.3, 0.4, 0.5, 0.6]))
    trials = ns.to_trials(session, labels="direction, RT", bin_width=0.5)
    np.testing.assert_array_equal(trials["RT"], [0.1, np.nan, 0.3, 0.4, 0.5, 0.6])
    assert trials["RT"].attrs["kind"] == "continuous"


def test_a_session_without_a_label_has_none_of_it_and_says_so():
    first = with_column(clock_session(name="a"), contrast=("category", [1.0, 2.0] * 3))
    one, two = ns.to_trials(
        [first, clock_session(name="b")], labels="direction, contrast", bin_width=0.5
    )
    assert two["contrast"].values.tolist() == [-1] * 6
    assert json.loads(two.attrs["notes"]) == ["there is no 'contrast' in this session"]
    assert json.loads(one.attrs["notes"]) == []


@pytest.mark.parametrize("held", ["trials", "epochs", "drifting_gratings"])
def test_the_table_may_be_any_and_the_one_with_the_labels_is_found(held):
    table = clock_session().intervals["trials"]
    other = make_table([0.0, 20.0], [20.0, 40.0], phase=("category", ["a", "b"]))
    session = clock_session(tables={"rest": other, held: table})
    assert ns.to_trials(session, labels="direction", bin_width=0.5).attrs["table"] == held
    assert ns.to_trials(session, table="rest", labels="phase", bin_width=0.5).sizes["trial"] == 2
