"""Latent ↔ condition: effect sizes by hand, AUROC against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from nwbsparse import names
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.behaviour.conditions import condition_effects

CODES = np.array([0, 0, 0, 1, 1, -1, -1, 1], dtype=np.int32)
ACTIVATION = np.array(
    # latent 0: 2 of 3 inside a, 1 of 3 outside; latent 1: only where nothing is known; 2: always
    [[1, 0, 1], [2, 0, 1], [0, 0, 1], [0, 0, 1], [3, 0, 1], [9, 9, 1], [0, 9, 1], [0, 0, 1]],
    dtype=np.float32,
)


def coded(codes, labels=("a", "b"), name="side", kind=names.CATEGORICAL):
    return Coded(name, kind, np.asarray(codes, dtype=np.int32), tuple(labels), shape=(len(labels),))


def test_shares_inside_and_outside_by_hand():
    found = condition_effects(ACTIVATION, [coded(CODES)], np.arange(8))
    assert found.labels == (("side", "a"), ("side", "b"))
    np.testing.assert_array_equal(found.n_in, [3, 3])
    np.testing.assert_allclose(found.p_in[0], [2 / 3, 1 / 3])
    np.testing.assert_allclose(found.p_out[0], [1 / 3, 2 / 3])
    np.testing.assert_allclose(found.selectivity[0], [2 / 3, 1 / 3])
    np.testing.assert_allclose(found.precision[0], [2 / 3, 1 / 3])


def test_outside_a_trial_nothing_is_compared():
    found = condition_effects(ACTIVATION, [coded(CODES)], np.arange(8))
    np.testing.assert_array_equal(found.p_in[1], [0, 0])
    np.testing.assert_array_equal(found.p_out[1], [0, 0])
    assert np.isnan(found.selectivity[1]).all() and np.isnan(found.precision[1]).all()
    np.testing.assert_allclose(found.auroc[1], 0.5)


def test_a_latent_that_is_always_active_is_not_selective():
    found = condition_effects(ACTIVATION, [coded(CODES)], np.arange(8))
    np.testing.assert_allclose(found.selectivity[2], 0.5)
    np.testing.assert_allclose(found.auroc[2], 0.5)
    np.testing.assert_allclose(found.precision[2], 0.5)


def test_auroc_by_hand_with_a_tie():
    # a: 1 2 0, b: 0 3 0: pairs won 1>0 1>0 2>0 2>0 (4), ties 0=0 twice (1), of 9
    found = condition_effects(ACTIVATION, [coded(CODES)], np.arange(8))
    np.testing.assert_allclose(found.auroc[0], [5 / 9, 4 / 9])


def test_auroc_equals_scikit_learn_with_ties_and_unknown_bins():
    rng = np.random.default_rng(0)
    activation = rng.poisson(0.7, (500, 6)).astype(np.float32)  # many ties
    activation[:, 5] = rng.random(500)  # none
    codes = rng.integers(-1, 4, 500)
    activation[:, 2] += codes == 2
    bins = np.sort(rng.choice(500, 400, replace=False))
    found = condition_effects(activation[bins], [coded(codes, "abcd")], bins)
    known = codes[bins] >= 0
    for latent in range(6):
        for code in range(4):
            truth = codes[bins][known] == code
            expected = roc_auc_score(truth, activation[bins][known, latent])
            assert found.auroc[latent, code] == pytest.approx(expected, abs=1e-12)
    assert found.auroc[2, 2] > 0.7


def test_only_the_given_bins_count():
    bins = np.array([0, 3, 4, 7])
    found = condition_effects(ACTIVATION[bins], [coded(CODES)], bins)
    np.testing.assert_array_equal(found.n_in, [1, 3])
    np.testing.assert_allclose(found.p_in[0], [1, 1 / 3])


def test_a_condition_that_never_occurs_says_nothing():
    found = condition_effects(ACTIVATION, [coded(CODES, ("a", "b", "never"))], np.arange(8))
    assert found.n_in[2] == 0
    assert np.isnan(found.p_in[:, 2]).all() and np.isnan(found.auroc[:, 2]).all()
    assert np.isnan(found.selectivity[:, 2]).all()
    np.testing.assert_allclose(found.p_out[0, 2], 0.5)


def test_a_condition_that_fills_everything_says_nothing():
    found = condition_effects(ACTIVATION, [coded(np.zeros(8))], np.arange(8))
    assert np.isnan(found.p_out[:, 0]).all() and np.isnan(found.auroc[:, 0]).all()
    assert np.isnan(found.selectivity[:, 0]).all()
    np.testing.assert_allclose(found.p_in[:, 0], [4 / 8, 2 / 8, 1])


def test_a_condition_that_is_known_nowhere_says_nothing():
    found = condition_effects(ACTIVATION, [coded(np.full(8, -1))], np.arange(8))
    for values in (found.p_in, found.p_out, found.selectivity, found.precision, found.auroc):
        assert values.shape == (3, 2) and np.isnan(values).all()


def test_several_variables_stand_side_by_side_and_none_gives_empty_tables():
    two = [coded(CODES), coded(1 - np.maximum(CODES, 0), name="other")]
    found = condition_effects(ACTIVATION, two, np.arange(8))
    assert [variable for variable, _ in found.labels] == ["side", "side", "other", "other"]
    assert found.p_in.shape == (3, 4)
    nothing = condition_effects(ACTIVATION, [], np.arange(8))
    assert nothing.p_in.shape == nothing.selectivity.shape == (3, 0)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.floats(0.05, 2.0), st.integers(2, 5))
def test_auroc_of_sparse_activity_equals_scikit_learn(seed, n, rate, size):
    rng = np.random.default_rng(seed)
    activation = rng.poisson(rate, (n, 3)).astype(np.float32)
    activation[:, 2] *= rng.random(n).astype(np.float32)  # hardly a tie but zeros
    codes = rng.integers(-1, size, n)
    found = condition_effects(activation, [coded(codes, "abcde"[:size])], np.arange(n))
    known = codes >= 0
    for latent, code in np.ndindex(3, size):
        truth = codes[known] == code
        if truth.any() and not truth.all():
            expected = roc_auc_score(truth, activation[known, latent])
            assert found.auroc[latent, code] == pytest.approx(expected, abs=1e-12)
        else:
            assert np.isnan(found.auroc[latent, code])


def test_shares_lift_and_explained_variance_by_hand():
    found = condition_effects(ACTIVATION, [coded(CODES)], np.arange(8))
    np.testing.assert_allclose(found.p_in[0], [2 / 3, 1 / 3])
    np.testing.assert_allclose(found.p_out[0], [1 / 3, 2 / 3])
    np.testing.assert_allclose(found.lift[0], [(2 / 3) / (1 / 2), (1 / 3) / (1 / 2)])
    known = CODES >= 0
    r = np.corrcoef(ACTIVATION[known, 0], CODES[known] == 0)[0, 1]
    np.testing.assert_allclose(found.r2[0], r**2)
    assert np.isnan(found.r2[2]).all(), "a constant explains nothing and is explained by nothing"
