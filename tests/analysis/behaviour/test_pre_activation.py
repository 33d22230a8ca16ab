"""AUROC of pre-activations against scikit-learn, on held-out bins alone."""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from make.configs import plain_config
from make.sessions import make_binned, planted
from nwbsparse import names
from nwbsparse.analysis.behaviour import pre_activation as margins
from nwbsparse.analysis.behaviour.coding import Coded
from nwbsparse.analysis.behaviour.pre_activation import pre_activation_auroc
from nwbsparse.training.fit import fit

DATA = make_binned(planted(900))
N = DATA.sizes[names.TIME]
RNG = np.random.default_rng(0)
KNOWN = RNG.integers(0, 3, N).astype(np.int32)
PARTLY = np.where(RNG.uniform(size=N) < 0.4, -1, RNG.integers(0, 2, N)).astype(np.int32)
VARIABLES = [
    Coded("a", names.CATEGORICAL, KNOWN, ("x", "y", "z"), shape=(3,)),
    Coded("b", names.CATEGORICAL, PARTLY, ("u", "v"), shape=(2,)),
    Coded("c", names.CATEGORICAL, np.zeros(N, np.int32), ("only",), shape=(1,)),
    Coded("d", names.CATEGORICAL, np.full(N, -1, np.int32), ("never",), shape=(1,)),
]


def expected(coder):
    test = np.flatnonzero(DATA[names.SPLIT].values == names.TEST)
    with torch.no_grad():
        counts = torch.from_numpy(DATA[names.COUNTS].values[test])
        pre = coder.pre_activation(coder.normalise(counts)).numpy()
    columns = []
    for variable in VARIABLES[:2]:
        codes = variable.codes[test]
        for at in range(variable.size):
            inside = codes[codes >= 0] == at
            columns.append([roc_auc_score(inside, one[codes >= 0]) for one in pre.T])
    return np.array(columns).T


def test_it_is_that_of_scikit_learn():
    coder = fit(DATA, plain_config(n_latents=12, k=2, batch_size=64, max_epochs=2))
    found = pre_activation_auroc(coder, DATA, VARIABLES)
    assert found.shape == (12, 7)
    np.testing.assert_allclose(found[:, :5], expected(coder), atol=1e-9)
    assert np.isnan(found[:, 5:]).all(), "a condition that fills everything, or never occurs"


def test_many_latents_are_compared_on_evenly_spaced_bins(monkeypatch):
    coder = fit(DATA, plain_config(n_latents=12, k=2, batch_size=64, max_epochs=2))
    whole = pre_activation_auroc(coder, DATA, VARIABLES)
    monkeypatch.setattr(margins, "VALUES", 12 * 90)
    fewer = pre_activation_auroc(coder, DATA, VARIABLES)
    assert np.abs(fewer - whole)[:, :5].max() < 0.4
    assert not np.array_equal(fewer[:, :5], whole[:, :5])


def test_a_coder_of_windows_is_asked_too():
    options = {"encoder": "window", "window": 3, "n_latents": 8, "k": 2}
    coder = fit(DATA, plain_config(**options, batch_size=64, max_epochs=1))
    found = pre_activation_auroc(coder, DATA, VARIABLES)
    assert found.shape == (8, 7) and np.isfinite(found[:, :5]).all()
