"""ReLU and its cost in one pass: the very bits of torch's passes one after the other."""

import pytest
import torch

from make.coders import make_coder
from nwbsparse.models import sparsifiers
from nwbsparse.models.sparse import rectified as passes
from nwbsparse.models.sparsifiers import L1, PerModel

SHAPE = (3, 130, 17)
ODD = (0.0, -0.0, float("inf"), float("-inf"), 1e-30, -1e-30)


def table(dtype, seed=0, *, odd=False):
    made = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    made[1] *= 1e-3
    made[2, :, 5:] = -made[2, :, 5:].abs()
    if odd:
        made[0, 3, : len(ODD)] = torch.tensor(ODD, dtype=dtype)
    return made


def own(dtype):
    return PerModel(
        torch.tensor([0.1, 3.0, 0.0], dtype=dtype), torch.tensor([1e-3, 0.02, 0.09], dtype=dtype)
    )


def both_ways(rule, dtype, **options):
    """Activation, cost and gradient, in one pass and one after the other."""
    found = []
    for fast in (True, False):
        pi = table(dtype, **options).requires_grad_()
        numbers = own(dtype)
        if fast:
            activation, cost = rule.trained_and_paid(pi, {}, numbers)
        else:
            activation = rule.train(pi, {}, numbers, None)
            cost = rule.penalty(pi, activation, {}, numbers)
        upstream = table(dtype, seed=1)
        (
            (activation.nan_to_num(0, 0, 0) * upstream).sum() + cost.nan_to_num(0, 0, 0).sum()
        ).backward()
        found.append((activation.detach(), cost.detach(), pi.grad))
    return found


def bits(tensor):
    return tensor.contiguous().view(torch.int32 if tensor.dtype == torch.float32 else torch.int64)


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["l1", "exponential"])
def test_the_bits_are_those_of_torch(kind, dtype, odd):
    fast, slow = both_ways(L1(kind), dtype, odd=odd)
    assert torch.equal(bits(fast[0] + 0), bits(slow[0] + 0)), "of zeros the sign is nothing"
    for one, other in zip(fast[1:], slow[1:], strict=True):
        assert torch.equal(bits(one), bits(other))
    assert float(fast[2].abs().max()) > 0


@pytest.mark.parametrize("kind", ["l1", "exponential"])
def test_what_is_not_a_number_stays_so(kind):
    """A training that diverges must be seen to."""
    pi = table(torch.float32)
    pi[0, 0, 0] = float("nan")
    activation, cost = L1(kind).trained_and_paid(pi, {}, own(torch.float32))
    assert activation.isnan().sum() == 1 and activation[0, 0, 0].isnan()
    assert cost.isnan().tolist() == [True, False, False]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_latents_that_were_ever_active(dtype):
    made = table(torch.float32).to(dtype).relu()
    made[0, :, 2] = 0
    made[0, 129, 2] = 1  # in the last row alone
    made[1, :, 3] = 0
    found = passes.ever_active(made)
    assert torch.equal(found, (made > 0).any(dim=1))
    assert found[0, 2] and not found[1, 3] and not found[2, 5:].any()
    assert torch.equal(found, passes.ever_active(made.transpose(1, 2).contiguous().transpose(1, 2)))


def test_without_compiled_passes_torch_makes_them(monkeypatch):
    monkeypatch.setattr(passes, "compiled", lambda loop: None)
    pi = table(torch.float32)
    assert L1().trained_and_paid(pi, {}, own(torch.float32)) is None
    assert torch.equal(passes.ever_active(pi.relu()), (pi > 0).any(dim=1))


def test_wide_saturation_and_short_numbers_go_the_other_way():
    wide = PerModel(torch.ones(3), torch.tensor([1e-3, 0.02, 2 * sparsifiers.NARROW]))
    assert L1("exponential").trained_and_paid(table(torch.float32), {}, wide) is None
    assert L1().trained_and_paid(table(torch.float32).bfloat16(), {}, wide) is None


def test_a_rule_made_of_it_keeps_what_it_does_otherwise():
    class Squared(L1):
        def penalty(self, pi, activation, weights, own):
            return own.penalty_weight * activation.square().sum(dim=2).mean(dim=1)

    assert Squared().trained_and_paid(table(torch.float32), {}, own(torch.float32)) is None
    assert type(make_coder(sparsifier="l1").architecture.sparsifier) is L1
