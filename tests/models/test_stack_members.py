"""What a stack does to its members between updates: drop some, keep rows at unit length."""

import pytest
import torch

from make.coders import make_coder, windows
from nwbsparse.models.stack import Stack

SHAPES = {
    "one level": {},
    "levels": {"levels": ("4:1", "16:2")},
    "penalised": {"sparsifier": "jumprelu", "bandwidth": 0.5},
    "by row": {"sparsifier": "topk"},
}


def stack_of(n, options):
    weights = {}
    if options.get("sparsifier") == "jumprelu":
        weights = {"penalty_weight": 0.1}
    coders = [
        make_coder(seed=seed, **options | {key: w * (seed + 1) for key, w in weights.items()})
        for seed in range(n)
    ]
    return Stack(coders)


@pytest.mark.parametrize("members", [[0, 2], [1], [3, 0]])
@pytest.mark.parametrize("options", SHAPES.values(), ids=SHAPES)
def test_members_that_stay_compute_on_as_if_nobody_had_left(options, members):
    stack = stack_of(4, options)
    y, target = windows(stack.coders[0])
    before = stack.forward(y, target, None)  # leaves a guess behind in each selector
    coders = [stack.coders[member] for member in members]
    stack.keep(members)
    assert len(stack) == len(members)
    assert stack.coders == coders
    after = stack.forward(y, target, None)
    torch.testing.assert_close(after.loss, before.loss[members], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(after.predicted, before.predicted[members], rtol=1e-12, atol=1e-12)
    assert torch.equal(after.active, before.active[members])
    after.loss.sum().backward()
    assert all(weight.grad is not None for weight in stack.weights.values())


def test_members_can_leave_one_after_the_other():
    stack = stack_of(4, {"levels": ("4:1", "16:2")})
    y, target = windows(stack.coders[0])
    before = stack.forward(y, target, None)
    for members in ([0, 1, 3], [1, 2], [1]):
        stack.keep(members)
        stack.forward(y, target, None)
    after = stack.forward(y, target, None)
    torch.testing.assert_close(after.loss, before.loss[[3]], rtol=1e-12, atol=1e-12)


def test_a_snapshot_is_a_copy_of_one_model():
    stack = stack_of(3, {})
    taken = stack.snapshot(1)
    coder = make_coder(seed=1)
    assert set(taken) == {name for name, _ in coder.named_parameters()}
    with torch.no_grad():
        for weight in stack.weights.values():
            weight.zero_()
    for name, parameter in coder.named_parameters():
        assert torch.equal(taken[name], parameter)


def test_a_stack_leaves_the_weights_of_its_coders_alone():
    coder = make_coder()
    before = coder.id
    stack = Stack([coder])
    with torch.no_grad():
        stack.weights["dictionary"].zero_()
    assert coder.id == before


def test_rows_are_given_unit_length_of_every_model():
    stack = stack_of(3, {})
    rows = stack.weights["dictionary"]
    direction = rows.detach().clone()
    with torch.no_grad():
        rows.mul_(torch.rand(rows.shape[:2]).double()[..., None] + 0.5)
    stack.renormalise()
    torch.testing.assert_close(rows.detach(), direction)


def test_a_row_of_zeros_stays_what_it_is():
    stack = stack_of(2, {})
    with torch.no_grad():
        stack.weights["dictionary"][1, 3] = 0.0
    stack.renormalise()
    assert (stack.weights["dictionary"][1, 3] == 0).all()
    assert torch.isfinite(stack.weights["dictionary"]).all()


def test_a_small_step_without_the_parallel_part_hardly_changes_the_length_of_rows():
    stack = stack_of(3, {})
    rows = stack.weights["dictionary"]
    y, target = windows(stack.coders[0])
    stack.forward(y, target, None).loss.sum().backward()
    whole = rows.grad.clone()
    along = (whole * rows).sum(dim=2)
    assert along.abs().max() > 1e-2
    stack.drop_parallel_gradient()
    assert (rows.grad * rows).sum(dim=2).abs().max() < 1e-12
    torch.testing.assert_close(rows.grad + along[..., None] * rows, whole)
    longer = (rows - 1e-4 * rows.grad).norm(dim=2) - 1
    assert longer.abs().max() < 1e-6


def test_free_rows_keep_their_length_and_their_whole_gradient():
    stack = stack_of(2, {"rows": "free"})
    rows = stack.weights["dictionary"]
    with torch.no_grad():
        rows.mul_(3.0)
    before = rows.detach().clone()
    y, target = windows(stack.coders[0])
    stack.forward(y, target, None).loss.sum().backward()
    gradient = rows.grad.clone()
    stack.drop_parallel_gradient()
    stack.renormalise()
    assert torch.equal(rows.grad, gradient)
    assert torch.equal(rows.detach(), before)
