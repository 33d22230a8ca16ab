"""Training: it learns what was planted, repeats itself to the bit, and stops when it must."""

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.optimize import linear_sum_assignment

from nwbsparse import names
from nwbsparse.config import Config
from nwbsparse.errors import BadInput
from nwbsparse.models.losses import reconstruction_loss
from nwbsparse.simulate.superposition import simulate_superposition
from nwbsparse.training.engine import TrainingDiverged
from nwbsparse.training.fit import fit
from nwbsparse.training.schedule import step_size
from nwbsparse.training.start import untrained_control
from sessions import N_UNITS, make_binned, planted

QUICK = {"n_latents": 32, "k": 3, "batch_size": 128, "max_epochs": 6}


@pytest.fixture(scope="module")
def data():
    return make_binned(planted())


@pytest.fixture(scope="module")
def coder(data):
    return fit(data, Config(**QUICK))


def bits(coder):
    return {name: tensor.numpy().tobytes() for name, tensor in coder.state_dict().items()}


def bins_of(data, part):
    return torch.from_numpy(data["counts"].values[data["split"].values == part])


def held_out_loss(coder, data, *, level=-1):
    counts = bins_of(data, names.TEST)
    with torch.no_grad():
        y = coder.normalise(counts)
        predicted = coder.decode(coder.activate(coder.pre_activation(y), level=level))
        return float(reconstruction_loss(coder.config.loss, predicted, y))


def l0(coder, counts, *, level=-1):
    with torch.no_grad():
        pre = coder.pre_activation(coder.normalise(counts))
        return float((coder.activate(pre, level=level) > 0).float().sum(dim=1).mean())


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(data, coder):
    again, other = fit(data, Config(**QUICK)), fit(data, Config(**QUICK, seed=1))
    assert bits(again) == bits(coder)
    assert (again.id, again.record) == (coder.id, coder.record)
    assert bits(other)["dictionary"] != bits(coder)["dictionary"]


def test_training_does_not_touch_the_global_random_state(data, coder):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    again = fit(data, Config(**QUICK))
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(99)
    assert bits(fit(data, Config(**QUICK))) == bits(again) == bits(coder)


def test_what_was_left_open_is_filled_in(data, coder):
    config = fit(data, Config(max_epochs=1)).config
    assert (config.n_latents, config.bin_width) == (64, 0.1)
    assert 4 <= config.k <= 8
    for field in ("batch_size", "max_epochs", "k_aux", "normalisation", "output"):
        assert getattr(config, field) is not None
    assert coder.record.unit_ids == tuple(str(u) for u in range(N_UNITS))
    assert not coder.training


def test_the_input_is_left_as_it_was(data):
    given = data.copy(deep=True)
    fit(given, Config(**QUICK))
    xr.testing.assert_identical(given, data)


def test_counts_that_may_not_be_written_to_are_enough(data, coder):
    given = data.copy(deep=True)
    given["counts"].values.setflags(write=False)
    assert bits(fit(given, Config(**QUICK))) == bits(coder)


def test_l0_is_k_on_the_training_bins(data, coder):
    counts = bins_of(data, names.TRAIN)
    assert l0(coder, counts) == pytest.approx(3, rel=0.02)


def test_l0_is_k_even_when_activity_changes_along_the_session():
    counts = planted(24_000)
    counts[12_000:] = np.random.default_rng(1).poisson(0.02, (12_000, N_UNITS))
    data = make_binned(counts, bin_width=0.02)
    coder = fit(data, Config(**(QUICK | {"max_epochs": 1, "batch_size": 512})))
    assert l0(coder, bins_of(data, names.TRAIN)) == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("loss", ["mse", "msle", "poisson"])
def test_learning_beats_the_untrained_control_on_held_out_bins(loss, data):
    options = QUICK | {"max_epochs": 30, "n_latents": 24, "k": 2}
    coder = fit(data, Config(loss=loss, **options))
    control = untrained_control(coder, data)
    assert held_out_loss(coder, data) < 0.9 * held_out_loss(control, data)
    checks = [row["validation_loss"] for row in coder.record.history]
    assert len(checks) >= 20
    assert min(checks[5:]) < 0.95 * checks[0]
    assert l0(coder, bins_of(data, names.TRAIN)) == pytest.approx(2, rel=0.05)
    assert torch.allclose(coder.dictionary.norm(dim=1), torch.ones(24), atol=1e-5)


def test_the_control_differs_from_the_coder_only_in_what_was_learned(data, coder):
    control = untrained_control(coder, data)
    assert (control.config, control.record.history) == (coder.config, ())
    for name in ("offset", "scale", "pre_bias"):
        assert torch.equal(control.state_dict()[name], coder.state_dict()[name])
    assert torch.equal(control.dictionary, control.encoder_weight)
    assert not torch.equal(control.dictionary, coder.dictionary)
    assert l0(control, bins_of(data, names.TRAIN)) == pytest.approx(3, rel=0.02)


def test_test_and_gap_bins_have_no_influence(data, coder):
    other = data.copy(deep=True)
    parts = other["split"].values
    other["counts"].values[(parts == names.TEST) | (parts == names.GAP)] = 200
    assert bits(fit(other, Config(**QUICK))) == bits(coder)
    train = bins_of(data, names.TRAIN).double()
    assert torch.allclose(coder.offset.double(), train.mean(dim=0), atol=1e-5)
    assert torch.allclose(coder.scale.double(), train.std(dim=0, correction=0), atol=1e-5)


def test_matryoshka_levels_all_learn(data):
    levels = ("4:1", "12:2", "32:3")
    options = {"levels": levels, "batch_size": 128, "max_epochs": 30}
    coder = fit(data, Config(**options))
    assert coder.levels == [(4, 1), (12, 2), (32, 3)]
    assert coder.threshold.shape == (3,)
    losses = [held_out_loss(coder, data, level=level) for level in range(3)]
    assert losses[0] > losses[1] > losses[2]
    control = untrained_control(coder, data)
    for level, (_, k) in enumerate(coder.levels):
        assert losses[level] < held_out_loss(control, data, level=level)
        assert l0(coder, bins_of(data, names.TRAIN), level=level) == pytest.approx(k, rel=0.02)


@pytest.mark.fault(30)
@pytest.mark.parametrize("loss", ["mse", "msle", "poisson"])
def test_a_silent_unit_does_no_harm(loss):
    counts = planted()
    counts[:, 5] = 0
    coder = fit(make_binned(counts), Config(loss=loss, **QUICK))
    assert coder.scale[5] == 1
    assert all(torch.isfinite(tensor).all() for tensor in coder.state_dict().values())


@pytest.mark.fault(41)
@pytest.mark.parametrize("loss", ["mse", "poisson"])
def test_what_is_stored_where_a_unit_was_not_observed_has_no_influence(loss):
    counts = planted()
    valid = np.ones(counts.shape, dtype=bool)
    valid[:1000, 3] = valid[:, 7] = False
    made = []
    for filler in (0, 90):
        filled = np.where(valid, counts, filler).astype(np.uint8)
        made.append(fit(make_binned(filled, valid=valid), Config(loss=loss, **QUICK)))
    assert bits(made[0]) == bits(made[1])
    if loss == "mse":
        train = make_binned(counts)["split"].values == names.TRAIN
        seen = counts[train & valid[:, 3], 3]
        assert float(made[0].offset[3]) == pytest.approx(seen.mean(), rel=1e-5)


@pytest.mark.fault(47)
def test_the_integer_type_of_the_counts_changes_nothing(data, coder):
    for dtype in (np.uint16, np.uint32):
        given = data.assign(counts=data["counts"].astype(dtype))
        assert bits(fit(given, Config(**QUICK))) == bits(coder)


@pytest.mark.fault(49)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_counts_that_are_not_finite_are_refused_with_their_bin(bad):
    counts = planted().astype(np.float32)
    counts[[1234, 2000], 3] = bad
    with pytest.raises(BadInput, match=r"not finite in 2 bins, the first is bin 1234"):
        fit(make_binned(counts), Config(**QUICK))


@pytest.mark.fault(50)
def test_a_diverging_training_stops_and_says_what_to_change(data):
    seen = []

    def watch(stage, done, total, /, **numbers):
        seen.append(done)

    with pytest.raises(TrainingDiverged, match="smaller --learning-rate than 1000000"):
        fit(data, Config(**QUICK, learning_rate=1e6), progress=watch)
    assert len(seen) < 5


@pytest.mark.fault(52)
def test_a_batch_larger_than_the_training_part_is_refused(data):
    n_train = int((data["split"].values == names.TRAIN).sum())
    with pytest.raises(BadInput, match=f"batch {n_train + 1} > {n_train} training bins"):
        fit(data, Config(**(QUICK | {"batch_size": n_train + 1})))
    assert fit(data, Config(**(QUICK | {"batch_size": n_train}))).config.batch_size == n_train


@pytest.mark.fault(51)
def test_a_k_that_is_too_large_for_the_chosen_latents_is_refused(data):
    with pytest.raises(BadInput, match="k is 65 but there are only 64"):
        fit(data, Config(k=65))


def test_bins_that_were_not_split_are_refused(data):
    with pytest.raises(BadInput, match="split"):
        fit(data.drop_vars("split"), Config(**QUICK))


def test_the_step_size_warms_up_stays_and_falls_to_a_hundredth():
    steps = [step_size(update, 1000) for update in range(1000)]
    assert steps[0] == pytest.approx(0.01)
    assert np.all(np.diff(steps[:100]) > 0)
    assert set(steps[100:500]) == {1.0}
    assert np.all(np.diff(steps[500:]) < 0)
    assert steps[-1] == pytest.approx(0.01, abs=1e-4)
    assert all(0 < step_size(update, total) <= 1 for total in (1, 2, 7) for update in range(total))


def matched_cosine(found, planted):
    cosine = planted @ (found / np.linalg.norm(found, axis=1, keepdims=True)).T
    return cosine[linear_sum_assignment(-cosine)].mean()


def test_a_planted_dictionary_is_recovered():
    size = {"n_bins": 12_000, "n_units": 24, "n_sources": 32, "units_per_source": 4}
    made = simulate_superposition(**size, event_probability=0.03, gain=4.0)
    data = make_binned(made.counts, bin_width=made.bin_width)
    assert made.events.sum(axis=1).mean() == pytest.approx(1, abs=0.1)  # hence k = 1
    coder = fit(data, Config(n_latents=64, k=1, batch_size=256, max_epochs=60))
    decoder = coder.dictionary.detach().double() * coder.scale.double()
    control = untrained_control(coder, data).dictionary.detach().double() * coder.scale.double()
    assert (found := matched_cosine(decoder.numpy(), made.dictionary)) > 0.8
    assert found > matched_cosine(control.numpy(), made.dictionary) + 0.2
    assert found > matched_cosine(np.eye(24), made.dictionary) + 0.1
