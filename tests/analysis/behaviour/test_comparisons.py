"""What latents are compared with: automatic conditions, stated cuts, conjunctions, nulls, errors."""

import json

import numpy as np
import pytest

from make.plugins import roles_as_before
from make.sessions import make_binned
from nwbsparse import names
from nwbsparse.analysis.association.nulls import NULLS
from nwbsparse.analysis.behaviour.comparisons import make_scope
from nwbsparse.errors import BadInput


@pytest.fixture(scope="module")
def data():
    """6,000 bins with every kind of variable, some of them useless."""
    rng = np.random.default_rng(0)
    n = 6000
    binned = make_binned(rng.poisson(0.5, (n, 4)).astype(np.uint8), test=0.3)
    trials = np.arange(n) // 50
    covariate = {names.ROLE: names.ROLE_COVARIATE}
    speed = rng.exponential(1.0, n).astype(np.float32)
    speed[::13] = np.nan
    side = {names.ROLE: names.ROLE_CONDITION, names.KIND: names.CATEGORICAL, names.TABLE: "trials"}
    side |= {names.CATEGORIES: json.dumps(["left", "right"])}
    return binned.assign(
        speed=("time", speed, {**covariate, names.KIND: names.CONTINUOUS, "units": "m/s"}),
        heading=("time", rng.uniform(-4, 4, n), {**covariate, names.KIND: names.CIRCULAR}),
        place=(
            ("time", "space"),
            rng.random((n, 2)),
            {**covariate, names.KIND: names.POSITION, "units": "m"},
        ),
        fixed=("time", np.full(n, 3.0), {**covariate, names.KIND: names.CONTINUOUS}),
        unknown=("time", np.full(n, np.nan), {**covariate, names.KIND: names.CONTINUOUS}),
        side=("time", rng.integers(0, 2, n // 50 + 1)[trials].astype(np.int32), side),
        lick=("time", (rng.random(n) < 0.1).astype(np.uint8), {names.ROLE: names.ROLE_EVENT}),
        trials=("time", trials.astype(np.int32), {names.ROLE: names.ROLE_INTERVAL}),
    )


def of(variables):
    return {variable.name: variable for variable in variables}


def test_all_kinds_of_covariates_become_conditions_and_constants_are_left_out(data):
    scope = make_scope(data)
    found = of(scope.conditions)
    assert set(found) == {"speed", "heading", "place", "side", "lick"}
    assert found["speed"].labels == ("low", "middle", "high")
    assert [found[name].size for name in ("heading", "place", "side", "lick")] == [4, 25, 2, 2]
    n = np.bincount(found["speed"].codes[found["speed"].codes >= 0])
    assert n.max() - n.min() < 0.1 * n.sum(), "thirds of the training bins"
    assert (found["speed"].codes[::13] == -1).all(), "NaN belongs to no condition"
    assert {v.name for v in scope.covariates} == {"speed", "heading", "place"}
    assert {v.name for v in scope.tested} == {"speed", "heading", "place", "side", "lick"}
    assert of(scope.tested)["speed"].kind == names.CONTINUOUS, "tested by its whole curve"


def test_sectors_go_round_the_circle(data):
    heading = of(make_scope(data).conditions)["heading"]
    wrapped = np.angle(np.exp(1j * data["heading"].values))
    np.testing.assert_array_equal(heading.codes, np.clip((wrapped + np.pi) // (np.pi / 2), 0, 3))


def test_stated_edges_and_numbers_of_quantiles(data):
    scope = make_scope(
        data,
        conditions={
            "speed": [0.2, 0.5, 1.0],
            "place": ([0, 0.5, 1], [0, 0.3, 0.6, 1]),
            "heading": 6,
        },
    )
    found = of(scope.conditions)
    speed = data["speed"].values
    inside = (speed >= 0.2) & (speed <= 1.0)
    assert ((found["speed"].codes >= 0) == inside).all(), "beyond the edges nothing is said"
    assert (found["speed"].codes[inside] == (speed[inside] >= 0.5)).all()
    assert found["speed"].labels == ("0.2 to 0.5", "0.5 to 1")
    assert found["place"].shape == (3, 2) and found["heading"].size == 6
    quantiles = of(make_scope(data, conditions={"speed": 5}).conditions)["speed"]
    assert quantiles.size == 5
    assert {v.name for v in make_scope(data, conditions={"speed": 5}).conditions} == {"speed"}


def test_only_what_was_chosen(data):
    scope = make_scope(data, covariates=["speed"], conditions=["side"])
    assert [v.name for v in scope.covariates] == ["speed"]
    assert [v.name for v in scope.conditions] == ["side"]
    assert [v.name for v in scope.tested] == ["speed", "side"]
    nothing = make_scope(data, covariates=[], conditions=[])
    assert nothing.tested == nothing.conditions == []
    assert {v.name for v in make_scope(data, covariates=[]).conditions} == {"side", "lick"}


def test_conjunctions_are_conditions_of_two_variables(data):
    scope = make_scope(data, conjunctions=[("side", "speed"), ("side", "lick")])
    both = of(scope.conditions)["side & speed"]
    single = of(scope.conditions)
    known = (single["side"].codes >= 0) & (single["speed"].codes >= 0)
    assert ((both.codes >= 0) == known).all() and both.size == 6
    assert both.labels[both.codes[known][0]].split(" & ") == [
        single[name].labels[single[name].codes[known][0]] for name in ("side", "speed")
    ]
    assert both.table is None, "speed changes within trials"
    assert "side & speed" in of(scope.tested)


def test_labels_of_trials_can_be_shifted_and_the_null_must_fit(data):
    assert of(make_scope(data).tested)["side"].table == "trials"
    assert of(make_scope(data, nulls={"side": "shift"}).tested)["side"].table is None
    with pytest.raises(BadInput, match="'speed' changes within the rows of 'trials'"):
        make_scope(data, nulls={"speed": "trials"})
    with pytest.raises(
        BadInput, match=r"'trial' for 'side'.*did you mean 'trials'.*shift, exchange, trials"
    ):
        make_scope(data, nulls={"side": "trial"})


def test_a_null_that_was_registered_goes_over_trials_where_there_are_any_else_over_bins(data):
    with roles_as_before():
        for name, rows in (("anything", "both"), ("in_time", "bins")):
            NULLS.register(name, NULLS["exchange"], rows=rows)
        both = of(make_scope(data, nulls={"side": "anything", "speed": "anything"}).tested)
        assert {(one.table, one.null) for one in (both["side"],)} == {("trials", "anything")}
        assert (both["speed"].table, both["speed"].null) == (None, "anything")
        in_time = of(make_scope(data, nulls={"side": "in_time", "lick": "in_time"}).tested)
        assert (in_time["side"].table, in_time["side"].null) == (None, "in_time")
        assert in_time["lick"].null == "in_time"
        cut = of(make_scope(data, nulls={"speed": "in_time"}).conditions)
        assert cut["speed"].null == "in_time" and cut["side"].null == ""
    with pytest.raises(
        BadInput, match="'exchange' rearranges labels of trials, and 'speed' is not"
    ):
        make_scope(data, nulls={"speed": "exchange"})


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"covariates": ["sped"]}, "no covariate 'sped'; did you mean 'speed'.*heading, place"),
        ({"conditions": ["sides"]}, "no condition 'sides'; did you mean 'side'"),
        ({"conditions": {"speeed": 3}}, "did you mean 'speed'"),
        ({"nulls": {"sid": "shift"}}, "did you mean 'side'"),
        ({"covariates": "speed"}, "list of names, not the text 'speed'"),
        ({"conjunctions": [("side", "spee")]}, "conjunctions.*did you mean 'speed'"),
        ({"conjunctions": [("side", "side")]}, "two different variables"),
        ({"conditions": {"side": 3}}, "'side' has categories already"),
        ({"conditions": {"speed": 1}}, "into 1 conditions; give 2 or more"),
        ({"conditions": {"speed": [1.0, 0.5, 2.0]}}, "must rise and be 3 or more"),
        ({"conditions": {"speed": [1.0, 2.0]}}, "must rise and be 3 or more"),
        ({"conditions": {"speed": [0.0, np.nan, 2.0]}}, "must rise"),
        ({"conditions": {"place": [0, 0.5, 1]}}, "'place' has 2 axes"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_there_is(data, asked, words):
    with pytest.raises(BadInput, match=words):
        make_scope(data, **asked)
