"""What simpler models tell of hidden units, against slow and direct computations."""

import numpy as np
import pytest
from sklearn.decomposition import NMF, PCA, FactorAnalysis
from sklearn.linear_model import Ridge

from nwbsparse.analysis.quality.hidden_baselines import ALPHAS, factors, fit_baselines
from nwbsparse.analysis.quality.hidden_bins import Table

N, UNITS, RANK = 900, 8, 2


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)
    scores = np.maximum(rng.standard_normal((2 * N, RANK)), 0)
    weights = np.abs(rng.standard_normal((RANK, UNITS)))
    noise = rng.standard_normal((2, 2 * N, UNITS))
    x = 2 + scores @ weights + 0.5 * noise[0]
    y = scores @ weights + noise[1]
    x, y = ((one - one[:N].mean(axis=0)) / one[:N].std(axis=0) for one in (x, y))
    there = np.ones((N, UNITS), bool)
    made = [
        Table(x[at].astype(np.float32), y[at].astype(np.float32), there)
        for at in (slice(N), slice(N, None))
    ]
    return made[0], made[1], np.arange(UNITS) % 4


@pytest.fixture(scope="module")
def found(tables):
    train, validation, fold = tables
    return fit_baselines(train, validation, fold, n_latents=RANK, floor=np.full(UNITS, -9.0))


def test_ridge_is_scikit_learns_with_the_penalty_of_validation_bins(tables, found):
    train, validation, fold = tables
    errors = []
    for alpha in ALPHAS:
        guess = np.zeros(validation.y.shape)
        for number in range(4):
            hidden = fold == number
            model = Ridge(alpha=alpha * N, fit_intercept=False)
            model.fit(train.x[:, ~hidden], train.y[:, hidden])
            guess[:, hidden] = model.predict(validation.x[:, ~hidden])
        errors.append(((validation.y - guess) ** 2).sum())
        if alpha == found.alpha:
            np.testing.assert_allclose(found.predict(validation.x)["ridge"], guess, atol=1e-4)
    assert found.alpha == ALPHAS[int(np.argmin(errors))]


def test_pca_goes_through_the_scores_of_the_visible_units_alone(tables, found):
    train, validation, _ = tables
    model = PCA(RANK).fit(train.x)
    noise = model.noise_variance_ * (N - 1) / N
    length = np.sqrt(model.explained_variance_ * (N - 1) / N - noise)
    check(found.predict(validation.x)["pca"], tables, length[:, None] * model.components_, noise)


def test_factor_analysis_is_scikit_learns(tables, found):
    train, validation, _ = tables
    model = FactorAnalysis(RANK, max_iter=1000, tol=1e-6, svd_method="lapack").fit(train.x)
    covariance = train.x.T @ train.x / N
    loadings, noise = factors(covariance.astype(np.float64), RANK)
    np.testing.assert_allclose(
        loadings.T @ loadings + np.diag(noise), model.get_covariance(), atol=0.01
    )
    check(
        found.predict(validation.x)["factor_analysis"],
        tables,
        model.components_,
        model.noise_variance_,
        atol=0.02,
    )


def check(guess, tables, loadings, noise, atol=1e-3):
    """Bin after bin: scores of most probability, from visible units; then lines from scores."""
    train, validation, fold = tables
    noise = np.broadcast_to(noise, (UNITS,))

    def scores(x, seen):
        a = np.concatenate([(loadings[:, seen] / np.sqrt(noise[seen])).T, np.eye(RANK)])
        b = np.concatenate([x[seen] / np.sqrt(noise[seen]), np.zeros(RANK)])
        return np.linalg.lstsq(a, b, rcond=None)[0]

    every = np.ones(UNITS, bool)
    lines = np.linalg.lstsq(np.array([scores(x, every) for x in train.x]), train.y, rcond=None)[0]
    wanted = np.zeros((50, UNITS))
    for at, x in enumerate(validation.x[:50]):
        for number in range(4):
            hidden = fold == number
            wanted[at, hidden] = scores(x, ~hidden) @ lines[:, hidden]
    np.testing.assert_allclose(guess[:50], wanted, atol=atol)


def test_non_negative_factors_are_regressed_on_visible_units_and_cut_at_zero(tables, found):
    train, validation, fold = tables
    model = NMF(RANK, init="nndsvda", max_iter=100, tol=1e-3, random_state=0)
    scores = model.fit_transform(train.x + np.float32(9))
    lines = np.linalg.lstsq(scores - scores.mean(axis=0), train.y, rcond=None)[0]
    wanted = np.zeros(validation.y.shape)
    for number in range(4):
        hidden = fold == number
        regression = Ridge(alpha=found.alpha * N, fit_intercept=False)
        regression.fit(train.x[:, ~hidden], scores - scores.mean(axis=0))
        told = np.maximum(regression.predict(validation.x[:, ~hidden]) + scores.mean(axis=0), 0)
        wanted[:, hidden] = (told - scores.mean(axis=0)) @ lines[:, hidden]
    np.testing.assert_allclose(found.predict(validation.x)["nmf"], wanted, atol=1e-3)


def test_what_is_hidden_has_no_say(tables, found):
    _, validation, fold = tables
    for number in range(4):
        hidden = fold == number
        other = validation.x.copy()
        other[:, hidden] = 100
        for name, guess in found.predict(other).items():
            before = found.predict(validation.x)[name]
            np.testing.assert_array_equal(guess[:, hidden], before[:, hidden], err_msg=name)


def test_all_of_them_tell_something(tables, found):
    _, validation, _ = tables
    for name, guess in found.predict(validation.x).items():
        r2 = 1 - ((validation.y - guess) ** 2).sum() / (validation.y**2).sum()
        assert r2 > 0.1, name
