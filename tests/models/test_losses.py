"""Reconstruction losses against scipy and numpy, their gradients, and one number per model."""

import numpy as np
import pytest
import torch
from scipy import stats

from make.coders import make_coder, settled, windows
from make.sessions import make_binned
from nwbsparse.models.losses import reconstruction_loss
from nwbsparse.models.record import CoderRecord
from nwbsparse.models.stack import Stack
from nwbsparse.training.start import untrained

TARGET = torch.tensor([[0.0, 1.0, 4.0], [2.0, 0.0, 1.0]])
PREDICTED = torch.tensor([[0.5, 2.0, 3.0], [1.0, 0.25, 1.0]])
ALPHA = torch.tensor([0.05, 0.7, 3.0])
MORE = {"mse": (), "msle": (1.0,), "poisson": (), "negative_binomial": (ALPHA,)}
KINDS = pytest.mark.parametrize("kind", [*MORE])


def by_hand(kind, p=PREDICTED, z=TARGET, *, tau=1.0, alpha=ALPHA):
    z, p, alpha = z.double().numpy(), p.double().numpy(), alpha.double().numpy()
    if kind == "mse":
        return (z - p) ** 2
    if kind == "msle":
        return (np.log(1 + z) - tau * np.log(1 + np.maximum(p, 0))) ** 2
    # twice the log-likelihood lost against a Poisson rate that is the count
    best = stats.poisson.logpmf(z, z)
    if kind == "poisson":
        return 2 * (best - stats.poisson.logpmf(z, p))
    size = 1 / alpha  # variance p + αp²
    return 2 * (best - stats.nbinom.logpmf(z, size, size / (size + p)))


@KINDS
def test_the_loss_is_summed_over_units_and_averaged_over_bins(kind):
    expected = by_hand(kind).sum(axis=1).mean()
    found = reconstruction_loss(kind, PREDICTED, TARGET, None, *MORE[kind])
    assert float(found) == pytest.approx(expected, rel=1e-5)


@KINDS
def test_what_was_not_observed_carries_no_loss_and_no_gradient(kind):
    valid = torch.tensor([[True, False, True], [True, True, False]])
    expected = (by_hand(kind) * valid.numpy()).sum(axis=1).mean()
    predicted = PREDICTED.clone().requires_grad_()
    loss = reconstruction_loss(kind, predicted, TARGET, valid, *MORE[kind])
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert (predicted.grad[~valid] == 0).all()
    # two of the observed are predicted exactly or nearly so
    assert (predicted.grad[valid] != 0).sum() >= 3


@pytest.mark.parametrize("kind", ["mse", "msle", "poisson"])
def test_the_loss_is_zero_at_the_target_and_positive_elsewhere(kind):
    # float32 rounding of counts that are zero: a rate of 0 is taken as 1e-8
    assert float(reconstruction_loss(kind, TARGET, TARGET)) == pytest.approx(0, abs=1e-6)
    for factor in (0.5, 2.0):
        assert float(reconstruction_loss(kind, factor * TARGET, TARGET)) > 0.1


@pytest.mark.parametrize("kind", ["mse", "poisson", "negative_binomial"])
def test_no_rate_explains_a_count_better_than_the_count_itself(kind):
    counts = torch.tensor([[1.0, 5.0, 40.0]]).double()
    more = MORE[kind]
    best = reconstruction_loss(kind, counts, counts, None, *more)
    for factor in (0.9, 0.99, 1.01, 1.1):
        assert reconstruction_loss(kind, factor * counts, counts, None, *more) > best


@pytest.mark.parametrize("kind", ["poisson", "negative_binomial"])
def test_likelihoods_stay_finite_at_rate_zero(kind):
    zero, one = torch.zeros(1, 3), torch.ones(1, 3)
    for predicted, target in ((zero, one), (zero, zero), (-one, one), (1e6 * one, zero)):
        predicted = predicted.clone().requires_grad_()
        loss = reconstruction_loss(kind, predicted, target, None, *MORE[kind])
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(predicted.grad).all()


def test_msle_takes_what_is_below_zero_as_zero_and_tau_as_a_factor():
    one = torch.ones(1, 1)
    assert float(reconstruction_loss("msle", -5 * one, one)) == pytest.approx(np.log(2) ** 2)
    for tau in (0.5, 2.0):
        expected = by_hand("msle", tau=tau).sum(axis=1).mean()
        found = reconstruction_loss("msle", PREDICTED, TARGET, None, tau)
        assert float(found) == pytest.approx(expected, rel=1e-5)


def test_the_optimum_of_msle_is_no_rate():
    counts = torch.from_numpy(np.random.default_rng(0).poisson(0.5, (20_000, 1))).double()
    rates = torch.linspace(0.05, 1, 96).double()
    losses = [float(reconstruction_loss("msle", rate.expand(20_000, 1), counts)) for rate in rates]
    assert 0.7 < float(rates[np.argmin(losses)]) / 0.5 < 0.85


@KINDS
def test_gradients_agree_with_finite_differences(kind):
    target = TARGET.double()
    more = [torch.as_tensor(one).double().requires_grad_() for one in MORE[kind]]
    predicted = (PREDICTED.double() + 0.1).requires_grad_()

    def loss(p, *given):
        return reconstruction_loss(kind, p, target, None, *given)

    given = () if kind == "msle" else tuple(more)
    assert torch.autograd.gradcheck(loss, (predicted, *given))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("alpha", [1e-9, 1e-6, 1e-3, 0.1, 1.0, 30.0])
def test_the_negative_binomial_is_scipys(alpha, dtype):
    rng = np.random.default_rng(0)
    counts = torch.from_numpy(rng.poisson(2.0, (30, 5))).to(dtype)
    counts[0] = torch.tensor([0, 1, 50, 200, 255])
    rates = torch.from_numpy(rng.uniform(0.01, 20, (30, 5))).to(dtype)
    dispersion = torch.full((5,), alpha, dtype=dtype)
    found = reconstruction_loss("negative_binomial", rates, counts, None, dispersion)
    # below 1e-6 α counts as that; scipy loses digits there, so that the limit is Poisson
    kind = "poisson" if alpha <= 1e-6 else "negative_binomial"
    expected = by_hand(kind, rates, counts, alpha=dispersion).sum(axis=1).mean()
    assert float(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_without_dispersion_the_gradient_of_the_rate_is_poissons(dtype):
    counts = torch.tensor([[0.0, 1.0, 7.0, 60.0]], dtype=dtype)
    grads = []
    for kind, more in (("poisson", ()), ("negative_binomial", (torch.zeros(4, dtype=dtype),))):
        rates = torch.tensor([[0.2, 2.0, 5.0, 70.0]], dtype=dtype, requires_grad=True)
        reconstruction_loss(kind, rates, counts, None, *more).backward()
        grads.append(rates.grad)
    torch.testing.assert_close(grads[1], grads[0], rtol=1e-3, atol=1e-4)


@KINDS
def test_every_model_of_a_stack_has_a_loss_of_its_own(kind):
    generator = torch.Generator().manual_seed(0)
    predicted = torch.rand(3, 2, 3, generator=generator) + 0.1
    alpha = torch.rand(3, 3, generator=generator) + 0.1
    valid = torch.tensor([[True, False, True], [True, True, True]])
    more = (alpha,) if kind == "negative_binomial" else MORE[kind]
    together = reconstruction_loss(kind, predicted, TARGET, valid, *more)
    assert together.shape == (3,)
    for model in range(3):
        one = (alpha[model],) if kind == "negative_binomial" else more
        alone = reconstruction_loss(kind, predicted[model], TARGET, valid, *one)
        assert float(together[model]) == pytest.approx(float(alone), rel=1e-6)


def test_the_dispersion_starts_at_what_the_moments_say():
    rng = np.random.default_rng(0)
    mean, alpha, n = np.array([2.0, 6.0, 3.0]), np.array([0.5, 2.0, 0.0]), 20_000
    gain = rng.gamma(1 / alpha[:2], alpha[:2], (n, 2))
    rates = np.column_stack([mean[:2] * gain, np.full(n, 3.0)])
    data = make_binned(rng.poisson(rates).astype(np.uint16))
    config = settled(n_units=3, loss="negative_binomial", n_latents=8, k=2)
    coder = untrained(CoderRecord(config, ("0", "1", "2"), 0.1), data)
    start = coder.get_parameter("log_dispersion").exp().tolist()
    assert start[:2] == pytest.approx(alpha[:2], rel=0.1)
    assert start[2] < 0.02
    # and the predicted rate at the mean
    silent = coder.decode(torch.zeros(1, 8).double())[0]
    assert silent.tolist() == pytest.approx(mean, rel=0.05)


def test_every_bin_of_a_window_shares_the_dispersion_of_its_unit():
    coder = make_coder(loss="negative_binomial", encoder="window", window=3)
    y, target = windows(coder)
    outcome = Stack([coder]).forward(y, target, None)
    alpha = coder.get_parameter("log_dispersion").detach().exp()
    predicted = outcome.predicted[0].detach().view(len(y), 3, 6)
    expected = sum(
        by_hand("negative_binomial", predicted[:, lag], y[:, lag], alpha=alpha).sum(axis=1).mean()
        for lag in range(3)
    )
    assert outcome.loss.item() == pytest.approx(expected, rel=1e-9)
