"""Stimuli made of sparse factors: more factors than dimensions, each of them decodable."""

import numpy as np
import pytest
from pynwb import NWBHDF5IO
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

import nwbsparse as ns
from nwbsparse.simulate.factors import FACTORS_PER_UNIT, factor_name, simulate_factors
from nwbsparse.simulate.nwb import write_simulation


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    made = simulate_factors(session=0)
    return made, write_simulation(made, tmp_path_factory.mktemp("factors") / "one.nwb")


def test_every_stimulus_has_so_many_factors_and_each_is_as_frequent():
    made = simulate_factors(session=2, n_factors=20, n_active=4, n_trials=2000)
    assert (made.shown.sum(axis=1) == 4).all()
    assert made.shown.mean(axis=0) == pytest.approx(0.2, abs=0.04)


def test_every_unit_is_driven_by_a_few_factors_and_every_factor_drives_units():
    made = simulate_factors(session=0, n_trials=10)
    driven = made.weights > 0
    assert (driven.sum(axis=0) == FACTORS_PER_UNIT).all()
    assert driven.sum(axis=1).min() >= 48 * FACTORS_PER_UNIT // 40


def test_factors_are_labels_of_their_trials_and_truth_stands_in_the_file(written):
    made, path = written
    trials = ns.to_trials(ns.read(path), labels=[factor_name(0), factor_name(39)], bin_width=0.25)
    assert trials.sizes["trial"] == 1000
    assert (trials["factor_40"].values == made.shown[:, 39]).all()
    assert trials["factor_1"].attrs["values"] == '["False", "True"]'
    assert not trials["blank"].any()
    with NWBHDF5IO(path, "r") as io:
        truth = io.read().processing["simulation"]["factors"]
        np.testing.assert_array_equal(truth["unit_weights"].data[:], made.weights)


def test_each_factor_is_decoded_though_the_activity_has_many_at_a_time(written):
    made, path = written
    trials = ns.to_trials(ns.read(path), labels="factor_1", bin_width=0.25)
    z = trials["activity"].values.mean(axis=1)
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    for factor in (0, 13, 39):
        model = LogisticRegression(class_weight="balanced", max_iter=500)
        said = cross_val_predict(model, z, made.shown[:, factor], cv=3, method="predict_proba")
        assert roc_auc_score(made.shown[:, factor], said[:, 1]) > 0.95
