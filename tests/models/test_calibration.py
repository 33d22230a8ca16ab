"""The threshold of batch top-k: mean L0 is k on the training bins, however they come."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from make.coders import make_coder
from nwbsparse.models.calibration import ThresholdSearch
from nwbsparse.models.sparsifiers import above_threshold


def random_batch(n, d, seed=0, dtype=torch.float32):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def search(pieces, k, **guess):
    found = ThresholdSearch(k, n_bins=sum(len(piece) for piece in pieces), **guess)
    for piece in pieces:
        found.add(piece)
    return None if found.missed else found.threshold()


def l0(pre, threshold):
    return float((above_threshold(pre[None], threshold.view(1)) > 0).double().sum(dim=2).mean())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k", [1, 3, 10])
def test_the_threshold_lies_between_the_last_kept_and_the_first_dropped(k, dtype):
    pre = random_batch(500, 64, dtype=dtype)
    threshold = search([pre], k)
    assert threshold.dtype == torch.float32
    ranked = np.sort(pre.numpy().ravel())[::-1]
    assert ranked[k * 500 - 1] > float(threshold) > ranked[k * 500]
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
    assert torch.equal(search(pre.flip(0).split(size), 4), whole)


@settings(deadline=None, max_examples=60)
@given(
    levels=st.lists(st.sampled_from([-4.0, -1.0, 0.0, 2.0, 5.0]), min_size=2, max_size=8),
    k=st.integers(1, 6),
    seed=st.integers(0, 100),
)
def test_l0_is_within_two_percent_of_k_on_its_data(levels, k, seed):
    pieces = [random_batch(100, 32, seed + i) + level for i, level in enumerate(levels)]
    pre = torch.cat(pieces)
    possible = float((pre > 0).float().sum(dim=1).mean())
    assert l0(pre, search(pieces, k)) == pytest.approx(min(k, possible), rel=0.02)


TIED = st.lists(st.sampled_from([-1.0, 0.25, 0.5, 0.5, 1.0, 2.0]), min_size=40, max_size=200)


@settings(deadline=None, max_examples=100)
@given(values=TIED, k=st.integers(1, 4), size=st.integers(1, 20), factor=st.floats(0.01, 10))
def test_no_threshold_comes_nearer_to_k_among_ties_but_for_none_at_all(values, k, size, factor):
    # factor: in float64 most values are no float32, and θ is one
    pre = factor * torch.tensor(values[: len(values) // 4 * 4], dtype=torch.float64).view(-1, 4)
    threshold = search(pre.split(size), k)
    edges = pre[pre > 0].unique()
    reachable = [float((pre >= edge).double().sum()) / len(pre) for edge in edges] or [0.0]
    best = min(abs(one - k) for one in reachable)
    assert abs(l0(pre, threshold) - k) == pytest.approx(best)


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


@pytest.mark.parametrize("size", [1, 10, 50, 100])
def test_ties_count_as_a_whole_even_when_most_of_them_were_forgotten(size):
    # 150 large values and 1,050 tied ones, 200 wanted: without them 1.5 per bin, with them 12
    pre = torch.ones(100, 12)
    pre[:75, :2] = 9.0
    assert l0(pre, search(pre.split(size), 2)) == 1.5
    assert l0(pre, search(pre.flip(0).split(size), 2)) == 1.5


@pytest.mark.parametrize("k", [2, 4, 8])
def test_equal_bins_stay_together_in_batches_of_every_size(k):
    # sparse counts repeat; the matrix product rounds a bin differently in a batch of another size
    coder = make_coder(n_units=20, n_latents=64, k=k, precision="float32")
    counts = torch.from_numpy(np.random.default_rng(0).poisson(0.02, (8192, 20)))
    with torch.no_grad():
        pre = coder.pre_activation(coder.normalise(counts))
        coder.threshold.fill_(search(pre.split(3000), k))
    whole = coder(counts) > 0
    assert float(whole.double().sum(dim=1).mean()) == pytest.approx(k, rel=0.02)
    kinds, kind = counts.unique(dim=0, return_inverse=True)
    assert len(kinds) < 300
    for size in (1, 3, 64):
        parts = torch.cat([coder(part) for part in kinds.split(size)])
        assert torch.equal(parts[kind] > 0, whole)


@settings(deadline=None, max_examples=500)
@given(
    values=TIED,
    k=st.integers(1, 4),
    size=st.integers(1, 20),
    floor=st.floats(0, 2),
    width=st.floats(0, 2),
)
def test_a_guess_changes_nothing_or_is_called_wrong(values, k, size, floor, width):
    pre = torch.tensor(values[: len(values) // 4 * 4]).view(-1, 4)
    exact = search([pre], k)
    guessed = search(pre.split(size), k, between=(floor, floor + width))
    assert guessed is None or torch.equal(guessed, exact)


def test_a_good_guess_is_enough():
    pre = random_batch(500, 64)
    exact = search([pre], 4)
    edge = float(exact)
    assert torch.equal(search(pre.split(50), 4, between=(0.9 * edge, 1.1 * edge)), exact)
    for wrong in ((1.05 * edge, 1.2 * edge), (0.5 * edge, 0.9 * edge)):
        assert search(pre.split(50), 4, between=wrong) is None
