"""Faults of units: silent, constant, unobserved or re-ordered ones, as training sees them."""

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.fits import KINDS, QUICK, everything
from make.sessions import N_UNITS, make_binned, planted
from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.training.fit import fit

LOSSES = ["mse", "msle", "poisson", "negative_binomial"]


@pytest.mark.fault(30)
@pytest.mark.fault(46)
@pytest.mark.parametrize("count", [0, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_unit_that_never_changes_does_no_harm(loss, count):
    counts = planted(1500)
    counts[:, 5] = count
    coder = fit(make_binned(counts), plain_config(loss=loss, **QUICK))
    assert coder.scale[5] == 1
    assert all(torch.isfinite(tensor).all() for tensor in coder.state_dict().values())
    assert not coder.encoder_weight[:, 5].any(), "nothing can be read from it"


@pytest.mark.fault(46)
@pytest.mark.parametrize("kind", ["batch_topk", "window", "convolution", "transformer"])
def test_no_latent_writes_a_unit_that_never_changed(kind):
    counts = planted(1500)
    counts[:, [2, 5]] = 0
    options = KINDS[kind] | {"batch_size": 128, "max_epochs": 4}
    coder = fit(make_binned(counts), plain_config(**options))
    assert not coder.weight[:, :, [2, 5]].any()
    with torch.no_grad():
        rows = torch.randn(8, coder.n_latents).relu().repeat(4, 1)
        made = coder.decode(rows).view(-1, coder.n_targets)
    assert torch.allclose(made[:, [2, 5]], torch.zeros(()), atol=1e-3), "it stands at its mean"


@pytest.mark.fault(46)
def test_a_unit_that_fires_after_training_only_changes_no_other():
    # silent in training, active later: there is no weight that could let it speak
    counts = planted(1500)
    data = make_binned(counts)
    train = data["split"].values == names.TRAIN
    data["counts"].values[train, 5] = 0
    coder = fit(data, plain_config(**QUICK))
    bins = torch.from_numpy(data["counts"].values[~train][:50])
    loud = bins.clone()
    loud[:, 5] = 200
    with torch.no_grad():
        assert torch.equal(coder(loud), coder(bins))


@pytest.mark.fault(41)
@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_stored_where_a_unit_was_not_observed_has_no_influence(loss):
    counts = planted(1500)
    valid = np.ones(counts.shape, dtype=bool)
    valid[:500, 3] = valid[:, 7] = False
    made = []
    for filler in (0, 90):
        filled = np.where(valid, counts, filler).astype(np.uint8)
        made.append(fit(make_binned(filled, valid=valid), plain_config(loss=loss, **QUICK)))
    assert everything(made[0]) == everything(made[1])
    if loss == "mse":
        train = make_binned(counts)["split"].values == names.TRAIN
        seen = counts[train & valid[:, 3], 3]
        assert float(made[0].offset[3]) == pytest.approx(seen.mean(), rel=1e-5)
        assert float(made[0].scale[3]) == pytest.approx(seen.std(), rel=1e-5)


@pytest.mark.fault(55)
@pytest.mark.parametrize("kind", ["batch_topk", "transcoder"])
def test_a_coder_says_which_units_it_was_trained_on_and_in_which_order(kind):
    data = make_binned(planted(900))
    options = KINDS[kind] | {"batch_size": 64, "max_epochs": 1}
    order = [0, 2, 1, *range(3, N_UNITS)]
    coder, other = (
        fit(data, plain_config(**options)),
        fit(data.isel(unit=order), plain_config(**options)),
    )
    assert coder.record.unit_hash != other.record.unit_hash
    assert coder.id != other.id
    coder.check_units(data["unit_id"].values)
    if kind == "batch_topk":
        with pytest.raises(BadInput, match="another order"):
            coder.check_units(data["unit_id"].values[order])
    with pytest.raises(BadInput, match="trained on 16 units, the data hold 15"):
        coder.check_units(data["unit_id"].values[1:])


@pytest.mark.fault(47)
@pytest.mark.parametrize(("dtype", "most"), [(np.uint8, 255), (np.uint16, 65_535)])
def test_the_largest_counts_do_not_overflow(dtype, most):
    counts = np.random.default_rng(0).choice([0, most], (900, 6)).astype(dtype)
    data = make_binned(counts)
    train = counts[data["split"].values == names.TRAIN].astype(float)
    coder = fit(data, plain_config(n_latents=8, k=2, batch_size=64, max_epochs=2))
    np.testing.assert_allclose(coder.offset.numpy(), train.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(coder.scale.numpy(), train.std(axis=0), rtol=1e-5)
