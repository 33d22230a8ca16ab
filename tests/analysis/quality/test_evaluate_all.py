"""The metrics that evaluate gives with detail="all", against slow references."""

import numpy as np
import pytest
import torch
from scipy import signal, stats
from sklearn.metrics import d2_tweedie_score, r2_score

from make.ablations import KINDS, recording, reference
from make.coders import make_coder
from make.sessions import make_binned
from nwbsparse.analysis.apply import heldout
from nwbsparse.analysis.apply.encode import normalised
from nwbsparse.analysis.quality.evaluate import evaluate

WIDTH = 0.02


@pytest.fixture(scope="module")
def data():
    return recording()


def parts(coder, data):
    """(target, reconstruction) of the test bins of a coder of single bins, by the plain way."""
    bins = np.flatnonzero(data["split"].values == 2)
    with torch.no_grad():
        y = normalised(coder, coder.reads(data), bins)[:, -1]
        guess = coder.decode(coder.activate(coder.pre_activation(y))).numpy()
    return coder.normalise_target(torch.from_numpy(data["counts"].values[bins])).numpy(), guess


def test_r2_of_bins_equals_scikit_learn(data):
    coder = make_coder()
    found = evaluate(coder, data, detail="all")
    z, guess = parts(coder, data)
    per_bin = r2_score(z.T, guess.T, multioutput="raw_values")
    np.testing.assert_allclose(found["bin_r2"], per_bin, rtol=1e-6)
    assert float(found["bin_r2_mean"]) == pytest.approx(per_bin.mean())
    assert float(found["bin_r2_median"]) == pytest.approx(np.median(per_bin))
    assert float(found["unit_r2_median"]) == pytest.approx(found["unit_r2"].median())
    assert float(found["bin_cosine_mean"]) == pytest.approx(found["bin_cosine"].mean())


def test_a_bin_in_which_all_units_are_alike_has_no_r2():
    alike = recording().copy(deep=True)
    alike["counts"].values[:] = 1
    coder = make_coder(loss="poisson")
    assert np.isnan(evaluate(coder, alike, detail="all")["bin_r2"]).all()


def test_nonzero_ratio_is_the_share_of_all_latents_and_bins(data):
    found = evaluate(make_coder(), data, detail="all")
    assert float(found["nonzero_ratio"]) == pytest.approx(float(found["density"].mean()))
    assert float(found["nonzero_ratio"]) == pytest.approx(float(found["l0"].mean()) / 16)


def test_explained_deviance_equals_scikit_learn(data):
    coder = make_coder(loss="poisson")
    found = evaluate(coder, data, detail="all")
    z, guess = parts(coder, data)
    per_unit = [d2_tweedie_score(a, b, power=1) for a, b in zip(z.T, guess.T, strict=True)]
    np.testing.assert_allclose(found["unit_explained_deviance"], per_unit, rtol=1e-5)
    assert "explained_deviance" not in evaluate(make_coder(), data, detail="all")


def test_explained_deviance_of_the_negative_binomial_equals_its_likelihood(data):
    coder = make_coder(loss="negative_binomial")
    found = evaluate(coder, data, detail="all")
    z, guess = parts(coder, data)
    alpha = coder.get_parameter("log_dispersion").detach().exp().numpy()

    def likelihood(mean):
        return stats.nbinom.logpmf(z, 1 / alpha, 1 / (1 + alpha * mean)).sum(axis=0)

    best, model = likelihood(np.maximum(z, 1e-12)), likelihood(guess)
    null = likelihood(np.broadcast_to(z.mean(axis=0), z.shape))
    wanted = 1 - (best - model) / (best - null)
    np.testing.assert_allclose(found["unit_explained_deviance"], wanted, rtol=1e-6)
    whole = 1 - (best - model).sum() / (best - null).sum()
    assert float(found["explained_deviance"]) == pytest.approx(whole)


def test_rates_that_equal_the_counts_explain_everything_and_the_mean_nothing(data):
    coder = make_coder(loss="poisson", n_units=6)
    with torch.no_grad():
        coder.dictionary.zero_()
        mean = data["counts"].values[data["split"].values == 2].mean(axis=0)
        coder.decoder_bias.copy_(torch.from_numpy(np.log(np.expm1(mean))))
    found = evaluate(coder, data, detail="all")
    np.testing.assert_allclose(found["unit_explained_deviance"], 0, atol=1e-9)


def test_the_deviance_of_a_silent_unit_is_not_assessable(data):
    silent = data.copy(deep=True)
    silent["counts"].values[:, 2] = 0
    found = evaluate(make_coder(loss="poisson"), silent, detail="all")
    assert np.isnan(found["unit_explained_deviance"].values[2])
    assert np.isfinite(float(found["explained_deviance"]))


@pytest.mark.parametrize("kind", KINDS)
def test_variance_attribution_equals_removing_each_latent_by_hand(kind):
    data, coder = recording(), make_coder(**KINDS[kind])
    found = evaluate(coder, data, detail="all")["variance_attribution"].values
    lost, variance, active = reference(coder, data)
    assert active.sum() >= 3
    np.testing.assert_allclose(found, lost.sum(axis=1) / variance.sum(), atol=1e-9)
    assert (found[~active] == 0).all()


def test_unobserved_bins_are_not_ablated():
    valid = np.ones((1500, 6), dtype=bool)
    valid[200:900, 1] = False
    for kind in ("linear", "rates"):
        data, coder = recording(valid=valid), make_coder(**KINDS[kind])
        found = evaluate(coder, data, detail="all")["variance_attribution"].values
        lost, variance, _ = reference(coder, data)
        np.testing.assert_allclose(found, lost.sum(axis=1) / variance.sum(), atol=1e-9)


def test_the_spectrum_of_one_run_equals_welch(data):
    coder = make_coder()
    one_run = data.assign_coords(split=("time", np.where(np.arange(1500) < 300, 0, 2)))
    found = evaluate(coder, one_run, detail="all")
    z, guess = parts(coder, one_run)
    length = 2 * (found.sizes["frequency"] - 1)
    given = {"fs": 1 / WIDTH, "nperseg": length, "axis": 0}
    frequency, power = signal.welch(z, **given)
    np.testing.assert_allclose(found["frequency"], frequency)
    np.testing.assert_allclose(found["spectrum"], power, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(
        found["spectrum_reconstruction"], signal.welch(guess, **given)[1], rtol=1e-6, atol=1e-12
    )
    # scipy defines no coherence of the constant part, which is all rounding after the mean is off
    together = signal.coherence(z, guess, **given)[1][1:]
    np.testing.assert_allclose(found["coherence"][1:], together, rtol=1e-6)
    band = (frequency >= 4) & (frequency < 12)
    made = found["spectrum_reconstruction"].values[band].sum(axis=0) / power[band].sum(axis=0) - 1
    at = list(found["band"].values).index("theta 4-12 Hz")
    np.testing.assert_allclose(found["unit_band_error"][at], made, rtol=1e-6)
    assert found.sizes["band"] == 4  # none of the fifth lies below 25 Hz


def test_no_window_of_the_spectrum_lies_across_a_gap(data):
    """Two runs with a step of the mean between them: within each there is no slow power."""
    n = 1500
    counts = np.zeros((n, 6), dtype=np.uint8)
    counts[n // 2 :] = 50
    steps = data.copy(deep=True)
    steps["counts"].values[:] = counts
    apart = (np.arange(n) >= n // 2).astype(np.int32)
    steps = steps.assign_coords(split=("time", np.full(n, 2)), segment=("time", apart))
    found = evaluate(make_coder(), steps, detail="all")
    assert float(found["spectrum"].max()) < 1e-20
    joined = steps.assign_coords(segment=("time", np.zeros(n, np.int32)))
    assert float(evaluate(make_coder(), joined, detail="all")["spectrum"].max()) > 1


def test_a_part_too_short_for_windows_has_no_spectrum(data):
    alternating = data.assign_coords(split=("time", (np.arange(1500) % 7 < 6) * 2))
    found = evaluate(make_coder(), alternating, detail="all")
    assert "spectrum" not in found
    assert (found["spectrum_windows"] == 0).all()


def test_units_that_were_not_observed_have_no_spectrum():
    valid = np.ones((1500, 6), dtype=bool)
    valid[:, 3] = False
    found = evaluate(make_coder(), recording(valid=valid), detail="all")
    assert np.isnan(found["spectrum"].values[:, 3]).all()
    assert np.isfinite(found["spectrum"].values[:, :3]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_pieces_do_not_matter_and_every_bin_is_read_once(kind, monkeypatch):
    data, coder = recording(), make_coder(**KINDS[kind])
    whole = evaluate(coder, data, detail="all")
    monkeypatch.setattr(heldout, "CHUNK", 61)
    read = []

    def counting(coder, population, bins):
        read.append(len(bins))
        return normalised(coder, population, bins)

    monkeypatch.setattr(heldout, "normalised", counting)
    pieces = evaluate(coder, data, detail="all")
    for name in whole.data_vars:
        if whole[name].dtype.kind in "fi":
            np.testing.assert_allclose(
                pieces[name], whole[name], rtol=1e-6, atol=1e-9, err_msg=str(name)
            )
    assert len(read) > 3 and max(read) <= 61, "memory must not grow with the recording"
    assert sum(read) == whole.attrs["n_bins"] * coder.architecture.decoder.rows_per_bin


def test_a_part_without_whole_windows_gives_nan_and_no_crash():
    short = make_binned(np.ones((1500, 6), np.uint8), bin_width=WIDTH)
    short = short.assign_coords(unit_id=("unit", [f"u{unit}" for unit in range(6)]))
    lonely = np.where(np.arange(1500) % 9 == 4, 2, 0)
    found = evaluate(
        make_coder(**KINDS["window"]),
        short.assign_coords(split=("time", lonely)),
        detail="all",
    )
    assert found.attrs["n_bins"] == 0
    assert np.isnan(found["r2"]) and np.isnan(found["variance_attribution"]).all()
