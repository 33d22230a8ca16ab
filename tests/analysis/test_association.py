"""What a latent follows: chosen on training bins, tested once, refused where little is known."""

import numpy as np
import pytest

from nwbsparse.analysis.apply.encode import dense
from nwbsparse.analysis.behaviour.association import associate, candidates_of
from nwbsparse.analysis.behaviour.coding import code_variables
from nwbsparse.analysis.behaviour.design import make_ground
from nwbsparse.analysis.statistics.nulls import false_discovery_rate

POSITION = ("position", "speed", "movement_direction")


def look(activity, data, *, n_draws=200):
    """(Tested, names of the chosen variables, q)."""
    candidates = candidates_of(code_variables(data))
    tested = associate(activity, candidates, make_ground(data, n_draws=n_draws, seed=0))
    chosen = [candidates[index].variable.name if index >= 0 else "" for index in tested.choice]
    return tested, chosen, false_discovery_rate(tested.p)


def rolled(data, bins):
    """The same spikes beside the behaviour of another time."""
    return data.assign({name: data[name].roll(time=bins) for name in POSITION})


def test_place_cells_follow_position(places):
    data, _, _ = places
    tested, chosen, q = look(data["counts"].values[:, :10], data)
    fires = np.arange(10) != 3
    assert [chosen[unit] for unit in np.flatnonzero(fires)] == ["position"] * 9
    assert (q[fires] < 0.01).all() and (tested.observed[fires] > 0.2).all()


def test_nothing_follows_the_behaviour_of_another_time(places):
    data, _, latents = places
    for bins in (3000, 5000, 7000):
        other = rolled(data, bins)
        for activity in (data["counts"].values, dense(latents)):
            tested, _, q = look(activity, other)
            assert np.isfinite(tested.p).sum() >= 15
            assert (q < 0.05).sum() <= 1


def test_noise_units_beside_place_cells_follow_nothing(places):
    """The population rate follows position here; taking it out must not put position in."""
    data, _, _ = places
    tested, _, q = look(data["counts"].values, data)
    noise = np.arange(10, 18)
    assert np.isfinite(tested.p[noise]).all()
    assert (q[noise] < 0.05).sum() <= 1
    assert (tested.p[noise] < 0.05).sum() <= 3


def test_the_choice_is_made_without_the_test_bins(places):
    data, _, latents = places
    test = np.flatnonzero(data["split"].values == 2)
    order = np.random.default_rng(0).permutation(test)
    other = data.copy(deep=True)
    for name in POSITION:
        other[name].values[test] = data[name].values[order]
    before, chosen, q = look(dense(latents), data)
    after, chosen_then, q_then = look(dense(latents), other)
    assert chosen_then == chosen
    np.testing.assert_array_equal(after.score, before.score)
    np.testing.assert_array_equal(after.choice, before.choice)
    assert (q < 0.05).sum() >= 15 and (q_then < 0.05).sum() <= 1


def test_the_test_uses_no_training_activity_but_the_curve(places):
    """Behaviour permuted in the fitting bins leaves nothing to be confirmed."""
    data, _, _ = places
    fitting = np.flatnonzero(np.isin(data["split"].values, [0, 1]))
    order = np.random.default_rng(0).permutation(fitting)
    other = data.copy(deep=True)
    for name in POSITION:
        other[name].values[fitting] = data[name].values[order]
    tested, _, q = look(data["counts"].values[:, :10], other)
    assert (q < 0.05).sum() <= 1
    assert np.nanmax(np.abs(tested.score)) < 0.1


@pytest.mark.fault(46)
def test_a_silent_unit_is_never_chosen_or_ranked(places):
    data, _, _ = places
    tested, _, q = look(data["counts"].values, data)
    assert tested.choice[3] == -1 and np.isnan(tested.observed[3]) and np.isnan(q[3])
    assert np.isnan(tested.score[:, 3]).all()
    assert tested.null[3].status == "never active"


def active_in(data, n_bins, n_episodes):
    """Activity that is always there in training and, in test, in so many bins and episodes."""
    test = np.flatnonzero(data["split"].values == 2)
    activity = np.random.default_rng(0).random(data.sizes["time"])
    activity[test] = 0
    within = test[np.isfinite(data["position"].values[test]).all(axis=1)]
    per = np.diff(np.linspace(0, n_bins, n_episodes + 1).astype(int))
    for at, length in enumerate(per):
        start = 5 + at * (max(per) + 3)
        activity[within[start : start + length]] = 1.0
    return activity


@pytest.mark.parametrize(
    ("bins", "episodes", "assessable"),
    [(19, 19, False), (20, 20, True), (20, 5, True), (20, 4, False), (80, 4, False), (0, 0, False)],
)
def test_rarely_active_channels_are_not_assessable(places, bins, episodes, assessable):
    data, _, _ = places
    only = data.drop_vars(["speed", "movement_direction"])
    activity = active_in(only, bins, episodes) if bins else active_in(only, 1, 1)
    if not bins:
        activity[only["split"].values == 2] = 0
    tested, _, _ = look(activity[:, None], only)
    assert (tested.null[0].status == "") == assessable
    assert np.isfinite(tested.p[0]) == np.isfinite(tested.observed[0]) == assessable
    if not assessable:
        assert f"{bins} held-out bins, {episodes} episodes" in tested.null[0].status


def test_a_constant_covariate_is_left_out(places):
    data, _, _ = places
    assert "temperature" in data
    assert [one.name for one in code_variables(data)] == list(POSITION)


def test_without_any_covariate_nothing_is_tested(places):
    data, _, _ = places
    bare = data.drop_vars([*POSITION, "temperature"])
    tested, chosen, q = look(bare["counts"].values, bare)
    assert tested.score.shape == (0, 18) and chosen == [""] * 18
    assert (tested.choice == -1).all() and np.isnan(q).all()


def test_conditions_of_trials_are_tested_over_trials(trial_places):
    data = trial_places
    only = data.drop_vars(POSITION)
    candidates = candidates_of(code_variables(only))
    assert [(one.variable.name, one.condition) for one in candidates] == [
        ("trials.side", "left"),
        ("trials.side", "right"),
    ]
    tested, _, q = look(data["counts"].values, only)
    assert (q[16:] < 0.01).all(), "units 16 and 17 fire in left trials"
    assert [candidates[index].condition for index in tested.choice[16:]] == ["left", "left"]
    for null in (tested.null[16], tested.null[17]):
        assert null.n == 10_000, "draws go on while the observed value is never reached"


def test_noise_units_follow_no_condition_beside_units_that_do(trial_places):
    data = trial_places
    _, _, q = look(data["counts"].values, data.drop_vars(POSITION))
    assert (q[10:16] < 0.05).sum() <= 1


def test_the_observed_value_over_trials_by_hand(trial_places):
    only = trial_places.drop_vars(POSITION)
    ground = make_ground(only, n_draws=50, seed=0)
    activity = only["counts"].values[:, [16]]
    tested, _, _ = look(activity, only, n_draws=50)
    test = np.flatnonzero(only["split"].values == 2)
    residual = ground.residual(activity, test)[:, 0]
    rows, left = only["trials"].values[test], only["trials.side"].values[test] == 0
    names = np.unique(rows[rows >= 0])
    mean = [residual[rows == row].mean() for row in names]
    label = [left[rows == row][0] for row in names]
    assert tested.observed[0] == pytest.approx(np.corrcoef(mean, label)[0, 1])


def test_few_held_out_trials_cannot_be_assessed(trial_places):
    only = trial_places.drop_vars(POSITION).copy(deep=True)
    test = np.flatnonzero(only["split"].values == 2)
    rows = only["trials"].values
    seen = np.unique(rows[test])[:19]
    only["trials.side"].values[test] = np.where(
        np.isin(rows[test], seen), only["trials.side"].values[test], -1
    )
    tested, _, _ = look(only["counts"].values[:, [16]], only)
    assert tested.null[0].status == "only 19 held-out trials" and np.isnan(tested.p[0])
