"""What several coders have in common, planted in coders whose every weight is given."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from make.coders import make_coder
from make.sessions import make_binned
from nwbsparse.training.bins import windows_of
from nwbsparse.training.consensus import activations, consensus, found_again

N_UNITS = 12
AXES = np.eye(N_UNITS)


@pytest.fixture(scope="module")
def data():
    return make_binned(np.random.default_rng(0).poisson(1.0, (1000, N_UNITS)).astype(np.uint8))


def coder_of(data, rows, strength, *, seed=0, **options):
    """A coder with these rows, the latents active all the time with these strengths (0: never)."""
    given = {"n_latents": len(rows), "k": 1, "sparsifier": "l1", "normalisation": "zscore"}
    if "levels" in options:
        given = {"sparsifier": "l1", "normalisation": "zscore"}
    coder = make_coder(seed=seed, n_units=N_UNITS, **given | options)
    ids = tuple(data["unit_id"].values.tolist())
    coder.record = replace(coder.record, unit_ids=ids)
    strength = torch.as_tensor(np.asarray(strength, float))
    with torch.no_grad():
        coder.dictionary.copy_(torch.as_tensor(np.asarray(rows)))
        coder.encoder_weight.zero_()
        coder.encoder_bias.copy_(torch.where(strength > 0, strength, -1.0))
    return coder


def found_in(data, coders):
    return consensus(coders, windows_of(coders[0].record, data))


def tilted(axis, cosine, *, towards):
    """A row of this cosine with an axis."""
    return cosine * AXES[axis] + np.sqrt(1 - cosine**2) * AXES[towards]


def test_rows_of_forty_percent_of_the_seeds_are_kept_most_active_first(data):
    # axis 0 in all five, 1 in two, 2 in one; each seed has the rows in an order of its own
    plan = [[0, 1], [1, 0], [0, 2], [3, 0], [0, 4]]
    strength = {0: 1.0, 1: 3.0, 2: 9.0, 3: 9.0, 4: 9.0}
    coders = [coder_of(data, AXES[some], [strength[one] for one in some]) for some in plan]
    found = found_in(data, coders)
    np.testing.assert_allclose(found.rows, AXES[[1, 0]], atol=1e-12)
    np.testing.assert_allclose(found.recurrence, [0.4, 1.0])
    assert found.level.tolist() == [0, 0]


def test_ten_seeds_need_four(data):
    for n, kept in ((3, [0]), (4, [1, 0])):
        coders = [coder_of(data, AXES[[0, 1 if seed < n else 2 + seed % 8]], [1.0, 2.0 + seed / 50])
                  for seed in range(10)]  # fmt: skip
        found = found_in(data, coders)
        assert found.rows.argmax(axis=1).tolist() == kept
        np.testing.assert_allclose(found.recurrence[-1], 1.0)


def test_rows_are_one_above_a_cosine_of_point_eight(data):
    for cosine, n in ((0.82, 1), (0.78, 2)):
        coders = [
            coder_of(data, [AXES[0]], [1.0]),
            coder_of(data, [tilted(0, cosine, towards=1)], [2]),
        ]
        found = found_in(data, coders)
        assert len(found.rows) == n
        np.testing.assert_allclose(found.recurrence, [1.0] if n == 1 else [0.5, 0.5])
        np.testing.assert_allclose(np.linalg.norm(found.rows, axis=1), 1.0)
    mean = AXES[0] + tilted(0, 0.82, towards=1)
    coders = [coder_of(data, [AXES[0]], [1.0]), coder_of(data, [tilted(0, 0.82, towards=1)], [2])]
    np.testing.assert_allclose(found_in(data, coders).rows[0], mean / np.linalg.norm(mean))


def test_linkage_is_by_the_average(data):
    """A third row near one of two but far from the other, in the mean, stays alone."""
    near = np.deg2rad([0, 30, 62])
    rows = [np.cos(a) * AXES[0] + np.sin(a) * AXES[1] for a in near]
    found = found_in(data, [coder_of(data, [row], [1.0]) for row in rows])
    # cos 30° and cos 32° are more than .8, cos 62° is less, their mean (.66) too
    assert len(found.rows) == 1
    np.testing.assert_allclose(found.recurrence, [2 / 3])


def test_several_rows_of_one_seed_have_one_voice(data):
    rows = [AXES[0], tilted(0, 0.95, towards=1), tilted(0, 0.95, towards=2)]
    coders = [coder_of(data, rows, [5.0, 5.0, 5.0])]
    coders += [coder_of(data, AXES[[3 + n, 7, 7]], [1.0, 1.0, 1.0], seed=n) for n in range(3)]
    found = found_in(data, coders)
    assert found.rows.argmax(axis=1).tolist() == [7]
    np.testing.assert_allclose(found.recurrence, [0.75])


def test_rows_that_are_never_active_have_no_voice(data):
    coders = [coder_of(data, AXES[[0, 1]], [1.0, 0.0], seed=n) for n in range(3)]
    found = found_in(data, coders)
    np.testing.assert_allclose(found.rows, AXES[[0]])


def test_rows_without_length_have_no_voice(data):
    """A row that the projection made all zero points nowhere, however active its latent is."""
    coders = [coder_of(data, [AXES[0], 0 * AXES[1]], [1.0, 2.0], seed=n) for n in range(3)]
    found = found_in(data, coders)
    np.testing.assert_allclose(found.rows, AXES[[0]])
    np.testing.assert_allclose(found.recurrence, [1.0])


def test_where_nothing_comes_back_one_row_is_left(data):
    coders = [coder_of(data, AXES[[2 * n, 2 * n + 1]], [1.0 + n, 0.5], seed=n) for n in range(3)]
    found = found_in(data, coders)
    np.testing.assert_allclose(found.rows, AXES[[4]])
    np.testing.assert_allclose(found.recurrence, [1 / 3])


def test_where_nobody_is_active_there_is_still_a_row(data):
    coders = [coder_of(data, AXES[[0, 1]], [0.0, 0.0], seed=n) for n in range(4)]
    found = found_in(data, coders)
    assert found.rows.shape == (1, N_UNITS)
    assert found.level.tolist() == [0]


def test_levels_are_clustered_by_themselves_smaller_first(data):
    levels = ("2:1", "4:2")
    coders = [
        coder_of(data, AXES[[0, 1 + n, 5, 6]], [1.0, 1.0, 9.0, 8.0], seed=n, levels=levels)
        for n in range(3)
    ]
    found = found_in(data, coders)
    np.testing.assert_allclose(found.rows, AXES[[0, 5, 6]], atol=1e-12)
    assert found.level.tolist() == [0, 1, 1]
    # one row in the small level of one and in the large of another: not the same
    apart = [
        coder_of(data, AXES[some], [1.0, 1.0, 1.0, 1.0], levels=levels)
        for some in ([0, 1, 2, 3], [2, 1, 0, 3], [4, 1, 5, 3])
    ]
    found = found_in(data, apart)
    assert found.rows.argmax(axis=1).tolist() == [1, 3]
    assert found.level.tolist() == [0, 1]


def test_the_order_of_seeds_settles_nothing_but_the_order_of_sums(data):
    rng = np.random.default_rng(0)
    rows = np.abs(rng.standard_normal((4, N_UNITS)))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    noisy = [np.abs(rows + 0.02 * rng.standard_normal(rows.shape)) for _ in range(5)]
    coders = [coder_of(data, one / np.linalg.norm(one, axis=1, keepdims=True), [4, 3, 2, 1])
              for one in noisy]  # fmt: skip
    one, other = found_in(data, coders), found_in(data, coders[::-1])
    np.testing.assert_allclose(one.rows, other.rows, rtol=1e-10)
    again = found_in(data, coders)
    np.testing.assert_array_equal(one.rows, again.rows)


def reading(data, rows, read, **options):
    """A coder whose latents read one unit each."""
    coder = coder_of(data, rows, np.ones(len(rows)), **options)
    with torch.no_grad():
        coder.encoder_weight.copy_(torch.as_tensor(AXES[read]))
        coder.encoder_bias.zero_()
    return coder


def again(data, one, other):
    windows = windows_of(one.record, data)
    return found_again(one, other, windows, windows.validation).tolist()


def test_found_again_is_rows_and_activations_alike(data):
    coder = reading(data, AXES[[0, 1, 2]], [0, 1, 2])
    assert again(data, coder, coder) == [True] * 3
    shuffled = reading(data, AXES[[2, 0, 1]], [2, 0, 1])
    assert again(data, coder, shuffled) == [True] * 3
    reads_others = reading(data, AXES[[0, 1, 2]], [0, 5, 2])
    assert again(data, coder, reads_others) == [True, False, True]
    writes_others = reading(data, AXES[[0, 6, 2]], [0, 1, 2])
    assert again(data, coder, writes_others) == [True, False, True]


@pytest.mark.parametrize(("cosine", "is_found"), [(0.82, True), (0.78, False)])
def test_found_again_from_a_cosine_of_point_eight(data, cosine, is_found):
    coder = reading(data, AXES[[0]], [0])
    other = reading(data, [tilted(0, cosine, towards=1)], [0])
    assert again(data, coder, other) == [is_found]


def test_found_again_one_to_one(data):
    twice = reading(data, [AXES[0], tilted(0, 0.97, towards=3)], [0, 0])
    once = reading(data, [AXES[0], AXES[5]], [0, 5])
    assert again(data, twice, once) == [True, False]
    assert again(data, once, twice) == [True, False]


def test_found_again_in_coders_of_other_sizes(data):
    large = reading(data, AXES[[3, 0, 1]], [3, 0, 1])
    small = reading(data, AXES[[1]], [1])
    assert again(data, large, small) == [False, False, True]
    assert again(data, small, large) == [True]


def test_a_latent_that_is_silent_on_held_out_bins_is_not_found_again(data):
    coder = reading(data, AXES[[0, 1]], [0, 1])
    with torch.no_grad():
        coder.encoder_bias[1] = -1e6
    assert again(data, coder, coder) == [True, False]


def test_activations_are_those_of_the_bins_themselves(data):
    coder = reading(data, AXES[[0, 1]], [0, 1])
    windows = windows_of(coder.record, data)
    counts = torch.from_numpy(data["counts"].values[windows.validation.numpy()])
    np.testing.assert_allclose(
        activations(coder, windows, windows.validation), coder(counts).numpy(), rtol=1e-12
    )
