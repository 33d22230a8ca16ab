"""Encoding: every bin by itself, in any pieces, in either form, for the coder's own units only."""

import numpy as np
import pytest
import torch

from nwbsparse import names
from nwbsparse.analysis.apply import activity
from nwbsparse.analysis.apply import encode as inference
from nwbsparse.analysis.apply.activity import activation_of, dense
from nwbsparse.analysis.apply.encode import encode, reconstruct
from nwbsparse.errors import BadInput


def encode_slowly(coder, data):
    """Activations bin by bin from the definition, in numpy and double precision."""
    state = {key: value.double().numpy() for key, value in coder.state_dict().items()}
    threshold = state["threshold"][-1]
    out = np.zeros((data.sizes["time"], coder.n_latents))
    for row, counts in enumerate(data["counts"].values.astype(float)):
        y = (counts - state["offset"]) / state["scale"]
        if names.VALID in data:
            y = np.where(data["valid"].values[row], y, state["pre_bias"])
        pre = state["encoder_weight"] @ (y - state["pre_bias"]) + state["encoder_bias"]
        out[row] = [value if value > 0 and value >= threshold else 0.0 for value in pre]
    return out


def test_encode_follows_the_definition_bin_by_bin(coder, data):
    expected = encode_slowly(coder, data)
    found = encode(coder, data)["activation"].values
    assert found.shape == expected.shape and found.dtype == np.float32
    np.testing.assert_array_equal(found > 0, expected > 0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert 0.02 < (found > 0).mean() < 0.5, "the comparison is about something"


def test_encode_follows_the_definition_for_random_weights_and_a_csr_table(wide_coder, data):
    np.testing.assert_allclose(
        dense(encode(wide_coder, data)), encode_slowly(wide_coder, data), atol=1e-4
    )


def test_the_reconstruction_is_the_dictionary_times_the_activations(coder, data):
    state = coder.state_dict()
    expected = encode_slowly(coder, data) @ state["dictionary"].double().numpy()
    expected += state["decoder_bias"].double().numpy()
    found = reconstruct(coder, data)
    np.testing.assert_allclose(found.values, expected, atol=1e-4)
    assert found.dims == ("time", "unit") and found.attrs["scale"] == "zscore"


@pytest.mark.parametrize("chunk", [1, 7, 1999, 2000, 2001])
def test_the_size_of_the_pieces_does_not_matter(coder, wide_coder, data, monkeypatch, chunk):
    part = data.isel(time=slice(0, 40)) if chunk == 1 else data
    whole = [dense(encode(one, part)) for one in (coder, wide_coder)]
    monkeypatch.setattr(inference, "CHUNK", chunk)
    for one, expected in zip((coder, wide_coder), whole, strict=True):
        np.testing.assert_allclose(dense(encode(one, part)), expected, atol=1e-5)


def test_a_bin_does_not_depend_on_the_bins_around_it(coder, data):
    chosen = np.array([1700, 3, 900, 901, 3])
    alone = encode(coder, data.isel(time=chosen))["activation"].values
    np.testing.assert_allclose(alone, encode(coder, data)["activation"].values[chosen], atol=1e-5)


@pytest.fixture
def both_forms(wide_coder, data, monkeypatch):
    sparse = encode(wide_coder, data)
    monkeypatch.setattr(activity, "DENSE_LIMIT", 300)
    full = encode(wide_coder, data)
    assert "activation" not in sparse and "activation" in full and "value" not in full
    return sparse, full


def test_more_than_256_latents_are_kept_as_a_csr_table_of_the_same_numbers(both_forms):
    sparse, full = both_forms
    expected = full["activation"].values
    np.testing.assert_array_equal(dense(sparse), expected)
    assert (sparse["value"].values > 0).all()
    np.testing.assert_array_equal(np.diff(sparse["indptr"].values), (expected > 0).sum(axis=1))
    assert sparse["latent_index"].dtype == np.uint16


@pytest.mark.parametrize(
    "bins",
    [
        slice(5, 50),
        np.array([7, 3, 3, 1999]),
        np.array([], dtype=int),
        np.arange(2000) % 3 == 0,
    ],
    ids=["slice", "any order", "none", "mask"],
)
def test_dense_gives_chosen_bins_of_either_form(both_forms, bins):
    sparse, full = both_forms
    np.testing.assert_array_equal(dense(sparse, bins), full["activation"].values[bins])
    np.testing.assert_array_equal(dense(full, bins), full["activation"].values[bins])


def test_one_latent_is_its_column_of_the_table_in_either_form(both_forms):
    table, sparse = both_forms
    everything = dense(table)
    for latent in (0, 7, everything.shape[1] - 1):
        for form in (table, sparse):
            np.testing.assert_array_equal(activation_of(form, latent), everything[:, latent])


def test_bins_without_any_active_latent_stay_in_the_csr_table(wide_coder, data):
    with torch.no_grad():
        high = encode(wide_coder, data)["value"].values.max() - 1e-3
        old = wide_coder.threshold.clone()
        wide_coder.threshold.fill_(float(high))
        latents = encode(wide_coder, data)
        wide_coder.threshold.copy_(old)
    assert len(latents["indptr"]) == 2001
    assert dense(latents).shape == (2000, 300) and (dense(latents) > 0).sum() >= 1


@pytest.mark.fault(55)
def test_units_in_another_order_are_refused(coder, data):
    with pytest.raises(BadInput, match="another order"):
        encode(coder, data.isel(unit=np.r_[1, 0, 2:16]))
    with pytest.raises(BadInput, match="another order"):
        reconstruct(coder, data.isel(unit=np.r_[1, 0, 2:16]))


@pytest.mark.fault(55)
def test_other_units_and_fewer_units_are_refused(coder, data):
    other = data.assign_coords(unit_id=("unit", [f"n{i}" for i in range(16)]))
    with pytest.raises(BadInput, match="0 are the same"):
        encode(coder, other)
    with pytest.raises(BadInput, match=r"16 units.*15"):
        encode(coder, data.isel(unit=slice(0, 15)))


def test_unobserved_units_stand_at_their_mean(coder, data):
    valid = np.random.default_rng(0).random(data["counts"].shape) > 0.3
    masked = data.assign(valid=(("time", "unit"), valid))
    found = encode(coder, masked)["activation"].values
    np.testing.assert_allclose(found, encode_slowly(coder, masked), atol=1e-5)
    garbage = masked.assign(counts=data["counts"].where(valid, 99).astype(np.uint8))
    np.testing.assert_array_equal(encode(coder, garbage)["activation"].values, found)
    assert not np.array_equal(found, encode(coder, data)["activation"].values)
    mean = masked.assign(
        counts=data["counts"].astype(np.float32).where(valid, coder.offset.numpy())
    ).drop_vars("valid")
    np.testing.assert_allclose(encode(coder, mean)["activation"].values, found, atol=1e-4)


def test_latents_say_which_coder_and_which_bins_they_are_of(coder, data):
    latents = encode(coder, data)
    assert latents.attrs["coder_id"] == coder.id
    assert latents.attrs["bin_width"] == data.attrs["bin_width"]
    for name in ("time", "segment", "split"):
        np.testing.assert_array_equal(latents[name].values, data[name].values)
