"""The scikit-learn transformer: its contract, and that it is the same coder as everywhere else."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import nwbsparse
from make.configs import plain_config
from nwbsparse import Config, SparseCoderTransformer
from nwbsparse.errors import BadInput
from nwbsparse.plugins.sklearn import held_out

QUICK = {"n_latents": 16, "k": 3, "max_epochs": 2}


@parametrize_with_checks(
    [SparseCoderTransformer(**QUICK)],
    expected_failed_checks=lambda _: {
        "check_do_not_raise_errors_in_init_or_set_params": "beartype, which checks annotations in "
        "these tests only, refuses the nonsense that it passes",
    },
)
def test_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


def counts(n=400, units=8, seed=0):
    """Two assemblies of units that are active together now and then, and which of them is."""
    rng = np.random.default_rng(seed)
    active = rng.random((n, 2)) < 0.3
    rates = np.full((n, units), 0.2)
    rates[:, : units // 2] += 4.0 * active[:, :1]
    rates[:, units // 2 :] += 4.0 * active[:, 1:]
    return rng.poisson(rates).astype(np.uint8), active


@pytest.fixture(scope="module")
def fitted():
    return SparseCoderTransformer(n_latents=16, k=2, max_epochs=20).fit(counts()[0])


def test_activations_are_those_of_encode(fitted):
    X = counts(seed=1)[0]
    data = xr.Dataset(
        {"counts": (("time", "unit"), X)},
        coords={
            "time": np.arange(len(X)) + 0.5,
            "segment": ("time", np.zeros(len(X), int)),
            "unit_id": ("unit", [str(unit) for unit in range(8)]),
        },
        attrs={"bin_width": 1.0},
    )
    activation = fitted.transform(X)
    assert activation.dtype == np.float32
    np.testing.assert_array_equal(activation, nwbsparse.encode(fitted.coder_, data).activation)
    assert 1 < (activation > 0).sum(axis=1).mean() < 3


def test_reconstructions_are_in_the_units_of_the_data(fitted):
    X = counts(seed=1)[0]
    activation = fitted.transform(X)
    rows = fitted.inverse_transform(activation)
    assert rows.shape == X.shape
    np.testing.assert_allclose(rows.mean(axis=0), X.mean(axis=0), rtol=0.3)
    more = fitted.inverse_transform(activation + np.eye(16, dtype=np.float32)[5])
    np.testing.assert_allclose(more - rows, np.tile(fitted.components_[5], (len(X), 1)), atol=1e-5)


def test_the_score_is_the_share_of_variance_of_z_scores(fitted):
    X = counts(seed=1)[0]
    scale = fitted.coder_.scale.numpy()
    error = (X - fitted.inverse_transform(fitted.transform(X))) / scale
    spread = (X - X.mean(axis=0)) / scale
    expected = 1 - (error**2).sum() / (spread**2).sum()
    assert fitted.score(X) == pytest.approx(expected, abs=1e-5)
    assert 0.5 < expected < 1


def test_assemblies_are_found_in_a_pipeline():
    X, active = counts(n=600)
    X_test, active_test = counts(seed=7)
    decoder = make_pipeline(
        SparseCoderTransformer(n_latents=16, k=2, max_epochs=20), LogisticRegression()
    )
    decoder.fit(X, active[:, 0])
    assert decoder.score(X_test, active_test[:, 0]) > 0.9


def test_a_grid_of_numpy_numbers_is_searched():
    X, _ = counts(n=100)
    grid = {"n_latents": np.array([8, 16]), "learning_rate": np.array([1e-3, 1e-2])}
    search = GridSearchCV(SparseCoderTransformer(k=2, max_epochs=2), grid, cv=KFold(2), refit=False)
    search.fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert len(set(scores)) == 4
    best = SparseCoderTransformer(k=2, max_epochs=1).set_params(**search.best_params_).fit(X)
    assert type(best.coder_.config.n_latents) is int


def test_parameters_go_before_the_config():
    config = plain_config(n_latents=12, k=2, learning_rate=1e-3, max_epochs=1, revival="none")
    fitted = SparseCoderTransformer(n_latents=20, config=config).fit(counts(n=50)[0])
    settled = fitted.coder_.config
    assert (settled.n_latents, settled.k, settled.learning_rate) == (20, 2, 1e-3)
    assert settled.revival == "none"
    assert clone(fitted).get_params() == fitted.get_params()


def test_levels_are_one_dictionary():
    fitted = SparseCoderTransformer(levels=("4:1", "16:2"), max_epochs=2).fit(counts()[0])
    assert fitted.components_.shape == (16, 8)
    assert fitted.coder_.level_of_latent == [0] * 4 + [1] * 12


def test_the_seed_decides():
    X, _ = counts(n=60)
    fitted = {
        seed: SparseCoderTransformer(**QUICK, random_state=seed).fit(X).coder_.id
        for seed in (None, 0, 1)
    }
    assert fitted[None] == fitted[0]
    assert fitted[0] != fitted[1]
    again = SparseCoderTransformer(**QUICK, random_state=1).fit(X).coder_.config
    assert (again.seed, again.order_seed) == (1, 1)
    drawn = [
        SparseCoderTransformer(**QUICK, random_state=np.random.RandomState(3)).fit(X).coder_.id
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1]


def test_rows_that_say_when_to_stop_are_not_learned_from():
    X, _ = counts()
    at = held_out(400, share=0.1, blocks=10)
    assert at.sum() == 40
    assert at.reshape(10, 40)[:, -4:].all()
    fitted = SparseCoderTransformer(**QUICK).fit(X)
    np.testing.assert_allclose(fitted.coder_.offset, X[~at].mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize("n", [2, 3, 7, 10, 29, 100])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
@pytest.mark.parametrize("blocks", [1, 3, 10])
def test_some_rows_are_always_learned_from_and_some_held_out(n, share, blocks):
    at = held_out(n, share=share, blocks=blocks)
    assert 0 < at.sum() < n
    assert at[-1]


def test_columns_of_a_table_become_units_and_latents_become_columns():
    X = pd.DataFrame(counts(n=60)[0], columns=[f"unit {n}" for n in "abcdefgh"])
    coder = SparseCoderTransformer(**QUICK).set_output(transform="pandas").fit(X)
    assert coder.coder_.record.unit_ids == tuple(X.columns)
    assert list(coder.transform(X).columns) == [f"sparsecodertransformer{n}" for n in range(16)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"config": Config(encoder="window")}, "encoder=window.*nwbsparse.fit"),
        ({"config": Config(decoder="convolution")}, "decoder=convolution"),
        ({"config": Config(lag=2)}, "lag=2"),
        ({"config": Config(target_units="1")}, "two populations"),
        ({"sparsifier": "topp"}, "choose one of"),
        ({"n_latents": 4, "k": 9}, "k is 9"),
        ({"n_latents": 7.5}, "must be int"),
    ],
)
def test_options_that_cannot_work_are_refused_when_fitting(options, said):
    coder = SparseCoderTransformer()
    vars(coder).update(options)  # what set_params does, without beartype
    with pytest.raises(BadInput, match=said):
        coder.fit(counts(n=50)[0])


def test_activations_of_another_coder_are_refused(fitted):
    with pytest.raises(ValueError, match="X has 5 latents, but SparseCoderTransformer has 16"):
        fitted.inverse_transform(np.zeros((3, 5)))
    with pytest.raises(NotFittedError):
        SparseCoderTransformer().inverse_transform(np.zeros((3, 5)))
