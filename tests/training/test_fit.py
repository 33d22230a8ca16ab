"""fit(): the same every time, touching nothing it was not given, with every choice on record."""

import numpy as np
import pytest
import torch
import xarray as xr

from make.configs import plain_config
from make.fits import KINDS, QUICK, everything
from make.sessions import N_UNITS, make_binned, planted
from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.training.fit import fit
from nwbsparse.training.start import untrained_control

SMALL = {"batch_size": 64, "max_epochs": 1}


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(1200))


@pytest.fixture(scope="module")
def coder(data):
    return fit(data, plain_config(**QUICK))


def bins_of(data, part):
    return torch.from_numpy(data["counts"].values[data["split"].values == part])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bits(kind, data):
    config = plain_config(**KINDS[kind] | SMALL)
    first, again = fit(data, config), fit(data, config)
    assert everything(again) == everything(first)
    assert (again.id, again.record) == (first.id, first.record)
    assert not first.training


def test_another_seed_gives_another_coder(data, coder):
    other = fit(data, plain_config(**QUICK, seed=1))
    assert not torch.equal(other.dictionary, coder.dictionary)
    assert other.id != coder.id


def test_another_order_of_batches_gives_another_coder(data, coder):
    other = fit(data, plain_config(**QUICK, order_seed=1))
    assert not torch.equal(other.dictionary, coder.dictionary)
    start = untrained_control(other, data)
    assert torch.equal(start.dictionary, untrained_control(coder, data).dictionary)


def test_training_does_not_touch_the_global_random_state(data, coder):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    again = fit(data, plain_config(**QUICK))
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(99)
    assert everything(fit(data, plain_config(**QUICK))) == everything(again) == everything(coder)


def test_what_was_left_open_is_filled_in(data, coder):
    config = fit(data, plain_config(max_epochs=1)).config
    assert (config.n_latents, config.bin_width) == (64, 0.1)
    assert 4 <= config.k <= 8
    for field in ("batch_size", "max_epochs", "k_aux", "normalisation", "output", "window"):
        assert getattr(config, field) is not None
    assert coder.record.unit_ids == tuple(str(u) for u in range(N_UNITS))
    assert coder.record.source_sha256 == "0" * 64
    assert {"nwbsparse", "torch", "python"} <= set(coder.record.software)


def test_the_input_is_left_as_it_was(data):
    given = data.copy(deep=True)
    fit(given, plain_config(**QUICK))
    xr.testing.assert_identical(given, data)


def test_counts_that_may_not_be_written_to_are_enough(data, coder):
    given = data.copy(deep=True)
    given["counts"].values.setflags(write=False)
    assert everything(fit(given, plain_config(**QUICK))) == everything(coder)


@pytest.mark.fault(47)
@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int64, np.float32])
def test_the_type_of_the_counts_changes_nothing(dtype, data, coder):
    given = data.assign(counts=data["counts"].astype(dtype))
    assert everything(fit(given, plain_config(**QUICK))) == everything(coder)


def test_test_and_gap_bins_have_no_influence(data, coder):
    other = data.copy(deep=True)
    parts = other["split"].values
    other["counts"].values[(parts == names.TEST) | (parts == names.GAP)] = 200
    assert everything(fit(other, plain_config(**QUICK))) == everything(coder)
    train = bins_of(data, names.TRAIN).double()
    assert torch.allclose(coder.offset.double(), train.mean(dim=0), atol=1e-5)
    assert torch.allclose(coder.scale.double(), train.std(dim=0, correction=0), atol=1e-5)


def test_validation_bins_choose_the_state_and_nothing_else(data, coder):
    other = data.copy(deep=True)
    parts = other["split"].values
    rng = np.random.default_rng(0)
    other["counts"].values[parts == names.VALIDATION] = rng.poisson(
        3, ((parts == names.VALIDATION).sum(), N_UNITS)
    )
    changed = fit(other, plain_config(**QUICK))
    for row, expected in zip(changed.record.history, coder.record.history, strict=False):
        assert row["train_loss"] == expected["train_loss"]
        assert row["validation_loss"] != expected["validation_loss"]
    # the state kept is the best on these bins
    best = min(row["validation_loss"] for row in coder.record.history)
    longer = fit(data, plain_config(**QUICK, patience=1000))
    assert min(row["validation_loss"] for row in longer.record.history) == best


def test_the_history_tells_how_it_went(data, coder):
    history = coder.record.history
    updates = [row["update"] for row in history]
    assert updates == sorted(set(updates))
    n_train = int((data["split"].values == names.TRAIN).sum())
    assert updates[-1] == 6 * (n_train // 128)
    for row in history:
        assert all(np.isfinite(value) for value in row.values()), row
        assert 0 <= row["dead_fraction"] <= 1
        assert row["l0"] == pytest.approx(3, rel=0.05), "selected as in training: k of a batch"
        assert 0 < row["learning_rate"] <= coder.config.learning_rate
    assert history[-1]["r2"] > history[0]["r2"]


def test_callbacks_and_progress_come_with_every_check(data):
    told, seen = [], []

    def progress(stage, done, total, /, **numbers):
        told.append((stage, done, total, numbers))

    made = fit(
        data, plain_config(**QUICK), progress=progress, callbacks=[lambda n: seen.append(n.update)]
    )
    updates = [row["update"] for row in made.record.history]
    assert seen == updates == [done for _, done, _, _ in told]
    for (stage, _, total, numbers), row in zip(told, made.record.history, strict=True):
        assert (stage, total) == ("fit", updates[-1])
        assert numbers["loss"] == pytest.approx(row["train_loss"])
        assert numbers["validation"] == pytest.approx(row["validation_loss"])
        assert numbers["bins_per_s"] > 0


def test_patience_stops_a_training_that_gets_no_better(data):
    options = QUICK | {"max_epochs": 30, "learning_rate": 0.2, "schedule": "constant"}
    made = fit(data, plain_config(**options, patience=3))
    losses = [row["validation_loss"] for row in made.record.history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3, "three checks after the best one"
    longer = fit(data, plain_config(**options, patience=6))
    assert len(longer.record.history) > len(losses)


def test_the_control_differs_from_the_coder_only_in_what_was_learned(data, coder):
    control = untrained_control(coder, data)
    assert (control.config, control.record.history) == (coder.config, ())
    for name in ("offset", "scale", "pre_bias"):
        assert torch.equal(control.state_dict()[name], coder.state_dict()[name])
    assert torch.equal(control.dictionary, control.encoder_weight)
    assert not torch.equal(control.dictionary, coder.dictionary)
    with torch.no_grad():
        active = control(bins_of(data, names.TRAIN)) > 0
    assert float(active.sum(dim=1).float().mean()) == pytest.approx(3, rel=0.02)


def test_bins_that_were_not_split_are_refused(data):
    with pytest.raises(BadInput, match="split"):
        fit(data.drop_vars("split"), plain_config(**QUICK))
