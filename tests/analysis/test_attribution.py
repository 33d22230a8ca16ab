"""Latent ↔ unit: against sums written out, removals by hand, and gradients that must add up."""

import numpy as np
import pytest
import torch

from ablations import KINDS, recording, reference
from coders import make_coder
from nwbsparse.analysis.apply.heldout import scored, whole_bins
from nwbsparse.analysis.units import encoder as gradients
from nwbsparse.analysis.units.attribute import attribute, by_region
from nwbsparse.analysis.units.encoder import IntegratedGradients
from nwbsparse.errors import BadInput

TRANSFORMERS = {
    "latent": {"encoder": "transformer", "window": 4},
    "model": {"encoder": "transformer", "window": 4, "attention": "model", "d_model": 16},
}


@pytest.fixture(scope="module")
def data():
    return recording()


def integrated(coder, data):
    made = IntegratedGradients(coder, data)
    for piece in scored(coder, data, whole_bins(coder, data, "test")):
        made.add(piece)
    return made.result()


def test_what_a_unit_adds_to_a_linear_latent_is_weight_times_input(data):
    coder = make_coder()
    found = attribute(coder, data)
    bins = data["split"].values == 2
    with torch.no_grad():
        y = coder.normalise(torch.from_numpy(data["counts"].values[bins]))
        active = (coder(torch.from_numpy(data["counts"].values[bins])) > 0).numpy()
    x = (y - coder.pre_bias).numpy()
    weight = coder.encoder_weight.detach().numpy()
    for latent in np.flatnonzero(active.any(axis=0)):
        by_hand = np.mean([weight[latent] * row for row in x[active[:, latent]]], axis=0)
        np.testing.assert_allclose(found["encoder_attribution"][latent], by_hand, rtol=1e-6)
    assert float(found["completeness_error"].max()) < 1e-6
    assert found.attrs["encoder_method"] == "ExactAttribution"


def test_by_hand_with_two_units():
    coder, data = make_coder(n_units=6), recording()
    with torch.no_grad():
        coder.encoder_weight.zero_()
        coder.encoder_weight[0, 2] = 3.0
        coder.encoder_bias.fill_(-100.0)
        coder.encoder_bias[0] = 100.0  # always active
        coder.threshold.zero_()
    score = attribute(coder, data)["encoder_attribution"].values
    bins = data["split"].values == 2
    y = coder.normalise(torch.from_numpy(data["counts"].values[bins]))[:, 2] - coder.pre_bias[2]
    np.testing.assert_allclose(score[0], [0, 0, 3 * float(y.mean()), 0, 0, 0], atol=1e-9)
    assert np.isnan(score[1:]).all(), "latents that are never active have no attribution"


@pytest.mark.parametrize("kind", ["linear", "window", "convolution"])
def test_integrated_gradients_of_a_linear_encoder_are_exact(kind, data, monkeypatch):
    monkeypatch.setattr(gradients, "SAMPLED", 10_000)
    coder = make_coder(**KINDS[kind])
    exact = attribute(coder, data)["encoder_attribution"].values
    made = integrated(coder, data)
    np.testing.assert_allclose(made.score, exact, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_integrated_gradients_add_up_to_what_the_latent_moved(kind, data):
    coder = make_coder(**TRANSFORMERS[kind])
    found = attribute(coder, data)
    error = found["completeness_error"].values
    assert found.attrs["encoder_method"] == "IntegratedGradients"
    assert np.isfinite(error).sum() >= 3
    assert np.nanmax(error) < 0.05


def test_few_nodes_leave_an_error_that_is_reported(data, monkeypatch):
    coder = make_coder(**TRANSFORMERS["model"])
    fine = np.nanmean(integrated(coder, data).completeness_error)
    monkeypatch.setattr(gradients, "NODES", 1)
    coarse = np.nanmean(integrated(coder, data).completeness_error)
    assert coarse > 5 * fine


def test_integrated_gradients_equal_a_slow_sum_over_one_path(data, monkeypatch):
    monkeypatch.setattr(gradients, "SAMPLED", 1)
    coder = make_coder(**TRANSFORMERS["latent"])
    made = IntegratedGradients(coder, data)
    for piece in scored(coder, data, whole_bins(coder, data, "test")):
        made.add(piece)
    found, at = made.result(), int(made.latent[0])
    window = data["counts"].values[made.bins[0] - 3 : made.bins[0] + 1]
    x = coder.normalise(torch.from_numpy(window)) - coder.pre_bias
    total = torch.zeros_like(x)
    for step in (np.arange(2000) + 0.5) / 2000:
        y = (coder.pre_bias + step * x)[None].requires_grad_(True)
        [one] = torch.autograd.grad(coder.pre_activation(y)[0, at], y)
        total += one[0] / 2000
    np.testing.assert_allclose(found.score[at], (total * x).sum(dim=0).numpy(), atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_ablation_equals_removing_each_latent_by_hand(kind, data):
    coder = make_coder(**KINDS[kind])
    found = attribute(coder, data)["ablation"].values
    lost, variance, _ = reference(coder, data)
    np.testing.assert_allclose(found, lost / variance, atol=1e-9)


def test_a_unit_that_never_fires_is_not_assessable(data):
    silent = data.copy(deep=True)
    silent["counts"].values[data["split"].values == 2, 4] = 0
    found = attribute(make_coder(), silent)
    assert found["assessable"].values.tolist() == [True, True, True, True, False, True]
    for name in ("encoder_attribution", "ablation", "correlation", "z"):
        assert np.isnan(found[name].values[:, 4]).all(), name
        assert np.isfinite(np.delete(found[name].values, 4, axis=1)).any(), name
    assert (found["like_unit"] != 4).all()


def test_an_active_unit_that_was_not_observed_is_not_assessable():
    valid = np.ones((1500, 6), dtype=bool)
    valid[:, 0] = False
    found = attribute(make_coder(), recording(valid=valid))
    assert not found["assessable"].values[0] and found["assessable"].values[1:].all()


def test_regions_and_depths_by_hand(data):
    placed = data.assign_coords(
        region=("unit", ["CA1", "CA1", "CA3", "", "CA3", "CA1"]),
        depth=("unit", [100.0, 200.0, 300.0, 400.0, np.nan, 0.0]),
    )
    coder = make_coder()
    with torch.no_grad():
        coder.dictionary[0] = torch.tensor([0.5, 0.5, -0.5, 0.0, 0.5, 0.0])
        coder.dictionary[1] = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    found = attribute(coder, placed)
    assert found["region"].values.tolist() == ["CA1", "CA3", "unknown"]
    np.testing.assert_allclose(found["region_share"][0], [0.5, 0.5, 0.0])
    np.testing.assert_allclose(found["region_share"][1], [0.0, 1.0, 0.0])
    np.testing.assert_allclose(found["region_units"], [3 / 6, 2 / 6, 1 / 6])
    assert float(found["depth_mean"][0]) == pytest.approx(200.0)
    assert float(found["depth_spread"][0]) == pytest.approx(np.std([100, 200, 300]))
    assert np.isnan(found["depth_mean"].values[1])
    np.testing.assert_allclose(found["region_share"].sum("region"), 1)


def test_silent_units_have_no_share_in_a_region(data):
    silent = data.copy(deep=True).assign_coords(region=("unit", ["A", "A", "A", "B", "B", "B"]))
    silent["counts"].values[:, 3:] = 0
    share = attribute(make_coder(), silent)["region_share"]
    np.testing.assert_allclose(
        share.sel(region="B") if "region" in share.indexes else share[:, 1], 0
    )


def test_units_without_region_or_depth_give_no_summary(data):
    found = attribute(make_coder(), data)
    assert not set(found.data_vars) & {"region_share", "depth_mean"}
    assert not by_region(found, data).data_vars


def test_what_cannot_be_attributed_is_refused(data):
    coder = make_coder()
    every_third = np.where(np.arange(1500) % 3 == 0, 2, 0)
    alternating = data.assign_coords(split=("time", every_third))
    with pytest.raises(BadInput, match="not split"):
        attribute(coder, data.drop_vars("split"))
    with pytest.raises(BadInput, match="whole window"):
        attribute(make_coder(**KINDS["window"]), alternating)
