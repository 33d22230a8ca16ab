"""What training is for: it learns what was planted, sparsely, on bins it never saw."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from make.configs import plain_config
from make.fits import KINDS, QUICK
from make.sessions import N_UNITS, make_binned, planted
from nwbsparse import names
from nwbsparse.models.losses import reconstruction_loss
from nwbsparse.simulate.superposition import simulate_superposition
from nwbsparse.training.bins import windows_of
from nwbsparse.training.fit import fit
from nwbsparse.training.start import untrained_control


@pytest.fixture(scope="module")
def data():
    return make_binned(planted(1800))


def batch_of(coder, data, part):
    """All windows of a part, as training sees them."""
    windows = windows_of(coder.record, data)
    parts = torch.from_numpy(data["split"].values)
    if part == names.TEST:  # which training has no use for
        of_test = data.assign_coords(split=("time", np.where(parts == part, names.TRAIN, -1)))
        windows = windows_of(coder.record, of_test)
    return windows.batch(coder, windows.train)


@torch.no_grad()
def held_out_loss(coder, data, *, level=-1):
    batch = batch_of(coder, data, names.TEST)
    rows = batch.y.flatten(0, 1) if coder.window < batch.y.shape[1] else batch.y
    predicted = coder.decode(coder.activate(coder.pre_activation(rows), level=level))
    more = (1.0,) if coder.config.loss == "msle" else ()
    return float(reconstruction_loss(coder.config.loss, predicted, batch.target, None, *more))


@torch.no_grad()
def l0(coder, data, *, level=-1):
    y = batch_of(coder, data, names.TRAIN).y[:, -coder.window :]
    return float(
        (coder.activate(coder.pre_activation(y), level=level) > 0).sum(dim=1).double().mean()
    )


@pytest.mark.parametrize("loss", ["mse", "msle", "poisson"])
def test_it_beats_the_untrained_control_on_held_out_bins(loss, data):
    options = QUICK | {"max_epochs": 16, "n_latents": 24, "k": 2}
    coder = fit(data, plain_config(loss=loss, **options))
    control = untrained_control(coder, data)
    assert held_out_loss(coder, data) < 0.9 * held_out_loss(control, data)
    checks = [row["validation_loss"] for row in coder.record.history]
    assert len(checks) >= 15
    assert min(checks[5:]) < 0.95 * checks[0]
    assert l0(coder, data) == pytest.approx(2, rel=0.05)
    assert torch.allclose(coder.dictionary.norm(dim=1), torch.ones(24), atol=1e-5)


OFTEN = ("topk", "gated", "window", "convolution")


@pytest.mark.parametrize(
    "kind",
    [
        kind if kind in OFTEN else pytest.param(kind, marks=pytest.mark.slow)
        for kind in KINDS
        if kind != "transcoder"
    ],
)
def test_so_does_every_kind(kind, data):
    coder = fit(data, plain_config(**(KINDS[kind] | {"batch_size": 128, "max_epochs": 8})))
    assert held_out_loss(coder, data) < 0.9 * held_out_loss(untrained_control(coder, data), data)
    assert torch.allclose(coder.dictionary.norm(dim=1), torch.ones(coder.n_latents), atol=1e-5)


def test_rows_may_be_free(data):
    coder = fit(data, plain_config(**QUICK, rows="free"))
    assert not torch.allclose(coder.dictionary.norm(dim=1), torch.ones(32), atol=0.02)


@pytest.mark.parametrize("kind", ["l1", "exponential", "jumprelu", "gated"])
def test_a_larger_penalty_leaves_fewer_active(kind, data):
    # JumpReLU's thresholds have far to go in so few updates
    way = {"learning_rate": 2e-2, "bandwidth": 0.5} if kind == "jumprelu" else {}
    way = {"bandwidth": 0.5} if kind == "exponential" else way
    options = KINDS[kind] | {"batch_size": 128, "max_epochs": 8, "patience": 99} | way
    loose, tight = (
        l0(fit(data, plain_config(**options, penalty_weight=weight)), data)
        for weight in (0.03, 2.0)
    )
    assert tight < 0.8 * loose


@pytest.mark.parametrize("kind", ["batch_topk", "nested", "window", "convolution", "transformer"])
def test_l0_is_k_on_the_training_bins(kind, data):
    coder = fit(data, plain_config(**KINDS[kind] | {"batch_size": 128, "max_epochs": 3}))
    assert l0(coder, data) == pytest.approx(coder.config.k, rel=0.02)


def test_l0_is_k_even_when_activity_changes_along_the_session():
    counts = planted(12_000)
    counts[6_000:] = np.random.default_rng(1).poisson(0.02, (6_000, N_UNITS))
    data = make_binned(counts, bin_width=0.02)
    coder = fit(data, plain_config(**(QUICK | {"max_epochs": 1, "batch_size": 512})))
    assert l0(coder, data) == pytest.approx(3, rel=0.05)


def test_matryoshka_levels_all_learn(data):
    coder = fit(data, plain_config(levels=("4:1", "12:2", "32:3"), batch_size=128, max_epochs=15))
    assert coder.levels == [(4, 1), (12, 2), (32, 3)]
    assert coder.threshold.shape == (3,)
    losses = [held_out_loss(coder, data, level=level) for level in range(3)]
    assert losses[0] > losses[1] > losses[2]
    control = untrained_control(coder, data)
    for level, (_, k) in enumerate(coder.levels):
        assert losses[level] < held_out_loss(control, data, level=level)
        assert l0(coder, data, level=level) == pytest.approx(k, rel=0.02)


def matched_cosine(found, planted):
    cosine = planted @ (found / np.linalg.norm(found, axis=1, keepdims=True)).T
    return cosine[linear_sum_assignment(-cosine)].mean()


def test_a_planted_dictionary_is_recovered():
    size = {"n_bins": 8_000, "n_units": 24, "n_sources": 32, "units_per_source": 4}
    made = simulate_superposition(**size, event_probability=0.03, gain=4.0)
    data = make_binned(made.counts, bin_width=made.bin_width)
    assert made.events.sum(axis=1).mean() == pytest.approx(1, abs=0.1)  # hence k = 1
    coder = fit(data, plain_config(n_latents=64, k=1, batch_size=256, max_epochs=40))
    decoder = coder.dictionary.detach().double() * coder.scale.double()
    control = untrained_control(coder, data).dictionary.detach().double() * coder.scale.double()
    assert (found := matched_cosine(decoder.numpy(), made.dictionary)) > 0.8
    assert found > matched_cosine(control.numpy(), made.dictionary) + 0.2
    assert found > matched_cosine(np.eye(24), made.dictionary) + 0.1
