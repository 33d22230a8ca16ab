"""JumpReLU's threshold gradient: the kernel's formula, and that it is the gradient of the loss."""

import numpy as np
import pytest
import torch
from scipy import stats

from nwbsparse.models.sparsifiers import PerModel, sparsifier

RULE = sparsifier("jumprelu", penalty="l1")


def jump(pi, theta, width, *, weight=1.0):
    """Activations (bin, latent), the L0 penalty, and the thresholds they came from."""
    theta = torch.as_tensor(theta, dtype=torch.float64).reshape(1, -1).requires_grad_()
    weights = {"log_threshold": theta.log()}
    own = PerModel(*torch.tensor([[weight], [width]], dtype=torch.float64))
    activation = RULE.train(pi[None], weights, own, None)
    return activation[0], RULE.penalty(pi[None], activation, weights, own)[0], theta


def normal(n, latents=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, latents, generator=generator, dtype=torch.float64)


def test_the_threshold_gradient_is_the_kernels_formula_entry_by_entry():
    pi, given = normal(40, 3), normal(40, 3, seed=1)
    theta, width = np.array([0.1, 0.5, 0.02]), 0.6
    activation, _, at = jump(pi, theta, width)
    activation.backward(given)
    expected = np.zeros(3)
    for row, latent in np.ndindex(40, 3):
        if abs(float(pi[row, latent]) - theta[latent]) < width / 2:
            expected[latent] -= theta[latent] / width * float(given[row, latent])
    np.testing.assert_allclose(at.grad[0].numpy(), expected, rtol=1e-12)
    assert (expected != 0).all()


@pytest.mark.parametrize("width", [0.02, 0.3, 1.0])
def test_the_gradient_of_l0_is_its_finite_difference_over_the_kernel(width):
    # what lies in the kernel is exactly what a threshold half a width up or down changes
    pi, theta = normal(500, 3), torch.tensor([0.6, 0.8, 1.2]).double()
    _, cost, at = jump(pi, theta, width, weight=0.3)
    cost.backward()

    def l0(threshold):
        return (pi > threshold).double().sum(dim=0) / len(pi)

    slope = (l0(theta + width / 2) - l0(theta - width / 2)) / width
    torch.testing.assert_close(at.grad[0], 0.3 * slope, rtol=1e-12, atol=0)
    assert float(cost.detach()) == pytest.approx(0.3 * float(l0(theta).sum()), rel=1e-12)


@pytest.mark.parametrize("theta", [0.3, 0.7, 1.5])
@pytest.mark.parametrize("target", [0.0, 0.5, 2.0])
def test_the_estimator_is_the_gradient_of_the_expected_loss(theta, target):
    # d/dθ E[(z − a)²] = p(θ)·(L(0) − L(θ)): only bins at the threshold change their activation
    n, width = 400_000, 0.1
    pi = normal(n)
    activation, _, at = jump(pi, theta, width)
    ((target - activation) ** 2).mean().backward()
    density = stats.norm.pdf(theta)
    expected = density * (target**2 - (target - theta) ** 2)
    # the estimator is a mean of −(θ/ε)·L' over the share of bins inside the kernel
    inside = density * width
    steepest = 2 * max(abs(target), abs(target - theta)) * theta / width
    error = steepest * np.sqrt(inside / n)
    assert float(at.grad) == pytest.approx(expected, abs=4 * error + 0.01 * abs(expected))
    assert 4 * error < 0.1  # a wrong kernel is off by far more


def test_the_kernel_sees_pre_activations_and_not_what_a_relu_made_of_them():
    # θ < ε/2: after a ReLU every silent latent would stand at 0, inside the kernel
    theta, width = 0.01, 0.05
    near, far = torch.full((7, 1), -0.01).double(), torch.full((100, 1), -0.5).double()
    activation, cost, at = jump(torch.cat([near, far]), theta, width)
    assert (activation == 0).all()
    (activation.sum() + cost).backward()
    expected = -7 * theta / width - 7 / width / 107
    assert float(at.grad) == pytest.approx(expected, rel=1e-12)


def test_only_what_is_above_its_threshold_gets_a_gradient_and_l0_gives_none():
    pi = normal(50, 2).requires_grad_()
    activation, cost, _ = jump(pi, [0.2, 0.9], 0.5)
    given = normal(50, 2, seed=1)
    (activation * given).sum().backward(retain_graph=True)
    above = pi.detach() > torch.tensor([0.2, 0.9])
    assert torch.equal(pi.grad, torch.where(above, given, 0.0))
    pi.grad = None
    cost.backward()
    assert pi.grad is None or not pi.grad.any()


def test_every_model_of_a_stack_has_a_kernel_of_its_own():
    pi = normal(60, 4).expand(3, 60, 4)
    widths = torch.tensor([0.1, 0.5, 2.0]).double()
    log_threshold = torch.tensor([0.2, 0.4, 0.6]).double()[:, None].expand(3, 4).log()
    together = log_threshold.clone().requires_grad_()
    own = PerModel(torch.tensor([0.1, 1.0, 10.0]).double(), widths)
    weights = {"log_threshold": together}
    activation = RULE.train(pi, weights, own, None)
    (activation.sum() + RULE.penalty(pi, activation, weights, own).sum()).backward()
    for model in range(3):
        alone = log_threshold[[model]].clone().requires_grad_()
        numbers = PerModel(own.penalty_weight[[model]], widths[[model]])
        one = RULE.train(pi[[model]], {"log_threshold": alone}, numbers, None)
        cost = RULE.penalty(pi[[model]], one, {"log_threshold": alone}, numbers)
        (one.sum() + cost.sum()).backward()
        torch.testing.assert_close(together.grad[model], alone.grad[0], rtol=1e-12, atol=0)


def test_a_threshold_can_never_become_negative():
    rule = RULE.initial(5)
    assert torch.allclose(rule["log_threshold"].exp(), torch.tensor(0.1))
    weights = {"log_threshold": torch.full((1, 2), -100.0).double()}
    own = PerModel(torch.ones(1).double(), torch.ones(1).double())
    pi = torch.tensor([[[-1e-9, 1e-9]]]).double()
    for made in (
        RULE.train(pi, weights, own, None),
        RULE.infer(pi, weights, own, k=1, threshold=torch.zeros(1)),
    ):
        assert (made > 0).tolist() == [[[False, True]]]
