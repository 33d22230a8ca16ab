"""Recordings and options of extreme sizes: what can be learned is, and the rest is refused."""

import numpy as np
import pytest
import torch

from make.configs import plain_config
from make.fits import KINDS, QUICK
from make.sessions import make_binned, planted
from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.training.fit import fit


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(900))


def finite(coder):
    return all(torch.isfinite(tensor).all() for tensor in coder.state_dict().values())


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"k": 65}, "k is 65 but there are only 64 latents"),
        ({"k": 9, "n_latents": 8}, "k is 9 but there are only 8 latents"),
        ({"k": 0}, "k is 0; it must be > 0"),
        ({"k": -1}, "k is -1; it must be > 0"),
        ({"levels": ("8:9",)}, "k is 9 but there are only 8 latents"),
        ({"levels": ("8:0", "16:2")}, "k is 0 in level 8:0; it must be > 0"),
    ],
)
def test_a_k_that_cannot_be_is_refused(options, said, data):
    with pytest.raises(BadInput, match=said):
        fit(data, plain_config(**options))


@pytest.mark.fault(51)
@pytest.mark.parametrize("kind", ["batch_topk", "topk", "l1", "window", "convolution"])
def test_a_k_of_all_latents_is_legal(kind, data):
    options = KINDS[kind] | {"n_latents": 8, "k": 8, "batch_size": 64, "max_epochs": 2}
    assert finite(fit(data, plain_config(**options)))


@pytest.mark.fault(52)
def test_a_batch_larger_than_the_training_part_is_refused(data):
    n_train = int((data["split"].values == names.TRAIN).sum())
    with pytest.raises(BadInput, match=f"batch {n_train + 1} > {n_train} training bins"):
        fit(data, plain_config(**(QUICK | {"batch_size": n_train + 1})))
    made = fit(data, plain_config(**(QUICK | {"batch_size": n_train})))
    assert made.config.batch_size == n_train
    assert made.record.history[-1]["update"] == QUICK["max_epochs"], "one batch in each epoch"


@pytest.mark.fault(52)
@pytest.mark.parametrize("kind", ["batch_topk", "l1", "transformer"])
def test_a_batch_of_one_bin_is_legal(kind, data):
    short = data.isel(time=slice(0, 200))
    options = KINDS[kind] | {"batch_size": 1, "max_epochs": 1}
    assert finite(fit(short, plain_config(**options)))


@pytest.mark.parametrize("n_units", [1, 2])
@pytest.mark.parametrize("kind", ["batch_topk", "jumprelu", "window", "convolution", "transformer"])
def test_one_unit_is_enough(kind, n_units, data):
    few = data.isel(unit=slice(n_units))
    coder = fit(few, plain_config(**KINDS[kind] | {"batch_size": 64, "max_epochs": 2}))
    assert coder.n_units == n_units
    assert finite(coder)


@pytest.mark.parametrize("shape", [{"unit": 0}, {"time": 0}])
def test_nothing_at_all_is_refused(shape, data):
    nothing = data.isel({dim: slice(size) for dim, size in shape.items()})
    with pytest.raises(BadInput, match="bins and units are needed"):
        fit(nothing, plain_config(**QUICK))


def test_a_recording_without_any_spike_is_learned_as_silence(data):
    silent = data.copy(deep=True)
    silent["counts"].values[:] = 0
    for loss in ("mse", "poisson"):
        coder = fit(silent, plain_config(**QUICK, loss=loss))
        assert finite(coder)
        with torch.no_grad():
            assert not (coder(torch.zeros(3, 16)) > 0).any()


def test_one_training_bin_is_enough_or_refused_never_a_crash(data):
    parts = np.full(900, names.TEST, np.int8)
    parts[5], parts[6:20] = names.TRAIN, names.VALIDATION
    one = data.assign_coords(split=("time", parts))
    assert finite(fit(one, plain_config(n_latents=8, k=1, max_epochs=3)))
    none = one.assign_coords(split=("time", np.where(parts == names.TRAIN, names.TEST, parts)))
    with pytest.raises(BadInput, match="no training bin"):
        fit(none, plain_config(n_latents=8, k=1, max_epochs=3))


def test_without_validation_bins_the_last_state_is_kept(data):
    parts = np.where(data["split"].values == names.VALIDATION, names.GAP, data["split"].values)
    without = data.assign_coords(split=("time", parts))
    last = {}

    def keep(now):
        last.update(now.stack.snapshot(0))

    coder = fit(without, plain_config(**QUICK), callbacks=[keep])
    assert coder.record.history[-1]["update"] == 6 * ((parts == names.TRAIN).sum() // 128)
    for name, weight in last.items():
        assert torch.equal(coder.state_dict()[name], weight.cpu()), name


def test_open_choices_fit_a_short_recording(data):
    config = fit(data, plain_config(max_epochs=1)).config
    n_train = int((data["split"].values == names.TRAIN).sum())
    assert config.batch_size == n_train // 8
    assert config.n_latents == 64
    assert config.k_aux == 6
