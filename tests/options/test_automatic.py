"""What is chosen from the counts when the options leave it open."""

import numpy as np
import pytest

from nwbsparse.errors import BadInput
from nwbsparse.options.automatic import resolve
from nwbsparse.options.config import Config


def chosen(options, *, n_units=20, active=20, firing=None, n_train=5000, **more):
    """Options settled for counts of which so many units are active in every bin."""
    counts = np.zeros((100, n_units), np.uint8)
    counts[:, :active] = 1
    counts[0, : n_units if firing is None else firing] = 1
    return resolve(Config(**options), counts, n_train=n_train, bin_width=0.05, **more)


@pytest.mark.parametrize(
    ("firing", "n_latents"), [(1, 64), (16, 64), (17, 96), (24, 96), (25, 128), (2000, 4096)]
)
def test_four_latents_per_unit_that_fires_in_steps_of_32(firing, n_latents):
    found = chosen({}, n_units=max(firing, 30), active=1, firing=firing)
    assert found.n_latents == n_latents


@pytest.mark.parametrize(("active", "k"), [(0, 4), (3, 4), (6, 6), (20, 10)])
def test_as_many_latents_are_active_as_units_are_but_at_most_an_eighth(active, k):
    assert chosen({"n_latents": 80}, active=active, firing=20).k == k


def test_few_latents_still_have_one_that_is_active():
    assert [chosen({"n_latents": n}).k for n in (1, 3, 8, 16, 40)] == [1, 1, 1, 2, 5]


@pytest.mark.parametrize(
    ("n_train", "batch", "epochs"), [(1024, 1024, 3000), (10_240, 1024, 300), (800, 100, 375),
                                     (5, 1, 600)]
)  # fmt: skip
def test_batches_and_epochs_give_three_thousand_updates(n_train, batch, epochs):
    found = chosen({"choose": "none"}, n_train=n_train)
    assert (found.batch_size, found.max_epochs) == (batch, epochs)


@pytest.mark.parametrize(("n_train", "batch"), [(10_240, 512), (1024, 512), (800, 400), (5, 2)])
def test_batches_of_what_is_chosen_are_at_most_half_of_the_bins(n_train, batch):
    assert chosen({}, n_train=n_train).batch_size == batch


def test_what_cannot_be_had_is_refused():
    with pytest.raises(BadInput, match="batch 64 > 63 training bins; use a smaller --batch-size"):
        chosen({"batch_size": 64}, n_train=63)
    with pytest.raises(BadInput, match="k is 100 but there are only 96 latents"):
        chosen({"k": 100}, firing=20)


def test_expansion_counts_the_units_that_are_encoded_and_holds_k_within():
    assert chosen({"expansion": 3}).n_latents == 60
    small = resolve(
        Config(expansion=2, k=32), np.ones((9, 20)), n_train=64, bin_width=0.05, n_units=8
    )
    assert (small.n_latents, small.k, small.expansion) == (16, 16, None)


@pytest.mark.parametrize(
    ("options", "window", "decoded"),
    [
        ({}, 1, "last"),
        ({"encoder": "window"}, 10, "all"),
        ({"encoder": "transformer", "window": 4}, 4, "all"),
        ({"encoder": "window", "decoded": "last"}, 10, "last"),
        ({"decoder": "convolution"}, 10, "last"),
    ],
)
def test_the_window_is_ten_bins_where_several_are_seen(options, window, decoded):
    found = chosen(options)
    assert (found.window, found.decoded) == (window, decoded)


@pytest.mark.parametrize(
    ("options", "weight", "bandwidth"),
    [
        ({}, None, None),
        ({"sparsifier": "topk"}, None, None),
        ({"sparsifier": "l1"}, 0.1, None),
        ({"sparsifier": "l1", "penalty": "exponential"}, 0.1, 1e-3),
        ({"sparsifier": "jumprelu"}, 0.1, 0.05),
        ({"sparsifier": "gated", "penalty_weight": 0.0}, 0.0, None),
        ({"sparsifier": "jumprelu", "bandwidth": 0.5}, 0.1, 0.5),
    ],
)
def test_penalties_have_a_weight_and_kernels_a_width(options, weight, bandwidth):
    found = chosen(options)
    assert (found.penalty_weight, found.bandwidth) == (weight, bandwidth)


@pytest.mark.parametrize(
    "options", [{}, {"levels": ("8:1", "32:4")}, {"loss": "poisson"}, {"sparsifier": "jumprelu"},
                {"encoder": "transformer"}, {"decoder": "convolution"}, {"expansion": 4}]
)  # fmt: skip
def test_what_is_settled_is_not_chosen_again(options):
    once = chosen(options)
    again = resolve(once, np.ones((7, 3)), n_train=5000, bin_width=0.05)
    assert again == once
    for field in ("n_latents", "k", "window", "decoded", "batch_size", "max_epochs", "k_aux"):
        assert getattr(once, field) is not None, field
    assert (once.normalisation, once.output) == once.scaling
