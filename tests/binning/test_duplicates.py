"""Units that share spikes, kept, merged or dropped."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nwbsparse as ns
from make.duplicated import duplicated, train
from make.sessions import make_session
from nwbsparse.binning.account import ACCOUNT, accounted
from nwbsparse.binning.duplicates import distinct_units, union_of_spikes
from nwbsparse.binning.groups import WITHIN
from nwbsparse.errors import BadInput

TICK = 2.0**-13
"""s; four of these are within 0.5 ms, five are not, and all differences are exact."""
trains = st.lists(
    st.lists(st.integers(0, 400), max_size=30).map(lambda ticks: np.sort(ticks) * TICK),
    min_size=1,
    max_size=4,
)


def session(**given):
    return make_session({f"u{row}": spikes for row, spikes in enumerate(duplicated())}, **given)


@settings(max_examples=100, deadline=None)
@given(trains)
def test_a_union_has_every_spike_once(trains):
    joined = union_of_spikes(trains)
    assert (np.diff(joined) >= 0).all()
    assert set(trains[0]) <= set(joined), "the first train stays as it is"
    assert set(joined) <= set(np.concatenate(trains))
    every = np.concatenate(trains)
    if len(every):
        assert np.abs(every[:, None] - joined).min(axis=1).max() <= WITHIN, "none is lost"
    np.testing.assert_array_equal(union_of_spikes([joined, *trains]), joined)


@settings(max_examples=50, deadline=None)
@given(trains)
def test_spikes_that_one_train_adds_lie_far_from_those_there_were(trains):
    joined = union_of_spikes(trains[:2])
    added = np.setdiff1d(joined, trains[0])
    if len(added) and len(trains[0]):
        assert np.abs(added[:, None] - trains[0]).min() > WITHIN


def test_kept_as_they_are_by_default():
    binned = ns.to_bins(session(), 0.1)
    assert binned.identical(ns.to_bins(session(), 0.1, duplicates="keep"))
    assert binned.sizes["unit"] == 10
    assert "merged_units" not in binned.coords


def test_merged_units_have_the_spikes_of_their_group_once():
    spikes = duplicated()
    binned = ns.to_bins(session(extent=(0.0, 200.0)), 0.1, duplicates="merge")
    assert binned["unit_id"].values.tolist() == [f"u{row}" for row in (0, 2, 4, 5, 6, 7, 8, 9)]
    assert binned["unit_row"].values.tolist() == [0, 2, 4, 5, 6, 7, 8, 9]
    said = dict(zip(binned["unit_id"].values, binned["merged_units"].values, strict=True))
    assert json.loads(said["u2"]) == [[1, "u1"]]
    assert json.loads(said["u4"]) == [[3, "u3"]]
    assert {said[name] for name in ("u0", "u5", "u9")} == {""}
    assert len(np.unique(binned["group"])) == 8, "nothing is shared any more"
    n = dict(zip(binned["unit_id"].values, binned["n_spikes"].values, strict=True))
    joined = union_of_spikes([spikes[2], spikes[1]])
    assert n["u2"] == len(joined)
    assert abs(n["u2"] - len(spikes[2]) - 100) < 10, "only its own spikes were added"
    total = binned["counts"].sum("time") + binned["dropped"]
    np.testing.assert_array_equal(total, binned["n_spikes"])
    merge = json.loads(binned.attrs["history"])[-1]["parameters"]["duplicates"]
    assert merge == "merge"


def test_dropped_units_leave_the_one_of_most_spikes_as_it_was():
    kept, binned = (ns.to_bins(session(), 0.1, duplicates=how) for how in ("keep", "drop"))
    rows = [0, 2, 4, 5, 6, 7, 8, 9]
    assert binned["unit_row"].values.tolist() == rows
    np.testing.assert_array_equal(binned["counts"], kept["counts"].isel(unit=rows))
    assert "merged_units" not in binned.coords


def test_only_units_that_are_used_take_part():
    binned = ns.to_bins(session(), 0.1, duplicates="drop", units="u0,u1,u3,u5")
    assert binned["unit_id"].values.tolist() == ["u0", "u1", "u3", "u5"]


def test_of_three_one_stands_for_all():
    source = train(5.0)
    spikes = {"a": source[::2], "b": source, "c": source[1::2] + 1e-4, "d": train(5.0, seed=1)}
    found = distinct_units(make_session(spikes), np.arange(4), "merge")
    assert found.others == {1: (0, 2)}
    assert found.rows.tolist() == [1, 3]
    np.testing.assert_array_equal(found.session.spikes_of(1), source)


def test_lazy_bins_are_the_same():
    eager, lazy = (
        ns.to_bins(session(), 0.1, duplicates="merge", lazy=one) for one in (False, True)
    )
    np.testing.assert_array_equal(eager["counts"], lazy["counts"])


def test_a_merged_unit_is_observed_where_one_of_its_units_was():
    seen = [[(0, 200)]] * 10
    seen[1], seen[2] = [(0, 100)], [(50, 150)]
    binned = ns.to_bins(session(obs_intervals=seen), 0.1, duplicates="merge")
    valid = binned["valid"].sel(unit=1).values
    assert valid[binned["time"] < 150].all()
    assert not valid[binned["time"] > 150].any()


def test_without_spike_times_nothing_can_be_merged():
    counted = ns.read(np.ones((300, 3), np.uint8), bin_width=0.1)
    for ask in (lambda: ns.to_bins(counted, duplicates="merge"),
                lambda: accounted(counted, duplicates="drop")):  # fmt: skip
        with pytest.raises(BadInput, match="needs spike times"):
            ask()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("merge", ["unit u1 merged into unit u2", "unit u3 merged into unit u4", "counted once"]),
        ("drop", ["unit u1 dropped: unit u2 shares their spikes"]),
    ],
)
def test_the_account_says_what_was_done_and_once(how, said):
    read = accounted(accounted(session(), duplicates=how), duplicates=how)
    [line] = [one for one in read.report.lines if one.name == ACCOUNT]
    assert (line.found, line.kept) == (10, 8)
    assert all(words in "; ".join(line.reasons) for words in said)
    assert accounted(session(), duplicates="keep").report.lines == ()
    [none] = accounted(session(), duplicates=how, units="u0,u5").report.lines
    assert none.reasons == ("there are none",)
