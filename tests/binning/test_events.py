"""Events per bin: one variable per label where there are few, none counted twice or lost."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from make.sessions import make_series, make_session, make_table, times_at_edges
from nwbsparse.binning.events import MAX_LABELS, count_events
from nwbsparse.binning.grid import make_grid
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.binning.variables import events_of, label_name
from nwbsparse.session import Events

GRID = make_grid(np.array([[0.0, 20.0], [30.0, 50.0]]), 0.1)


def events(labels, times=None, name="lick"):
    times = np.arange(len(labels)) + 0.5 if times is None else np.asarray(times, dtype=np.float64)
    return Events(name, times, None if labels is None else np.asarray(labels, dtype=str))


def names_of(labels):
    return list(count_events(events(labels), GRID))


@pytest.fixture
def session():
    rng = np.random.default_rng(0)
    return make_session({1: rng.uniform(0, 100, 500)}, extent=(0.0, 100.0))


def with_events(session, *series):
    return replace(session, events={one.name: one for one in series})


def test_events_are_counted_per_bin_and_those_outside_beside(session):
    licks = Events("licks", np.array([-1.5e9, 10.0, 10.05, 99.95, 150.0]))
    binned = to_bins(with_events(session, licks), 0.1)
    assert binned["licks"].values.sum() == 3
    assert binned["licks"].values[100] == 2
    assert binned["licks"].attrs["dropped"] == 2
    assert "label" not in binned["licks"].attrs and "labels" not in binned["licks"].attrs


def test_each_label_is_a_variable_of_its_own(session):
    times = [10.0, 10.05, 20.0, np.nan, 150.0]
    licks = Events("lick", np.array(times), np.array(["left", "right", "left", "left", "right"]))
    binned = to_bins(with_events(session, licks), 0.1)
    assert events_of(binned) == ["lick_left", "lick_right"]
    assert np.flatnonzero(binned["lick_left"]).tolist() == [100, 200]
    assert np.flatnonzero(binned["lick_right"]).tolist() == [100]
    assert binned["lick_left"].dims == ("time",)
    attrs = binned["lick_left"].attrs
    assert (attrs["role"], attrs["label"], attrs["series"]) == ("event", "left", "lick")
    assert (attrs["units"], attrs["dropped"]) == ("events per bin", 1)
    assert attrs["long_name"] == "events of 'lick' labelled 'left'"
    assert binned["lick_right"].attrs["dropped"] == 1


def test_events_that_are_all_the_same_keep_the_name_of_their_series():
    assert names_of(["left", "left"]) == ["lick"]
    [one] = count_events(events(["left", "left"]), GRID).values()
    assert json.loads(one.attrs["labels"]) == {"left": 2}
    assert names_of([]) == ["lick"]


def test_many_labels_are_counted_together_and_it_is_said():
    few = [f"kind {n}" for n in range(MAX_LABELS)]
    assert len(names_of(few)) == MAX_LABELS
    [(name, one)] = count_events(events([*few, "one more", "one more"]), GRID).items()
    assert name == "lick" and int(one.sum()) == MAX_LABELS + 2
    assert one.attrs["n_labels"] == MAX_LABELS + 1
    said = f"{MAX_LABELS + 1} different labels, more than {MAX_LABELS}: counted together"
    assert one.attrs["notes"].startswith(said) and "one more (2)" in one.attrs["notes"]


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (["lick left", "hit/miss", " a.b "], ["lick_a_b", "lick_hit_miss", "lick_lick_left"]),
        (["1", "2", "11"], ["lick_1", "lick_2", "lick_11"]),
        (["-1", "1", "0.5"], ["lick_minus_1", "lick_0_5", "lick_1"]),
        (["", "left"], ["lick_unlabelled", "lick_left"]),
        (["nan", "None", "left"], ["lick_unlabelled", "lick_left"]),
        (["links", "größer", "左"], ["lick_größer", "lick_links", "lick_左"]),
        (["?", "!", "x"], ["lick_label", "lick_label_", "lick_x"]),
        (["a b", "a/b", "a_b"], ["lick_a_b", "lick_a_b_", "lick_a_b__"]),
        (["unlabelled", ""], ["lick_unlabelled", "lick_unlabelled_"]),
        (["x" * 300, "y"], ["lick_" + "x" * 40, "lick_y"]),
    ],
)
def test_names_are_clean_and_do_not_depend_on_the_order(labels, wanted):
    assert names_of(labels) == wanted
    assert names_of(labels[::-1]) == wanted


def test_names_work_in_conditions(session):
    licks = Events("lick", np.array([10.0, 20.0]), np.array(["größer als", "-1"]))
    bins = with_events(session, licks)
    assert to_bins(bins, 0.1, where="lick_größer_als == 0").sizes["time"] == 999
    kept = to_bins(bins, 0.1, where="lick_minus_1 == 0")
    assert kept.sizes["time"] == 999
    assert int(kept["lick_minus_1"].sum()) == 0
    assert kept["lick_minus_1"].attrs["dropped"] == 1  # also what a condition leaves out
    assert kept["lick_größer_als"].attrs["dropped"] == 0


def test_a_label_takes_no_name_that_something_else_has(session):
    two = np.array(["left", "id"])
    first = Events("unit", np.array([1.0, 2.0]), two)
    second = Events("lick", np.array([1.0, 2.0]), np.array(["left", "speed"]))
    whole = Events("lick_left", np.array([3.0]))
    moving = make_series("lick_speed", np.arange(100.0), np.random.default_rng(0).random(100))
    made = replace(with_events(session, first, second, whole), series={"lick_speed": moving})
    binned = to_bins(made, 0.1)
    assert int(binned["lick_left"].values[30]) == 1 and "label" not in binned["lick_left"].attrs
    assert binned["lick_left_"].attrs["label"] == "left"
    assert binned["lick_speed"].attrs["role"] == "covariate"
    assert binned["lick_speed_"].attrs["label"] == "speed"
    assert binned["unit_id"].dims == ("unit",) and binned["unit_id_"].attrs["label"] == "id"


def test_tables_and_their_columns_stay_together_whatever_is_called_like_them(session):
    table = make_table([10.0, 30.0], [20.0, 40.0], side=("category", ["a", "b"]))
    cues = Events("cue", np.array([1.0]))
    trials = Events("trials", np.array([1.0]))
    made = replace(
        with_events(session, cues, trials),
        intervals={"cue": table, "trials": table, "valid": table},
    )
    binned = to_bins(made, 0.1)
    for name in ("cue_", "trials", "valid_"):
        assert binned[name].attrs["role"] == "interval"
        assert binned[f"{name}.side"].attrs["table"] == name
    assert binned["trials_"].attrs["role"] == "event"
    np.testing.assert_array_equal(binned["trial"], binned["trials"])


@given(
    drawn=times_at_edges(),
    labels=st.lists(st.text(max_size=6), min_size=1, max_size=20),
    seed=st.integers(0, 2**31),
    n_nan=st.integers(0, 5),
)
def test_no_event_is_lost_or_counted_twice(drawn, labels, seed, n_nan):
    grid = make_grid(
        np.array([[drawn["start"], drawn["start"] + 100 * drawn["width"]]]), drawn["width"]
    )
    times = np.concatenate([drawn["times"], np.full(n_nan, np.nan)])
    words = np.random.default_rng(seed).choice(np.array(labels, dtype=str), len(times))
    together = count_events(Events("e", times), grid)["e"]
    apart = count_events(Events("e", times, words), grid)
    total = sum(one.values.astype(np.int64) for one in apart.values())
    np.testing.assert_array_equal(total, together)
    inside = drawn["bins"][(drawn["bins"] >= 0) & (drawn["bins"] < grid.size)]
    np.testing.assert_array_equal(total, np.bincount(inside, minlength=grid.size))
    assert sum(one.attrs["dropped"] for one in apart.values()) == len(times) - len(inside)
    assert len(apart) <= MAX_LABELS


@given(st.text(max_size=60))
def test_every_label_gives_a_name_for_conditions(label):
    assert f"lick_{label_name(label)}".isidentifier()
    assert label_name(label_name(label)) == label_name(label)
