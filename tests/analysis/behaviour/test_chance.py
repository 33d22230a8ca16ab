"""Chance in the latent × condition matrix: against slow loops, uniform under the null, refused."""

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from make.designs import make_design
from nwbsparse import names
from nwbsparse.analysis.apply.activity import activity_of
from nwbsparse.analysis.association.memory import memories
from nwbsparse.analysis.behaviour.chance import chance
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.behaviour.condition_draws import arrangements
from nwbsparse.analysis.behaviour.conditions import condition_effects

WIDTH = 0.1


def ground_of(n, **given):
    return make_design(n, WIDTH, n_draws=100, **given)


def coded(codes, size, table=None, name="side"):
    labels = tuple(str(at) for at in range(size))
    return Coded(name, names.CATEGORICAL, np.asarray(codes, np.int32), labels, table=table)


def spiky(n, rng, channels):
    keep = np.exp(-1 / 5)
    walk = lfilter([1.0], [1.0, -keep], rng.standard_normal((n + 100, channels)), axis=0)[100:]
    return np.maximum(walk - 1.0, 0)


def held(n, rng, size=3, every=15):
    """Codes that last for a while."""
    at = np.maximum.accumulate((rng.random(n) < 1 / every) * np.arange(n))
    return rng.integers(0, size, n)[at]


def look(activity, variable, ground, **given):
    return chance(activity_of(activity), [variable], ground, **given)


def test_all_shifts_are_those_of_a_slow_loop():
    rng = np.random.default_rng(0)
    n = 1100
    activity, codes = spiky(n, rng, 2), held(n, rng)
    codes[::11] = -1
    known = codes >= 0
    m = int(known.sum())
    least = 3 * memories(codes[known], np.zeros((0, 3)), np.zeros(m))[0]
    found = look(activity, coded(codes, 3), ground_of(n), n_draws=10**6)
    assert found.how["side"]["status"] == "" and found.how["side"]["kind"] == "shifts"
    areas, shares = [], []
    for shift in range(least, m - least + 1):
        moved = codes.copy()
        moved[known] = np.roll(codes[known], shift)
        one = condition_effects(activity, [coded(moved, 3)], np.arange(n))
        areas.append(one.auroc)
        shares.append(one.selectivity)
    assert found.how["side"]["draws"] == len(areas)
    np.testing.assert_allclose(found.auroc_mean, np.mean(areas, axis=0), atol=1e-9)
    np.testing.assert_allclose(found.auroc_std, np.std(areas, axis=0), atol=1e-9)
    np.testing.assert_allclose(found.selectivity_mean, np.mean(shares, axis=0), atol=1e-9)
    expected = condition_effects(activity, [coded(codes, 3)], np.arange(n))
    np.testing.assert_array_equal(found.effects.auroc, expected.auroc)


def test_p_under_the_null_is_uniform_and_a_planted_condition_is_found():
    rng = np.random.default_rng(1)
    n = 8000
    activity = spiky(n, rng, 300)
    codes = held(n, rng)
    follows = activity[:, [0]] + 1.0 * (codes == 1)[:, None]
    found = look(np.hstack([activity, follows]), coded(codes, 3), ground_of(n))
    p = found.p[:300, 1]
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert 0.02 <= np.mean(p <= 0.05) <= 0.09
    assert found.p[300, 1] == pytest.approx(1 / 101)


def test_drift_in_both_does_not_pass_for_an_association():
    rng = np.random.default_rng(2)
    n, channels = 8000, 200
    slope = np.linspace(0, 1.5, n)
    activity = np.maximum(spiky(n, rng, channels) + slope[:, None] * rng.random(channels), 0)
    late = rng.random(n) < np.linspace(0.1, 0.9, n)
    codes = np.where(late, held(n, rng, 2) | 1, 0)
    p = look(activity, coded(codes, 2), ground_of(n)).p[:, 0]
    assert np.mean(p <= 0.05) <= 0.12


def test_trials_are_exchanged_among_neighbours_and_p_is_uniform():
    rng = np.random.default_rng(3)
    trials = np.repeat(np.arange(80), 25)
    labels = rng.integers(0, 2, 80)
    activity = spiky(len(trials), rng, 300) * (1 + rng.random((80, 300)))[trials]
    often = rng.random(len(trials)) < 0.3 * labels[trials]
    planted = activity[:, [0]] + often[:, None]
    variable = coded(labels[trials], 2, "trials")
    found = look(np.hstack([activity, planted]), variable, ground_of(len(trials), trials=trials))
    assert found.how["side"] == {
        "kind": "trials", "draws": 100, "smallest_p": pytest.approx(1 / 101), "status": "",
    }  # fmt: skip
    assert found.p[300, 1] <= 0.03
    assert 0.01 <= np.mean(found.p[1:300, 0] <= 0.05) <= 0.12


def test_labels_that_repeat_are_shifted_and_few_trials_say_nothing():
    rng = np.random.default_rng(4)
    trials = np.repeat(np.arange(40), 25)
    activity = spiky(len(trials), rng, 2)
    blocks = coded((trials // 10) % 2, 2, "trials")
    found = look(activity, blocks, ground_of(len(trials), trials=trials))
    assert found.how["side"]["kind"] == "sequence" and found.how["side"]["draws"] < 40
    blocks = coded(np.where(trials < 20, 0, 1), 2, "trials")
    found = look(activity, blocks, ground_of(len(trials), trials=trials))
    assert "labels repeat" in found.how["side"]["status"] and np.isnan(found.p).all()
    few = np.repeat(np.arange(10), 100)
    found = look(activity, coded(few % 2, 2, "trials"), ground_of(len(few), trials=few))
    assert found.how["side"]["status"] == "10 trials, 12 are needed" and np.isnan(found.p).all()


def test_sessions_are_exchanged_whole_and_the_smallest_p_is_said():
    rng = np.random.default_rng(5)
    session = np.repeat(np.arange(6), 400)
    mutant = np.array([0, 1, 0, 1, 1, 0])[session]
    activity = spiky(len(session), rng, 2)
    activity[:, 1] += 2.0 * mutant
    variable = coded(mutant, 2, names.SESSIONS, "genotype")
    found = look(activity, variable, ground_of(len(session), session=session))
    assert found.how["genotype"]["kind"] == "sessions"
    assert found.how["genotype"]["draws"] == 19, "20 ways to choose 3 of 6"
    assert found.how["genotype"]["smallest_p"] == pytest.approx(1 / 20)
    # the opposite arrangement is as extreme: two-sided, 2 of 20
    assert found.p[1, 1] == pytest.approx(2 / 20)


def test_p_of_session_properties_is_uniform_although_sessions_differ():
    rng = np.random.default_rng(6)
    session = np.repeat(np.arange(8), 150)
    labels = np.array([0, 0, 1, 1, 0, 1, 0, 1])
    level = rng.random((8, 400)) * 2  # every channel has levels of its own in each session
    activity = rng.random((len(session), 400)) + level[session]
    variable = coded(labels[session], 2, names.SESSIONS)
    p = look(activity, variable, ground_of(len(session), session=session)).p
    assert np.isnan(p).all(), "a channel that is always active has no five episodes"
    activity *= rng.random(activity.shape) < 0.5
    p = look(activity, variable, ground_of(len(session), session=session)).p[:, 0]
    assert 0.02 <= np.mean(p <= 0.06) <= 0.11
    assert 0.42 < p.mean() < 0.62


def test_all_arrangements_are_different_and_the_first_is_what_was():
    table, exact = arrangements(np.array([0, 1, 1, 2]), n_draws=100, rng=np.random.default_rng(0))
    assert exact and table.shape == (4, 12)
    assert table[:, 0].tolist() == [0, 1, 1, 2]
    assert len(np.unique(table, axis=1).T) == 12
    table, exact = arrangements(np.arange(12), n_draws=50, rng=np.random.default_rng(0))
    assert not exact and table.shape == (12, 51)


def active_in(n, n_bins, n_episodes):
    activity = np.zeros((n, 1))
    per = np.diff(np.linspace(0, n_bins, n_episodes + 1).astype(int))
    for at, length in enumerate(per):
        activity[10 + at * 60 : 10 + at * 60 + length] = 1.0
    return activity


@pytest.mark.fault(46)
@pytest.mark.parametrize(
    ("bins", "episodes", "assessable"),
    [(19, 19, False), (20, 20, True), (20, 5, True), (20, 4, False), (0, 1, False)],
)
def test_rarely_active_latents_are_not_assessable(bins, episodes, assessable):
    n = 4000
    codes = held(n, np.random.default_rng(7))
    found = look(active_in(n, bins, episodes), coded(codes, 3), ground_of(n))
    assert found.assessable.all() == assessable
    assert np.isfinite(found.p).all() == assessable


def test_one_class_and_rare_classes_and_nothing_known_are_not_assessable():
    n = 4000
    rng = np.random.default_rng(8)
    activity = spiky(n, rng, 2)
    for codes in (np.zeros(n), np.full(n, -1), np.where(np.arange(n) < 5, 1, 0)):
        found = look(activity, coded(codes, 2), ground_of(n))
        assert np.isnan(found.p).all() and not found.assessable.any()


def test_too_short_a_recording_says_how_much_longer_would_do():
    rng = np.random.default_rng(9)
    n = 300
    found = look(spiky(n, rng, 2), coded(np.arange(n) // 100, 3), ground_of(n))
    status = found.how["side"]["status"]
    assert "5 are needed (15 × its memory of" in status and status.endswith("or more would do")
    assert found.how["side"]["smallest_p"] is None and np.isnan(found.p).all()
