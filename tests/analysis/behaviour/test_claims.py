"""One p per latent over its variables, the variable it follows, and why nothing is claimed."""

import numpy as np
import pytest
from scipy import stats

from make.designs import make_coded
from nwbsparse.analysis.association.associate import SHIFTS, Association
from nwbsparse.analysis.association.cross_fit import CrossFit
from nwbsparse.analysis.association.draws import Chance
from nwbsparse.analysis.behaviour.claims import claims


def association(name, r, p, *, hindrance=None, n_draws=2000):
    r, p = np.array(r, float), np.array(p, float)
    n = len(r)
    said = np.full(n, "", dtype=object) if hindrance is None else np.array(hindrance, dtype=object)
    fit = CrossFit(
        r, np.tile(r, (10, 1)), np.stack([r, r], axis=1), np.zeros((n, 5), int), np.zeros(n, int)
    )
    chance = Chance(p, np.zeros(n), np.full(n, 0.1), np.full(n, n_draws))
    return Association(
        make_coded([0, 1], name=name), SHIFTS, fit, chance, np.full(n, 20.0), np.ones(n), said, 60.0
    )


def test_p_is_sidak_over_the_variables_that_could_be_tested_and_q_over_latents():
    speed = association("speed", [0.3, 0.1, 0.2], [0.001, 0.5, 0.04])
    side = association("side", [0.2, 0.2, 0.1], [0.01, 0.2, 0.6], hindrance=["", "few", ""])
    made = claims([speed, side], 3, 0.05)
    expected = [1 - (1 - 0.001) ** 2, 0.5, 1 - (1 - 0.04) ** 2]
    np.testing.assert_allclose(made.p, expected)
    np.testing.assert_allclose(made.q, stats.false_discovery_control(expected))
    assert made.status.tolist() == ["found", "not found", "not found"]


def test_it_follows_the_largest_r_among_the_small_p():
    first = association("first", [0.5, 0.5, 0.1], [0.2, 0.001, 0.9])
    second = association("second", [0.2, 0.2, 0.3], [0.001, 0.001, 0.7])
    third = association("third", [0.9] * 3, [0.01] * 3, hindrance=["3 trials, 12 are needed"] * 3)
    made = claims([first, second, third], 3, 0.05)
    assert made.choice.tolist() == [1, 0, 1], "third cannot be tested; none passes: the largest r"


def test_what_cannot_be_tested_with_anything_says_why_of_the_largest_r():
    first = association(
        "first", [0.1], [0.5], hindrance=["active in 2 separate stretches, 5 are needed"]
    )
    second = association("second", [0.3], [0.5], hindrance=["3 trials, 12 are needed"])
    made = claims([first, second], 1, 0.05)
    assert made.status[0] == "not testable: second: 3 trials, 12 are needed"
    assert made.choice[0] == 1 and np.isnan(made.p[0]) and np.isnan(made.q[0])
    alone = claims([], 2, 0.05)
    assert alone.status.tolist() == ["not testable: there is no variable to compare it with"] * 2
    assert alone.choice.tolist() == [-1, -1]


def test_a_smallest_p_that_cannot_survive_is_called_too_few_draws():
    few = association("speed", np.linspace(0, 1, 40), [1 / 101] + [0.5] * 39, n_draws=100)
    assert claims([few], 40, 0.05).status[0] == "too few draws"
    many = association("speed", np.linspace(0, 1, 40), [1 / 2001] + [0.5] * 39, n_draws=2000)
    assert claims([many], 40, 0.05).status[0] == "found"


@pytest.mark.parametrize("n_variables", [1, 5, 30])
def test_under_the_null_p_of_a_latent_is_uniform_whatever_the_number_of_variables(n_variables):
    rng = np.random.default_rng(0)
    made = claims(
        [association(str(at), np.zeros(4000), rng.random(4000)) for at in range(n_variables)],
        4000,
        0.05,
    )
    assert stats.kstest(made.p, "uniform").pvalue > 0.001
