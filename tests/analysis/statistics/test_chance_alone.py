"""Chance: shifts against a slow loop, p values under the null, power, and honest refusals."""

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from nwbsparse.analysis.statistics.circular_shift import circular_shift
from nwbsparse.analysis.statistics.false_discovery import false_discovery_rate
from nwbsparse.analysis.statistics.slow_drift import drift_basis

WIDTH = 0.1
LEAST = 100
"""Bins of the smallest shift: 10 s."""


def wandering(n, rng, *, memory, channels=1):
    """(n, channel) autoregressive noise that forgets within ``memory`` bins."""
    keep = np.exp(-1 / memory)
    return lfilter([1.0], [1.0, -keep], rng.standard_normal((n + 500, channels)), axis=0)[500:]


def spiky(n, rng, *, memory, channels):
    """Rectified noise, like the activations of latents."""
    return np.maximum(wandering(n, rng, memory=memory, channels=channels) - 1.0, 0)


def without_drift(activity, times, population):
    basis = drift_basis(times, population)
    return activity - basis @ (basis.T @ activity)


def by_rolling(activity, prediction, least):
    n = len(activity)
    return np.array(
        [np.corrcoef(activity, np.roll(prediction, s))[0, 1] for s in range(least, n - least + 1)]
    )


def test_the_observed_value_is_the_correlation():
    rng = np.random.default_rng(0)
    activity, prediction = rng.random(3000), rng.random(3000)
    prediction += 0.2 * activity
    observed, null = circular_shift(activity, prediction, bin_width=WIDTH)
    assert observed == pytest.approx(np.corrcoef(activity, prediction)[0, 1])
    assert null.status == ""


@pytest.mark.parametrize("n", [2500, 2501])
def test_the_null_is_that_of_a_slow_loop_over_all_shifts(n):
    rng = np.random.default_rng(n)
    activity, prediction = spiky(n, rng, memory=3, channels=1)[:, 0], rng.standard_normal(n)
    observed, null = circular_shift(activity, prediction, bin_width=WIDTH)
    draws = by_rolling(activity, prediction, LEAST)
    assert null.n == len(draws) == n - 2 * LEAST + 1
    assert null.mean == pytest.approx(draws.mean(), abs=1e-9)
    assert null.std == pytest.approx(draws.std(), abs=1e-9)
    counted = (1 + (draws >= observed - 1e-12).sum()) / (1 + len(draws))
    tail = stats.t.sf((observed - draws.mean()) / draws.std(), df=n // LEAST - 1)
    assert null.p == pytest.approx(max(counted, tail))


def test_slow_behaviour_is_shifted_by_three_of_its_autocorrelation_times():
    rng = np.random.default_rng(0)
    n = 20_000
    slow = wandering(n, rng, memory=80)[:, 0]
    _, null = circular_shift(spiky(n, rng, memory=3, channels=1)[:, 0], slow, bin_width=WIDTH)
    least = (n - null.n + 1) // 2
    centred = slow - slow.mean()
    acf = np.array([np.roll(centred, s) @ centred for s in range(400)])
    assert least == 3 * np.flatnonzero(acf < acf[0] / np.e)[0] > LEAST


def p_values(rng, *, sessions, channels, n=12_000):
    """(session, channel) p of activity against the behaviour of another session."""
    found = np.empty((sessions, channels))
    for session in range(sessions):
        behaviour = wandering(n, rng, memory=20)[:, 0]
        activity = spiky(n, rng, memory=5, channels=channels)
        for channel in range(channels):
            _, null = circular_shift(activity[:, channel], behaviour, bin_width=WIDTH)
            found[session, channel] = null.p
    return found


def test_p_values_of_swapped_sessions_are_those_of_chance():
    p = p_values(np.random.default_rng(1), sessions=20, channels=35)
    assert np.mean(p <= 0.05) <= 0.10
    assert 0.42 < p.mean() < 0.58
    assert np.mean(p <= 0.5) == pytest.approx(0.5, abs=0.08)
    with_finding = [(false_discovery_rate(one) < 0.05).any() for one in p]
    assert sum(with_finding) <= 3


def test_a_planted_association_is_found_and_its_opposite_is_not():
    rng = np.random.default_rng(2)
    behaviour = wandering(12_000, rng, memory=20)[:, 0]
    noise = spiky(12_000, rng, memory=5, channels=1)[:, 0]
    follows = noise + 0.5 * np.maximum(behaviour, 0)
    _, null = circular_shift(follows, behaviour, bin_width=WIDTH)
    assert null.p < 1e-3
    _, null = circular_shift(-follows, behaviour, bin_width=WIDTH)
    assert null.p > 0.99


def test_too_few_independent_shifts_cannot_be_assessed():
    rng = np.random.default_rng(3)
    for n in (20 * LEAST - 1, 150, 2):
        _, null = circular_shift(rng.random(n), rng.random(n), bin_width=WIDTH)
        assert "independent shifts" in null.status and np.isnan(null.p)
    _, null = circular_shift(rng.random(20 * LEAST), rng.random(20 * LEAST), bin_width=WIDTH)
    assert null.status == "" and 0 < null.p <= 1


def test_nothing_at_all_cannot_be_assessed():
    observed, null = circular_shift(np.empty(0), np.empty(0), bin_width=WIDTH)
    assert np.isnan(observed) and np.isnan(null.p) and null.status


@pytest.mark.fault(46)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_a_constant_cannot_be_assessed(value):
    moving = np.random.default_rng(0).random(4000)
    for pair in ((np.full(4000, value), moving), (moving, np.full(4000, value))):
        observed, null = circular_shift(*pair, bin_width=WIDTH)
        assert np.isnan(observed) and np.isnan(null.p)
        assert "constant" in null.status


def test_a_cubic_in_time_and_the_population_rate_are_removed_exactly():
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(500, 900, 1000))
    population = rng.poisson(20, 1000).astype(float)
    drift = np.stack([times, 1e-3 * times**3 - times**2, 5 + 3 * population], axis=1)
    assert np.abs(without_drift(drift, times, population)).max() < 1e-6 * np.abs(drift).max()
    noise = rng.standard_normal((1000, 2))
    kept = without_drift(noise, times, population)
    assert np.corrcoef(kept[:, 0], noise[:, 0])[0, 1] > 0.99
    assert np.corrcoef(kept[:, 0], population)[0, 1] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(without_drift(noise + drift[:, :1], times, population), kept)
    constant = without_drift(noise, times, np.full(1000, 3.0))
    assert np.isfinite(constant).all()


def test_drift_in_both_is_no_association_once_it_is_removed():
    rng = np.random.default_rng(4)
    n, channels = 6000, 300
    times = np.arange(n) * WIDTH
    slope = np.linspace(-1, 1, n)[:, None] * rng.choice([-1, 1], channels)
    activity = spiky(n, rng, memory=5, channels=channels) + slope
    behaviour = wandering(n, rng, memory=10, channels=channels) + 3 * slope
    cleaned = without_drift(activity, times, np.zeros(n))
    share = [
        np.mean(
            [
                circular_shift(one[:, c], behaviour[:, c], bin_width=WIDTH)[1].p <= 0.05
                for c in range(channels)
            ]
        )
        for one in (activity, cleaned)
    ]
    assert share[0] > 0.2, "without the correction drift passes for an association"
    assert share[1] <= 0.10


def test_false_discovery_rate_by_hand_and_without_nan():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    # sorted .01 .03 .04 .5 → .04 .06 .0533 .5 → from the right: .04 .0533 .0533 .5
    expected = [0.04, np.nan, 0.16 / 3, 0.16 / 3, 0.5]
    np.testing.assert_allclose(false_discovery_rate(p), expected)
    assert np.isnan(false_discovery_rate(np.full(3, np.nan))).all()
    assert false_discovery_rate(np.empty(0)).shape == (0,)
    many = np.random.default_rng(0).random(50) ** 3
    np.testing.assert_allclose(false_discovery_rate(many), stats.false_discovery_control(many))
