"""The revival of dead latents: it reaches every one of them and must touch nothing else."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from make.coders import make_coder, windows
from nwbsparse.models.decoders import Convolution
from nwbsparse.models.losses import revival_loss, revival_losses
from nwbsparse.models.stack import Stack

DEAD = (1, 4, 5)


def revive(*, bias, k_aux=3, paper=False):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(20, 6, generator=generator)
    residual = torch.randn(20, 6, generator=generator)
    weight = torch.randn(8, 6, generator=generator).requires_grad_()
    biases = torch.full((8,), bias).requires_grad_()
    dictionary = functional.normalize(torch.randn(8, 6, generator=generator)).requires_grad_()
    offset = torch.randn(6, generator=generator).requires_grad_() if paper else None
    is_dead = torch.zeros(8, dtype=torch.bool)
    is_dead[list(DEAD)] = True
    loss = revival_loss(
        inputs, residual, weight, biases, dictionary, is_dead, k_aux, bias=offset
    )  # fmt: skip
    loss.backward()
    return loss.detach(), is_dead, (weight, biases, dictionary, offset), (inputs, residual)


@pytest.mark.parametrize("bias", [0.0, -50.0, 3.0])
def test_every_dead_latent_is_reached_even_where_its_pre_activation_is_negative(bias):
    _, dead, (weight, biases, dictionary, _), (inputs, _) = revive(bias=bias)
    assert bias > -50 or (inputs @ weight.T + biases < 0).all()
    for parameter in (weight, biases, dictionary):
        grad = parameter.grad.reshape(8, -1)
        assert (grad[~dead] == 0).all()
        assert (grad[dead].abs().sum(dim=1) > 0).all()


def test_it_is_the_squared_error_of_the_residual_from_the_largest_dead_latents():
    loss, dead, (weight, bias, dictionary, _), (inputs, residual) = revive(bias=0.5, k_aux=2)
    expected = 0.0
    for x, r in zip(inputs, residual, strict=True):
        pre = (weight[dead] @ x + bias[dead]).detach().numpy()
        best = np.argsort(pre)[-2:]
        made = pre[best] @ dictionary[dead].detach().numpy()[best]
        expected += ((r.numpy() - made) ** 2).sum() / len(inputs)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_more_latents_than_are_dead_may_be_asked_for():
    assert float(revive(bias=0.0, k_aux=100)[0]) == float(revive(bias=0.0, k_aux=3)[0])


@pytest.mark.parametrize("k_aux", [1, 3])
def test_the_papers_form_takes_all_dead_latents_through_a_relu_with_the_bias(k_aux):
    loss, dead, parameters, (inputs, residual) = revive(bias=0.5, k_aux=k_aux, paper=True)
    weight, bias, dictionary, offset = (one.detach().numpy() for one in parameters)
    expected = 0.0
    for x, r in zip(inputs.numpy(), residual.numpy(), strict=True):
        made = offset.copy()
        for latent in np.flatnonzero(dead.numpy()):
            made += max(weight[latent] @ x + bias[latent], 0) * dictionary[latent]
        expected += ((r - made) ** 2).sum() / len(inputs)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert parameters[3].grad is None


def test_the_papers_form_does_not_reach_latents_that_are_negative_everywhere():
    _, _, (weight, biases, dictionary, _), _ = revive(bias=-50.0, paper=True)
    assert all((one.grad == 0).all() for one in (weight, biases, dictionary))


def test_dead_latents_with_a_time_course_write_it_into_the_last_bin():
    bins, units, latents, n = 3, 4, 5, 7
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(latents, units, generator=generator)
    bias = torch.randn(latents, generator=generator)
    dictionary = torch.randn(latents, bins * units, generator=generator)
    inputs = torch.randn(n * bins, units, generator=generator)
    residual = torch.randn(n, units, generator=generator)
    dead = torch.tensor([False, True, False, True, True])
    loss = revival_loss(
        inputs, residual, weight, bias, dictionary, dead, 2, decoder=Convolution(bins=bins)
    )
    expected = 0.0
    for window in range(n):
        made = np.zeros(units)
        for at in range(bins):
            pre = (inputs[window * bins + at] @ weight.T + bias).numpy()
            best = sorted([1, 3, 4], key=lambda latent, pre=pre: -pre[latent])[:2]
            lag = bins - 1 - at
            for latent in best:
                made += pre[latent] * dictionary[latent].view(bins, units)[lag].numpy()
        expected += ((residual[window].numpy() - made) ** 2).sum() / n
    assert float(loss) == pytest.approx(expected, rel=1e-5)


ARCHITECTURES = {
    "linear": {},
    "convolution": {"decoder": "convolution", "window": 3},
    "window": {"encoder": "window", "window": 3},
    "window, last bin": {"encoder": "window", "window": 3, "decoded": "last"},
    "latent attention": {"encoder": "transformer", "window": 3},
    "model attention": {"encoder": "transformer", "window": 3, "attention": "model", "d_model": 8,
                        "n_heads": 2, "n_blocks": 1},
    "levels": {"levels": ("4:1", "16:2")},
    "nested": {"levels": ("4:2", "16:2"), "nesting": "nested"},
    "negative binomial": {"loss": "negative_binomial"},
    "jumprelu": {"sparsifier": "jumprelu"},
    "gated": {"sparsifier": "gated"},
    "transcoder": {"n_targets": 4, "lag": 2},
}  # fmt: skip
OF_LATENTS = ("encoder_weight", "encoder_bias", "dictionary")


def three_with_dead(options):
    """A stack of three of which the second has no dead latents."""
    stack = Stack([make_coder(seed=seed, **options) for seed in range(3)])
    y, target = windows(stack.coders[0])
    dead = torch.zeros(3, 16, dtype=torch.bool)
    dead[0, list(DEAD)] = True
    dead[2, [0, 15]] = True
    return stack, stack.forward(y, target, None), target, dead


@pytest.mark.parametrize("form", ["auxiliary", "paper"])
@pytest.mark.parametrize("options", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_only_rows_of_dead_latents_receive_a_gradient(options, form):
    stack, outcome, target, dead = three_with_dead(options | {"revival": form})
    loss = stack.revival(outcome, target, None, dead, 4)
    assert loss.shape == (3,)
    assert (loss > 0).tolist() == [True, False, True]
    loss.sum().backward()
    for name, weight in stack.weights.items():
        if name not in OF_LATENTS:
            assert weight.grad is None or not weight.grad.any(), name
            continue
        reached = weight.grad.reshape(3, 16, -1).abs().sum(dim=2) > 0
        assert not (reached & ~dead).any(), name
        # the paper's form goes through a ReLU, which some dead latents do not pass
        assert torch.equal(reached, dead) if form == "auxiliary" else reached[[0, 2]].any(), name


@pytest.mark.parametrize("form", ["auxiliary", "paper"])
@pytest.mark.parametrize("options", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_each_model_revives_its_own_dead_as_it_would_alone(options, form):
    stack, outcome, target, dead = three_with_dead(options | {"revival": form})
    together = stack.revival(outcome, target, None, dead, 2)
    y, _ = windows(stack.coders[0])
    for member, coder in enumerate(stack.coders):
        alone = Stack([coder])
        own = alone.forward(y, target, None)
        one = alone.revival(own, target, None, dead[[member]], 2)
        torch.testing.assert_close(one[0], together[member], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("k_aux", [2, 16])
@pytest.mark.parametrize("form", ["auxiliary", "paper"])
@pytest.mark.parametrize("options", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_all_models_at_once_as_on_a_gpu_have_the_same_losses_and_gradients(options, form, k_aux):
    stack, outcome, target, dead = three_with_dead(options | {"revival": form})
    expected = stack.revival(outcome, target, None, dead, k_aux)
    rows = [stack.weights[name] for name in OF_LATENTS]
    wanted = torch.autograd.grad(expected.sum(), rows)
    found = revival_losses(
        stack.architecture.encoder.own_bin(outcome.features.detach()),
        (target - outcome.predicted).detach(),
        *rows,
        dead,
        k_aux,
        decoder=stack.architecture.decoder,
        bias=stack.weights["decoder_bias"] if form == "paper" else None,
    )
    torch.testing.assert_close(found, expected)
    for one, other in zip(torch.autograd.grad(found.sum(), rows), wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_what_was_not_observed_leaves_nothing_to_explain():
    stack, outcome, target, dead = three_with_dead({})
    valid = torch.ones_like(target, dtype=torch.bool)
    valid[:, 2] = False
    other = target.clone()
    other[:, 2] = 1000.0
    one, two = (stack.revival(outcome, given, valid, dead, 2) for given in (target, other))
    assert torch.equal(one, two)
    assert not torch.equal(stack.revival(outcome, other, None, dead, 2), one)


@pytest.mark.parametrize(
    "options", [ARCHITECTURES["linear"], ARCHITECTURES["window"], ARCHITECTURES["latent attention"]]
)
def test_a_stack_revives_on_the_residual_of_what_each_latent_detects(options):
    # attention over latents encodes bin by bin: its dead look at the activation's own bin
    stack, outcome, target, dead = three_with_dead(options)
    together = stack.revival(outcome, target, None, dead, 2)
    coder = stack.coders[2]
    y, _ = windows(coder)
    centred = y - coder.pre_bias
    seen = centred[:, -1] if options.get("encoder") == "transformer" else centred.flatten(1)
    expected = revival_loss(
        seen,
        (target - outcome.predicted[2]).detach(),
        coder.encoder_weight,
        coder.encoder_bias,
        coder.dictionary,
        dead[2],
        2,
    )
    torch.testing.assert_close(together[2], expected)
