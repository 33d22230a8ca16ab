"""Which latents are active: the exact top k·B in training, a fixed threshold afterwards."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbsparse.models.sparsifiers import ThresholdSearch, batch_topk, threshold_activation

VALUES = st.sampled_from([-1.0, 0.0, 0.5, 0.5, 1.0, 2.0, 3.0])  # many ties


@st.composite
def batches(draw):
    n, d = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    values = draw(st.lists(VALUES, min_size=n * d, max_size=n * d))
    return torch.tensor(values).reshape(n, d)


def random_batch(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=200)
@given(pre=batches(), k=st.integers(1, 9))
def test_batch_topk_agrees_with_a_full_sort(pre, k):
    activation, kept = batch_topk(pre, k)
    wanted = min(k * len(pre), int((pre > 0).sum()))
    assert int(kept.sum()) == wanted
    # with ties several choices are right: the values kept are the same in all of them
    expected = torch.sort(pre.flatten(), descending=True).values[:wanted]
    assert torch.equal(torch.sort(pre[kept], descending=True).values, expected)
    assert torch.equal(activation, torch.where(kept, pre, torch.zeros(())))


def test_batch_topk_shares_k_over_the_batch_not_per_bin():
    pre = torch.tensor([[5.0, 4.0, 3.0, 2.0], [1.0, 0.5, 0.2, 0.1]])
    _, kept = batch_topk(pre, 2)
    assert kept.tolist() == [[True] * 4, [False] * 4]


def test_gradients_flow_through_kept_entries_only():
    pre = random_batch(6, 10).requires_grad_()
    activation, kept = batch_topk(pre, 2)
    activation.sum().backward()
    assert torch.equal(pre.grad, kept.float())


def search(pieces, k):
    found = ThresholdSearch(k, n_bins=sum(len(piece) for piece in pieces))
    for piece in pieces:
        found.add(piece)
    return found.threshold()


def l0(pre, threshold):
    return float((threshold_activation(pre, threshold) > 0).float().sum(dim=1).mean())


@pytest.mark.parametrize("k", [1, 3, 10])
def test_the_threshold_is_the_exact_quantile(k):
    pre = random_batch(500, 64)
    threshold = search([pre], k)
    assert threshold.dtype == torch.float32
    assert float(threshold) == np.sort(pre.numpy().ravel())[::-1][k * 500 - 1]
    assert l0(pre, threshold) == k


@pytest.mark.parametrize("size", [1, 7, 64, 499, 500])
def test_the_threshold_does_not_depend_on_the_pieces(size):
    pre = random_batch(500, 64)
    assert torch.equal(search(pre.split(size), 4), search([pre], 4))


@pytest.mark.parametrize("size", [10, 50, 250])
def test_a_recording_that_changes_along_the_way_gets_the_same_threshold_in_pieces(size):
    # running, then sleep: almost everything that is active is so in the first tenth
    pre = random_batch(500, 64)
    pre[:50] += 3.0
    pre[50:] -= 3.0
    whole = search([pre], 4)
    assert l0(pre, whole) == 4
    assert torch.equal(search(pre.split(size), 4), whole)
    backwards = pre.flip(0)
    assert torch.equal(search(backwards.split(size), 4), whole)


@settings(deadline=None, max_examples=100)
@given(
    levels=st.lists(st.sampled_from([-4.0, -1.0, 0.0, 2.0, 5.0]), min_size=2, max_size=8),
    k=st.integers(1, 6),
    seed=st.integers(0, 100),
)
def test_l0_is_within_two_percent_of_k_on_its_data(levels, k, seed):
    pieces = [random_batch(100, 32, seed + i) + level for i, level in enumerate(levels)]
    pre = torch.cat(pieces)
    threshold = search(pieces, k)
    possible = float((pre > 0).float().sum(dim=1).mean())
    assert l0(pre, threshold) == pytest.approx(min(k, possible), rel=0.02)


def test_with_fewer_positive_values_than_wanted_all_of_them_stay():
    pre = torch.tensor([[1.0, -1.0, 0.25], [-2.0, 0.5, 0.0]])
    assert l0(pre, search([pre], 2)) == 1.5
    assert l0(-torch.ones(4, 3), search([-torch.ones(4, 3)], 2)) == 0
    assert float(ThresholdSearch(2, n_bins=0).threshold()) == 0.0


def test_ties_at_the_edge_go_all_in_or_all_out_whichever_is_nearer():
    out = torch.tensor([[9.0, 1.0, 1.0, 1.0, 1.0]])  # k = 2: 5 with, 1 without
    assert l0(out, search([out], 2)) == 1
    into = torch.tensor([[9.0, 8.0, 7.0, 1.0, 1.0]])  # k = 4: 5 with, 3 without
    assert l0(into, search([into], 4)) in (3, 5)
    near = torch.tensor([[9.0, 1.0, 1.0, 1.0, 0.5]])  # k = 3: 4 with, 1 without
    assert l0(near, search([near], 3)) == 4
    alone = torch.ones(3, 4)  # all or nothing: not nothing
    assert l0(alone, search([alone], 1)) == 4


def test_inference_treats_every_bin_by_itself():
    pre = random_batch(200, 32)
    threshold = search([pre], 3)
    together = threshold_activation(pre, threshold)
    order = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    assert torch.equal(threshold_activation(pre[order], threshold), together[order])
    alone = torch.cat([threshold_activation(row[None], threshold) for row in pre])
    assert torch.equal(alone, together)


def test_a_threshold_below_zero_lets_nothing_negative_through():
    pre = torch.tensor([[-0.5, 0.0, 0.5]])
    assert threshold_activation(pre, torch.tensor(-1.0)).tolist() == [[0.0, 0.0, 0.5]]
    assert threshold_activation(pre, torch.tensor(0.5)).tolist() == [[0.0, 0.0, 0.5]]
