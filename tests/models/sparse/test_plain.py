"""The two compiled passes of a plain coder against dense autograd."""

import numpy as np
import pytest
import torch

from make.coders import make_coder, windows
from nwbsparse.models.sparse import plain
from nwbsparse.models.sparse.selection import LargestOfBatch
from nwbsparse.models.stack import Stack

pytest.importorskip("numba")
ROWS, LATENTS, INPUTS, VALUES = 11, 14, 6, 9


def weights(n_models, shared, dtype, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = {
        "features": (1 if shared else n_models, ROWS, INPUTS),
        "weight": (n_models, LATENTS, INPUTS),
        "bias": (n_models, LATENTS),
        "dictionary": (n_models, LATENTS, VALUES),
        "decoder_bias": (n_models, VALUES),
        "target": (ROWS, VALUES),
    }
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        for name, shape in shapes.items()
    }


LEARNED = ("weight", "bias", "dictionary", "decoder_bias")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("n_models", "shared"), [(1, True), (3, True), (3, False)], ids=["one", "shared", "own"]
)
@pytest.mark.parametrize("k", [0, 2, LATENTS])
def test_loss_reconstruction_and_every_gradient(n_models, shared, k, dtype):
    given = weights(n_models, shared, dtype)
    for name in LEARNED:
        given[name].requires_grad_()
    pi = given["features"] @ given["weight"].transpose(1, 2) + given["bias"][:, None]
    table = pi.detach() if k else -pi.detach().abs()
    selection = LargestOfBatch(*[max(k, 1)] * n_models)(table)
    assert (len(selection.index) == 0) == (k == 0)
    kept = torch.zeros(pi.numel(), dtype=torch.bool)
    kept[selection.index.long()] = True
    code = torch.where(kept.view(pi.shape), pi, 0.0)
    made = code @ given["dictionary"] + given["decoder_bias"][:, None]
    expected = ((given["target"] - made) ** 2).sum(dim=2).mean(dim=1)
    upstream = torch.arange(1.0, n_models + 1, dtype=dtype)
    wanted = torch.autograd.grad((expected * upstream).sum(), [given[name] for name in LEARNED])
    loss, predicted = plain.plain_loss(**given, selection=selection)
    found = torch.autograd.grad((loss * upstream).sum(), [given[name] for name in LEARNED])
    close = (
        {"rtol": 1e-4, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-10, "atol": 1e-10}
    )
    torch.testing.assert_close(loss, expected, **close)
    torch.testing.assert_close(predicted, made, **close)
    assert not predicted.requires_grad
    for name, one, other in zip(LEARNED, found, wanted, strict=True):
        torch.testing.assert_close(one, other, msg=name, **close)


def test_the_same_numbers_every_time():
    given = weights(2, True, torch.float32)
    pi = given["features"] @ given["weight"].transpose(1, 2)
    selection = LargestOfBatch(3, 3)(pi)
    both = [plain.plain_loss(**given, selection=selection) for _ in range(2)]
    for one, other in zip(*both, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("n_models", [1, 3])
def test_where_only_some_values_are_asked_for(n_models):
    given = weights(n_models, True, torch.float64)
    for name in LEARNED:
        given[name].requires_grad_()
    valid = torch.rand(ROWS, VALUES, generator=torch.Generator().manual_seed(1)) < 0.3
    valid[2], valid[3] = False, True
    pi = given["features"] @ given["weight"].transpose(1, 2) + given["bias"][:, None]
    selection = LargestOfBatch(*[3] * n_models)(pi.detach())
    kept = torch.zeros(pi.numel(), dtype=torch.bool)
    kept[selection.index.long()] = True
    made = torch.where(kept.view(pi.shape), pi, 0.0) @ given["dictionary"]
    made = made + given["decoder_bias"][:, None]
    expected = torch.where(valid, given["target"] - made, 0.0).square().sum(dim=2).mean(dim=1)
    upstream = torch.arange(1.0, n_models + 1, dtype=torch.float64)
    wanted = torch.autograd.grad((expected * upstream).sum(), [given[name] for name in LEARNED])
    loss, predicted = plain.plain_loss(**given, selection=selection, valid=valid)
    found = torch.autograd.grad((loss * upstream).sum(), [given[name] for name in LEARNED])
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(predicted, made, rtol=1e-12, atol=1e-12)
    for name, one, other in zip(LEARNED, found, wanted, strict=True):
        torch.testing.assert_close(one, other, msg=name, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_to_ask_for_every_value_changes_no_bit(dtype):
    given = weights(2, True, dtype)
    for name in LEARNED:
        given[name].requires_grad_()
    pi = given["features"] @ given["weight"].transpose(1, 2) + given["bias"][:, None]
    selection = LargestOfBatch(3, 3)(pi.detach())
    both = []
    for valid in (None, torch.ones(ROWS, VALUES, dtype=torch.bool)):
        loss, predicted = plain.plain_loss(**given, selection=selection, valid=valid)
        both.append(
            [loss, predicted, *torch.autograd.grad(loss.sum(), [given[name] for name in LEARNED])]
        )
    for one, other in zip(*both, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("hidden", [False, True])
def test_the_compiled_passes_are_the_general_path(hidden):
    options = {"n_units": 12, "n_latents": 48, "k": 3, "normalisation": "scaled"}
    coders = [make_coder(seed=seed, **options) for seed in range(2)]
    y, target = windows(coders[0], 64)
    valid = torch.rand(target.shape, generator=torch.Generator().manual_seed(0)) < 0.25
    given = (y, target, valid if hidden else None)
    outcomes = []
    for compiled in (True, False):
        stack = Stack(coders)
        assert stack.passes.sparse
        assert stack.passes.plain
        stack.passes.plain = compiled
        outcome = stack.forward(*given, weight=4.0 if hidden else 1.0)
        outcome.loss.sum().backward()
        outcomes.append((outcome, {name: one.grad for name, one in stack.weights.items()}))
    (one, grads), (other, wanted) = outcomes
    torch.testing.assert_close(one.loss, other.loss, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(one.predicted, other.predicted, rtol=1e-12, atol=1e-12)
    for name, grad in grads.items():
        torch.testing.assert_close(grad, wanted[name], msg=name, rtol=1e-10, atol=1e-12)
