"""Losses by hand, and the revival of dead latents that must touch nothing else."""

import numpy as np
import pytest
import torch
from scipy import stats

from nwbsparse.models.losses import reconstruction_loss, revival_loss

TARGET = torch.tensor([[0.0, 1.0, 4.0], [2.0, 0.0, 1.0]])
PREDICTED = torch.tensor([[0.5, 2.0, 3.0], [1.0, 0.25, 1.0]])


def by_hand(kind):
    z, p = TARGET.double().numpy(), PREDICTED.double().numpy()
    if kind == "mse":
        return (z - p) ** 2
    if kind == "msle":
        return (np.log(1 + z) - np.log(1 + np.maximum(p, 0))) ** 2
    # twice the log-likelihood lost against a model whose rate is the count
    return 2 * (stats.poisson.logpmf(z, z) - stats.poisson.logpmf(z, p))


@pytest.mark.parametrize("kind", ["mse", "msle", "poisson"])
def test_the_loss_is_summed_over_units_and_averaged_over_bins(kind):
    expected = by_hand(kind).sum(axis=1).mean()
    assert float(reconstruction_loss(kind, PREDICTED, TARGET)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["mse", "msle", "poisson"])
def test_what_was_not_observed_carries_no_loss_and_no_gradient(kind):
    valid = torch.tensor([[True, False, True], [True, True, False]])
    expected = (by_hand(kind) * valid.numpy()).sum(axis=1).mean()
    predicted = PREDICTED.clone().requires_grad_()
    loss = reconstruction_loss(kind, predicted, TARGET, valid)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert (predicted.grad[~valid] == 0).all()


@pytest.mark.parametrize("kind", ["mse", "msle", "poisson"])
def test_the_loss_is_zero_at_the_target_and_positive_elsewhere(kind):
    # float32 rounding of counts that are zero: a rate of 0 is taken as 1e-8
    assert float(reconstruction_loss(kind, TARGET, TARGET)) == pytest.approx(0, abs=1e-6)
    for factor in (0.5, 2.0):
        assert float(reconstruction_loss(kind, factor * TARGET, TARGET)) > 0.1


def test_poisson_stays_finite_at_rate_zero_and_msle_below_it():
    zero, one = torch.zeros(1, 1), torch.ones(1, 1)
    assert np.isfinite(float(reconstruction_loss("poisson", zero, one)))
    below = reconstruction_loss("msle", -5 * one, one)
    assert float(below) == pytest.approx(np.log(2) ** 2)


@pytest.mark.parametrize("kind", ["mse", "msle", "poisson"])
def test_gradients_agree_with_finite_differences(kind):
    target = TARGET.double()
    predicted = (PREDICTED.double() + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: reconstruction_loss(kind, p, target), (predicted,))


def revive(*, bias, k_aux=3, dead=(1, 4, 5), scale=1.0):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(20, 6, generator=generator).requires_grad_()
    residual = torch.randn(20, 6, generator=generator)
    weight = (scale * torch.randn(8, 6, generator=generator)).requires_grad_()
    biases = torch.full((8,), bias).requires_grad_()
    dictionary = torch.nn.functional.normalize(
        torch.randn(8, 6, generator=generator)
    ).requires_grad_()
    is_dead = torch.zeros(8, dtype=torch.bool)
    is_dead[list(dead)] = True
    loss = revival_loss(inputs.detach(), residual, weight, biases, dictionary, is_dead, k_aux)
    loss.backward()
    return loss.detach(), is_dead, (weight, biases, dictionary), (inputs.detach(), residual)


@pytest.mark.parametrize("bias", [0.0, -50.0, 3.0])
def test_revival_reaches_every_dead_latent_and_no_living_one(bias):
    _, dead, parameters, _ = revive(bias=bias)
    for parameter in parameters:
        grad = parameter.grad.reshape(8, -1)
        assert (grad[~dead] == 0).all()
        assert (grad[dead].abs().sum(dim=1) > 0).all()


def test_revival_reaches_latents_whose_pre_activation_is_negative_everywhere():
    _, dead, parameters, (inputs, _) = revive(bias=-50.0)
    weight, bias, _ = parameters
    assert ((inputs @ weight.T + bias) < 0).all()
    assert all(parameter.grad[dead].abs().sum() > 0 for parameter in parameters)


def test_revival_is_the_squared_error_of_the_residual_from_the_largest_dead_latents():
    loss, dead, (weight, bias, dictionary), (inputs, residual) = revive(bias=0.5, k_aux=2)
    expected = 0.0
    for x, r in zip(inputs, residual, strict=True):
        pre = (weight[dead] @ x + bias[dead]).detach().numpy()
        best = np.argsort(pre)[-2:]
        made = pre[best] @ dictionary[dead].detach().numpy()[best]
        expected += ((r.numpy() - made) ** 2).sum() / len(inputs)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_more_latents_than_are_dead_may_be_asked_for():
    loss, *_ = revive(bias=0.0, k_aux=100)
    same, *_ = revive(bias=0.0, k_aux=3)
    assert float(loss) == float(same)
