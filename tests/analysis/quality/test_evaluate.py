"""Quality on held-out bins: against numbers worked out by hand, and against scikit-learn."""

import numpy as np
import pytest
import torch
import xarray as xr
from sklearn.metrics import r2_score

from make.configs import plain_config
from nwbsparse.analysis.quality.evaluate import evaluate
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import CoderRecord, SparseCoder

TEST_BINS = np.array([4, 5, 6])
HELD_OUT = np.array([[0, 1, 5], [2, 2, 5], [4, 3, 5]], dtype=np.uint8)
"""Unit 0 varies, unit 1 varies, unit 2 is constant."""


def hand_coder(levels=()):
    """Latent i copies unit i where it is 3 or more; latent 1 never fires."""
    config = plain_config(n_latents=3, k=1, normalisation="none", output="identity", levels=levels)
    coder = SparseCoder(CoderRecord(config, ("0", "1", "2"), bin_width=0.1))
    with torch.no_grad():
        coder.dictionary.copy_(torch.eye(3))
        coder.encoder_weight.copy_(torch.diag(torch.tensor([1.0, 0.0, 1.0])))
        coder.threshold.fill_(3.0)
    return coder.eval()


def hand_data(held_out=HELD_OUT):
    counts = np.full((10, 3), 200, dtype=np.uint8)
    counts[TEST_BINS] = held_out
    parts = np.zeros(10, dtype=np.int8)
    parts[TEST_BINS], parts[9], parts[3] = 2, 1, -1
    return xr.Dataset(
        {"counts": (("time", "unit"), counts)},
        coords={
            "time": np.arange(10) * 0.1 + 0.05,
            "segment": ("time", np.zeros(10, np.int32)),
            "split": ("time", parts),
            "unit": np.arange(3),
            "unit_id": ("unit", ["0", "1", "2"]),
            "unit_row": ("unit", np.arange(3)),
        },
        attrs={"bin_width": 0.1},
    )


def test_r2_of_units_and_of_the_whole_by_hand():
    found = evaluate(hand_coder(), hand_data())
    # unit 0: z 0 2 4, guess 0 0 4: 1 - 4/8; unit 1: z 1 2 3, guess 0: 1 - 14/2; unit 2: constant
    np.testing.assert_allclose(found["unit_r2"], [0.5, -6.0, np.nan])
    assert float(found["r2"]) == pytest.approx(1 - (4 + 14) / (8 + 2))
    assert found.attrs["n_bins"] == 3 and found.attrs["split"] == "test"


def test_a_constant_unit_that_is_guessed_wrong_does_not_enter_r2():
    coder = hand_coder()
    with torch.no_grad():
        coder.encoder_weight[2] = 0  # unit 2, always 5, is now guessed as 0
    assert float(evaluate(coder, hand_data())["r2"]) == pytest.approx(-0.8)


def test_sparsity_by_hand():
    found = evaluate(hand_coder(), hand_data())
    np.testing.assert_array_equal(found["l0"], [1, 1, 2])
    np.testing.assert_allclose(found["density"], [1 / 3, 0, 1])
    np.testing.assert_array_equal(found["dead"], [False, True, False])
    np.testing.assert_array_equal(found["always_on"], [False, False, True])
    np.testing.assert_allclose(found["time"], [0.45, 0.55, 0.65])


def test_cosine_of_units_and_bins_by_hand():
    found = evaluate(hand_coder(), hand_data())
    np.testing.assert_allclose(found["unit_cosine"], [16 / np.sqrt(20 * 16), np.nan, 1.0])
    expected = [25 / np.sqrt(26 * 25), 25 / np.sqrt(33 * 25), 41 / np.sqrt(50 * 41)]
    np.testing.assert_allclose(found["bin_cosine"], expected)


def test_the_cosine_of_an_empty_bin_is_not_a_number():
    empty = np.array([[0, 0, 0], [2, 2, 5], [4, 3, 5]], dtype=np.uint8)
    cosine = evaluate(hand_coder(), hand_data(empty))["bin_cosine"].values
    assert np.isnan(cosine[0]) and np.isfinite(cosine[1:]).all()


def test_levels_use_their_own_latents_only():
    found = evaluate(hand_coder(levels=("1:1", "3:1")), hand_data())
    np.testing.assert_array_equal(found["level_size"], [1, 3])
    np.testing.assert_allclose(found["level_r2"], [-0.8, -0.8])
    wrong = hand_coder(levels=("1:1", "3:1"))
    with torch.no_grad():
        wrong.encoder_weight[1, 1] = 1.0  # unit 1 of the last bin, by a latent of the second level
    np.testing.assert_allclose(evaluate(wrong, hand_data())["level_r2"], [-0.8, 1 - (4 + 5) / 10])


def test_unobserved_bins_of_a_unit_count_neither_way():
    valid = np.ones((10, 3), dtype=bool)
    valid[TEST_BINS[1], 0] = False
    data = hand_data().assign(valid=(("time", "unit"), valid))
    found = evaluate(hand_coder(), data)
    # unit 0: z 0 and 4, guess 0 and 4
    np.testing.assert_allclose(found["unit_r2"], [1.0, -6.0, np.nan])
    assert float(found["r2"]) == pytest.approx(1 - 14 / (8 + 2))
    assert float(found["unit_cosine"][0]) == pytest.approx(1.0)
    data["counts"][TEST_BINS[1], 0] = 77
    np.testing.assert_allclose(evaluate(hand_coder(), data)["unit_r2"], found["unit_r2"])


@pytest.mark.parametrize("split", ["test", "validation", "train"])
def test_r2_equals_scikit_learn(coder, data, split):
    found = evaluate(coder, data, split=split)
    bins = data["split"].values == {"train": 0, "validation": 1, "test": 2}[split]
    z = (data["counts"].values[bins] - coder.offset.numpy()) / coder.scale.numpy()
    with torch.no_grad():
        guess = coder.decode(coder(torch.from_numpy(data["counts"].values[bins]))).numpy()
    per_unit = r2_score(z, guess, multioutput="raw_values")
    np.testing.assert_allclose(found["unit_r2"], per_unit, atol=1e-5)
    whole = r2_score(z, guess, multioutput="variance_weighted")
    assert float(found["r2"]) == pytest.approx(whole, abs=1e-5)
    assert found.sizes["time"] == found.attrs["n_bins"] == bins.sum()


def test_silent_units_stand_outside_every_mean(coder, data):
    silent = data.copy(deep=True)
    silent["counts"].values[silent["split"].values == 2, 5] = 0
    found = evaluate(coder, silent)
    assert np.isnan(found["unit_r2"].values[5])
    assert np.isfinite(np.delete(found["unit_r2"].values, 5)).all()
    rest = np.delete(np.arange(16), 5)
    bins = silent["split"].values == 2
    z = (silent["counts"].values[bins] - coder.offset.numpy()) / coder.scale.numpy()
    with torch.no_grad():
        guess = coder.decode(coder(torch.from_numpy(silent["counts"].values[bins]))).numpy()
    whole = r2_score(z[:, rest], guess[:, rest], multioutput="variance_weighted")
    assert float(found["r2"]) == pytest.approx(whole, abs=1e-5)


def test_a_part_in_which_nothing_varies_has_no_r2():
    found = evaluate(hand_coder(), hand_data(np.zeros((3, 3), dtype=np.uint8)))
    assert np.isnan(found["r2"]) and np.isnan(found["unit_r2"]).all()
    assert (found["l0"] == 0).all() and found["dead"].all()


def test_only_the_test_bins_are_used(coder, data):
    before = evaluate(coder, data)
    other = data.copy(deep=True)
    other["counts"].values[data["split"].values != 2] = 9
    xr.testing.assert_identical(before.drop_attrs(), evaluate(coder, other).drop_attrs())
    changed = data.copy(deep=True)
    changed["counts"].values[data["split"].values == 2] += 2
    assert float(evaluate(coder, changed)["l0"].mean()) != float(before["l0"].mean())


def test_variance_attribution_by_hand():
    found = evaluate(hand_coder(), hand_data(), detail="all")
    # units 0 and 1 vary, by 8 and 2; without latent 0 the 4 of unit 0 is lost: error 4 → 20
    np.testing.assert_allclose(found["variance_attribution"], [16 / 10, 0, 0])


def test_a_csr_table_gives_the_metrics_of_the_dense_form(wide_coder, data, monkeypatch):
    sparse = evaluate(wide_coder, data)
    monkeypatch.setattr("nwbsparse.analysis.apply.activity.DENSE_LIMIT", 300)
    xr.testing.assert_allclose(sparse, evaluate(wide_coder, data))
    assert sparse["l0"].max() > 0


def test_the_pieces_do_not_matter(coder, data, monkeypatch):
    before = evaluate(coder, data)
    monkeypatch.setattr("nwbsparse.analysis.apply.heldout.CHUNK", 37)
    xr.testing.assert_allclose(before, evaluate(coder, data), rtol=1e-4, atol=1e-5)


def test_bins_that_were_never_split_and_other_units_are_refused(coder, data):
    with pytest.raises(BadInput, match="not split"):
        evaluate(coder, data.drop_vars("split"))
    with pytest.raises(BadInput, match="another order"):
        evaluate(coder, data.isel(unit=slice(None, None, -1)))
