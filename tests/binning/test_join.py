"""Several sessions as one dataset: nothing is lost, mixed up or invented."""

import json

import numpy as np
import pytest
import xarray as xr

from joined_sessions import part_of
from nwbsparse import names
from nwbsparse.analysis.behaviour.coding import code_variables
from nwbsparse.binning.sessions.join import join_sessions, sessions_of
from nwbsparse.binning.split import split
from nwbsparse.binning.to_bins import to_bins
from nwbsparse.binning.variables import category_names, conditions_of, covariates_of, events_of
from nwbsparse.errors import BadInput
from nwbsparse.schema import check, history
from nwbsparse.session import Events
from sessions import make_series, make_session, make_table


def recording(*, n_units=3, start=0.0, stop=100.0, seed=0, sides=("left", "right"), **given):
    rng = np.random.default_rng(seed)
    spikes = {unit + 5: np.sort(rng.uniform(start, stop, 300)) for unit in range(n_units)}
    at = np.arange(start, stop, 10.0)
    table = make_table(
        at, at + 9, side=("category", [sides[i % len(sides)] for i in range(len(at))])
    )
    return make_session(
        spikes, intervals={"trials": table}, extent=(start, stop), **given
    )  # fmt: skip


@pytest.fixture(scope="module")
def two():
    """Two sessions that agree in some things and differ in others."""
    times = np.arange(0, 100, 0.05)
    circle = np.column_stack([np.cos(times), np.sin(times)])
    first = recording(
        columns={"region": ["CA1", "CA3", "CA1"], "shank": [1, 2, 3]},
        series=[
            make_series("position", times, circle, unit="m", kind="position"),
            make_series("pupil", times, np.sin(times), unit="mm"),
        ],
    )  # fmt: skip
    first.events["lick"] = Events("lick", np.array([1.0, 2.0, 2.01, 300.0]))
    second = recording(
        n_units=2,
        start=50.0,
        stop=210.0,
        seed=1,
        sides=("centre", "right"),
        columns={"region": ["V1", "V1"], "quality": ["good", "mua"]},
        series=[make_series("pupil", times + 50, np.cos(times), unit="mm")],
        obs_intervals=[[[50, 120], [130, 210]], [[50, 120], [150, 210]]],
    )
    return {"A": to_bins(first, 0.1), "B": to_bins(second, 0.1)}


@pytest.fixture(scope="module")
def joined(two):
    return join_sessions(two)


def test_the_joined_dataset_is_a_binned_one(two, joined):
    assert check(joined, names.BINNED) is joined
    assert joined["counts"].dtype == np.uint8
    assert joined.sizes["time"] == two["A"].sizes["time"] + two["B"].sizes["time"]
    assert joined["unit_id"].values.tolist() == ["A/5", "A/6", "A/7", "B/5", "B/6"]
    assert joined["unit_session"].values.tolist() == ["A"] * 3 + ["B"] * 2
    np.testing.assert_array_equal(sessions_of(joined), joined["session"].values)
    assert not sessions_of(two["A"]).any()


def test_a_session_that_observed_all_keeps_its_own_gaps(two, joined):
    mine = part_of(joined, "B")
    assert np.array_equal(mine["valid"].values, two["B"]["valid"].values)
    assert part_of(joined, "A")["valid"].values.all()


def test_unit_columns_are_kept_and_what_is_missing_says_so(joined):
    assert joined["region"].values.tolist() == ["CA1", "CA3", "CA1", "V1", "V1"]
    assert joined["quality"].values.tolist() == ["", "", "", "good", "mua"]
    np.testing.assert_array_equal(joined["shank"].values, [1, 2, 3, np.nan, np.nan])
    assert joined["unit_row"].values.tolist() == [0, 1, 2, 0, 1]


def test_behaviour_of_all_sessions_stands_under_one_name(joined):
    assert {"position", "pupil", "speed"} <= set(covariates_of(joined))
    assert {"trials.side", "session"} == set(conditions_of(joined))
    assert events_of(joined) == ["lick"]
    assert np.isfinite(part_of(joined, "B")["pupil"].values).mean() > 0.5
    assert np.isnan(part_of(joined, "B")["position"].values).all()
    assert np.isnan(part_of(joined, "B")["lick"].values).all()
    assert part_of(joined, "A")["lick"].values.sum() == 3
    assert joined["lick"].attrs["dropped"] == 1
    assert json.loads(joined["position"].attrs["sessions"]) == ["A"]
    assert "sessions" not in joined["pupil"].attrs
    assert joined["position"].attrs["kind"] == "position"
    assert joined["movement_direction"].attrs["kind"] == "circular"


def test_categories_are_united(joined):
    assert json.loads(joined["trials.side"].attrs["categories"]) == ["centre", "left", "right"]
    words = category_names(joined["trials.side"])
    assert set(words[part_of(joined, "B")["trials.side"].values]) == {"centre", "right", ""}


def test_an_event_that_a_session_did_not_record_is_not_an_event(joined):
    often = joined["lick"] * 0 + np.arange(joined.sizes["time"]) % 2  # NaN stays NaN
    often.attrs = joined["lick"].attrs
    [lick] = [one for one in code_variables(joined.assign(lick=often)) if one.name == "lick"]
    assert (lick.codes[joined["session"].values == 1] == -1).all()
    assert (lick.codes[joined["session"].values == 0] >= 0).all()


def test_what_differs_in_its_unit_of_measure_stays_apart(two):
    other = two["B"].assign(pupil=two["B"]["pupil"].assign_attrs(units="px"))
    joined = join_sessions({"A": two["A"], "B": other})
    assert "pupil" not in joined
    assert joined["pupil_A"].attrs["units"] == "mm"
    assert joined["pupil_B"].attrs["units"] == "px"
    assert np.isnan(part_of(joined, "B")["pupil_A"].values).all()


def test_a_name_that_joining_needs_is_kept_free():
    times = np.arange(0, 100, 0.1)
    table = make_table([0.0, 50.0], [40.0, 90.0], what=("category", ["x", "y"]))
    session = recording(series=[make_series("session", times, np.sin(times))])
    session.intervals["sessions"] = table
    joined = join_sessions({"A": to_bins(session, 0.1), "B": to_bins(recording(), 0.1)})
    assert joined["session_"].attrs["role"] == "covariate"
    assert joined["sessions.what"].attrs["table"] == "sessions_"
    assert joined["sessions_"].values.max() == 1
    assert joined["session"].attrs["table"] == "sessions"


def test_every_session_is_dealt_to_all_three_parts(two, joined):
    for name in two:
        parts = part_of(joined, name)["split"].values
        assert {names.TRAIN, names.VALIDATION, names.TEST} <= set(parts)
        assert np.array_equal(parts, split(two[name])["split"].values)


def test_splits_that_were_made_before_are_kept(two):
    dealt = {name: split(one, test=0.3, blocks=4) for name, one in two.items()}
    joined = join_sessions(dealt)
    for name, one in dealt.items():
        assert np.array_equal(part_of(joined, name)["split"].values, one["split"].values)


def test_a_tree_a_list_and_one_dataset_are_joined_alike(two):
    tree = xr.DataTree.from_dict(two)
    named = [one.assign_attrs(source=name) for name, one in two.items()]
    xr.testing.assert_identical(join_sessions(tree), join_sessions(two))
    assert join_sessions(named)["unit_id"].equals(join_sessions(two)["unit_id"])
    twice = join_sessions([named[0], named[0]])
    assert twice["unit_session"].values.tolist() == ["A"] * 3 + ["A-1"] * 3
    alone = join_sessions(named[0])
    assert "valid" not in alone
    assert alone["unit_id"].values.tolist() == ["A/5", "A/6", "A/7"]


def test_the_record_says_what_was_joined(two, joined):
    [step] = history(joined)
    assert step["step"] == "join"
    assert list(step["parameters"]["sessions"]) == ["A", "B"]
    said = step["parameters"]["sessions"]["B"]
    assert [one["step"] for one in said["history"]] == ["to_bins", "split"]
    assert said["time_shift"] % 60 == 0
    assert joined.attrs["source_sha256"] != two["A"].attrs["source_sha256"]
    other = {"A": two["A"].assign_attrs(source_sha256="1" * 64), "B": two["B"]}
    assert join_sessions(other).attrs["source_sha256"] != joined.attrs["source_sha256"]


def test_the_given_sessions_stay_as_they_were(two):
    before = {name: one.copy(deep=True) for name, one in two.items()}
    joined = join_sessions(two)
    joined["counts"][:] = 0
    for name, one in two.items():
        xr.testing.assert_identical(one, before[name])


def test_joined_sessions_survive_a_netcdf_file(joined, tmp_path):
    joined.to_netcdf(tmp_path / "joined.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "joined.nc", engine="h5netcdf") as back:
        assert np.array_equal(back["valid"].values, joined["valid"].values)
        assert back["unit_id"].values.tolist() == joined["unit_id"].values.tolist()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: {"A": one["A"], "B": to_bins(recording(), 0.2)}, "'A' .* of 0.1 s, 'B' of 0.2 s"),
        (lambda one: {"A": one["A"], "B/1": one["B"]}, "'B/1' holds '/'"),
        (lambda one: {"A": split(one["A"]), "B": one["B"]}, "'A' is split, 'B' is not"),
        (lambda one: {"A": one["A"].drop_vars("segment"), "B": one["B"]}, "'A': .*segment"),
        (lambda one: {"A": join_sessions(one), "B": join_sessions(one)}, "joined already"),
        (lambda one: {"A": one["A"].isel(time=slice(None, None, -1)), "B": one["B"]}, "do not grow"),
        (lambda one: {"A": one["A"].isel(time=slice(20)), "B": one["B"]}, "'A' cannot be split by itself"),
        (lambda one: {"A": one["A"].assign(x=("other", [1, 2])), "B": one["B"]}, "'x' of 'A' has dims"),
        (lambda one: {}, "no session to join"),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_refused_in_words(two, change, words):
    with pytest.raises(BadInput, match=words):
        join_sessions(change(two))
