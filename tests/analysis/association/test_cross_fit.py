"""r, left-out r and intervals against slow loops that follow the definition word by word."""

import numpy as np
import pytest
from scipy import stats

from make.designs import make_coded, make_design
from nwbsparse.analysis.association.associate import fit_alone
from nwbsparse.analysis.association.blocks import FOLDS, make_blocks
from nwbsparse.analysis.association.design import detrended

N, STEP = 1500, 0.1


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(0)
    codes = (np.arange(N) // 25 + rng.integers(0, 2, N)) % 7
    codes[::13] = -1
    table = np.maximum(rng.standard_normal((N, 4)) + (codes[:, None] == np.arange(4)), 0.5) - 0.5
    table[:, 3] = 0
    design = make_design(N, STEP, rate=np.sin(np.arange(N) / 200))
    return table, codes, design


def by_hand(table, codes, design, kept=None):
    """(channel,) r of the residual with its out-of-fold curve, as numpy correlates them."""
    left = table - design.basis @ (design.basis.T @ table)
    known = np.flatnonzero(codes >= 0)
    block = make_blocks(design.segment[known], STEP)
    keep = np.ones(len(known), bool) if kept is None else kept[block]
    known, block = known[keep], block[keep]
    a, c, fold = left[known], codes[known], block % FOLDS
    predicted = np.empty_like(a)
    for k in np.unique(fold):
        train = fold != k
        mean = a[train].mean(axis=0)
        for code in np.unique(c):
            mine = train & (c == code)
            curve = (a[mine] - mean).sum(axis=0) / (mine.sum() + 1 / STEP)
            predicted[(fold == k) & (c == code)] = curve
    return np.array([np.corrcoef(x, y)[0, 1] for x, y in zip(a.T, predicted.T, strict=True)])


def test_r_is_the_correlation_with_what_the_other_folds_predict(made):
    table, codes, design = made
    fit = fit_alone(detrended(table, design), make_coded(codes, 7), design)
    with np.errstate(invalid="ignore"):
        expected = by_hand(table, codes, design)
    np.testing.assert_allclose(fit.r[:3], expected[:3], atol=1e-10)
    assert np.isnan(fit.r[3]), "a constant has no r"
    assert fit.r[0] > 0.2


def test_every_block_is_left_out_with_curves_fitted_anew(made):
    table, codes, design = made
    fit = fit_alone(detrended(table, design), make_coded(codes, 7), design)
    n_blocks = len(fit.left_out)
    assert n_blocks == 10
    for one in (0, 4, 9):
        expected = by_hand(table[:, :3], codes, design, np.arange(n_blocks) != one)
        np.testing.assert_allclose(fit.left_out[one, :3], expected, atol=1e-10)


def test_the_interval_is_that_of_the_jackknife_on_atanh(made):
    table, codes, design = made
    fit = fit_alone(detrended(table, design), make_coded(codes, 7), design)
    low, high = fit.interval()
    z = np.arctanh(fit.left_out[:, 0])
    error = np.sqrt((len(z) - 1) / len(z) * ((z - z.mean()) ** 2).sum())
    reach = stats.t.ppf(0.975, len(z) - 1) * error
    assert low[0] == pytest.approx(np.tanh(np.arctanh(fit.r[0]) - reach))
    assert high[0] == pytest.approx(np.tanh(np.arctanh(fit.r[0]) + reach))
    assert low[0] < fit.r[0] < high[0]


def test_the_halves_are_about_the_whole(made):
    table, codes, design = made
    fit = fit_alone(detrended(table, design), make_coded(codes, 7), design)
    np.testing.assert_allclose(fit.halves[:3].mean(axis=1), fit.r[:3], atol=0.05)


def test_scale_and_a_drift_change_nothing(made):
    table, codes, design = made
    codes = make_coded(codes, 7)
    fit = fit_alone(detrended(table, design), codes, design)
    slow = 3 * np.linspace(-1, 1, N)[:, None] ** 3 + 5
    other = fit_alone(detrended(1e-4 * (table + slow), design), codes, design)
    np.testing.assert_allclose(other.r[:3], fit.r[:3], atol=1e-8)


def test_a_peak_is_where_the_curve_is_largest(made):
    table, codes, design = made
    fit = fit_alone(detrended(table[:, :3], design), make_coded(codes, 7), design)
    np.testing.assert_array_equal(fit.peak, [0, 1, 2])
    assert (fit.peaks == fit.peak[:, None]).all()


def test_codes_that_never_change_have_no_fit():
    design = make_design(500, STEP)
    activity = detrended(np.random.default_rng(0).random((500, 2)), design)
    assert fit_alone(activity, make_coded(np.zeros(500), 2), design) is None
    assert fit_alone(activity, make_coded(np.full(500, -1), 2), design) is None
    few = np.full(500, -1)
    few[:3] = [0, 1, 0]
    assert fit_alone(activity, make_coded(few, 2), design) is None
