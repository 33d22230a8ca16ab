"""Scores on held-out trials and their null: known answers, and what knows nothing is not significant."""

import numpy as np
import pytest

from nwbsparse.analysis.network.held_out_score import held_out_score
from nwbsparse.splice.heads import Head

CATEGORY = Head("category", 4)
ANGLE = Head("circular", period=360.0)
NUMBER = Head("continuous")
SERIES = Head("continuous", per="bin")


def test_right_answers_are_right_and_no_shuffled_ones_reach_them():
    true = np.tile(np.arange(4), 10)
    found = held_out_score(CATEGORY, true.copy(), true, n_permutations=199)
    assert found.score == 1 and found.chance == 0.25 and found.p == 1 / 200
    assert found.null_mean == pytest.approx(0.25, abs=0.03)


def test_trials_without_a_value_do_not_count():
    true = np.array([0, 1, -1, -1, 1])
    found = held_out_score(CATEGORY, np.array([0, 1, 3, 3, 0]), true)
    assert found.n == 3 and found.score == pytest.approx(2 / 3)
    assert held_out_score(CATEGORY, np.array([0, 1]), np.array([-1, -1])) is None


def test_an_angle_comes_round():
    true = np.array([0.0, 90.0, 350.0, 180.0])
    found = held_out_score(ANGLE, true + np.array([360.0, 0, -360.0, 0]), true)
    assert found.score == pytest.approx(1.0)
    opposite = held_out_score(ANGLE, true + 180, true)
    assert opposite.score == pytest.approx(-1.0)


def test_the_mean_is_worth_nothing():
    true = np.arange(20.0)
    found = held_out_score(NUMBER, np.full(20, true.mean()), true)
    assert found.score == pytest.approx(0.0) and found.chance == 0 and found.p == 1


@pytest.mark.parametrize("kind", ["category", "series"])
def test_answers_that_know_nothing_are_significant_as_often_as_p_says(kind):
    rng = np.random.default_rng(0)
    p = []
    for number in range(200):
        if kind == "category":
            made = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
            head = CATEGORY
        else:  # both drift slowly over the session, and have nothing to do with each other
            made = tuple(np.cumsum(rng.standard_normal((60, 1)), axis=0) % 7 for _ in range(2))
            made = tuple(one + 0.1 * rng.standard_normal((60, 3)) for one in made)
            head = SERIES
        p.append(held_out_score(head, *made, n_permutations=99, seed=number).p)
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.06)


def test_what_is_the_same_in_a_session_has_sessions_as_its_cases():
    session = np.repeat(np.arange(4), 50)
    true = np.array([0, 0, 1, 1])[session]
    right = held_out_score(CATEGORY, true, true, session=session, n_permutations=999)
    # 2 of the 6 ways to deal the labels give the same answers right or all wrong: one of them right
    assert right.score == 1 and right.p == pytest.approx(1 / 6, abs=0.04)
    assert held_out_score(CATEGORY, true, true, n_permutations=99).p == 0.01


def test_there_is_no_null_for_one_value():
    found = held_out_score(CATEGORY, np.zeros(20, dtype=int), np.zeros(20, dtype=int))
    assert found.score == 1 and found.chance == 1 and np.isnan(found.p)
