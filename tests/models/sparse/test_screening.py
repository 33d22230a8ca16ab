"""Half the precision decides nothing: the same entries and values as a product in full."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from make.configs import plain_config
from make.sessions import make_binned
from nwbsparse.models.sparse import screening
from nwbsparse.models.sparse.pre_activations import Computed
from nwbsparse.models.sparse.screening import Memory, Screened
from nwbsparse.models.sparse.selection import LargestOfBatch, LargestOfRow
from nwbsparse.training.fit import fit

pytest.importorskip("numba")
ROWS, LATENTS, INPUTS = 12, 40, 30


def a_map(seed, *, models=1, shared=True, scale=1.0, heavy=False, bias=0.1):
    """Features, weight and bias of a linear map, all far from round numbers."""
    rng = np.random.default_rng(seed)
    draw = rng.standard_t(2, (1 if shared else models, ROWS, INPUTS)) if heavy else None
    features = rng.normal(size=(1 if shared else models, ROWS, INPUTS)) if draw is None else draw
    weight = scale * rng.normal(size=(models, LATENTS, INPUTS)) * rng.gamma(1, size=(1, LATENTS, 1))
    made = features, weight, bias * rng.normal(size=(models, LATENTS))
    return tuple(torch.from_numpy(one.astype(np.float32)) for one in made)


def in_full(features, weight, bias):
    """The same map in double precision."""
    return features.double() @ weight.double().transpose(1, 2) + bias.double()[:, None]


def assert_same_choice(index, value, table, chosen):
    """The entries that are to be chosen, but for those that rounding to float32 may move."""
    flat = table.reshape(-1)
    largest = float(flat.abs().max())
    assert (np.diff(index.numpy()) > 0).all()
    np.testing.assert_allclose(
        value.numpy(), flat[index.long()].numpy(), rtol=1e-4, atol=1e-6 * largest
    )
    assert set(index.tolist()) == chosen


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**31),
    quantile=st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]),
    scale=st.sampled_from([1e-30, 1e-3, 1.0, 300.0]),
    heavy=st.booleans(),
    bias=st.sampled_from([0.0, 0.1, 20.0]),
)
def test_everything_above_a_value_is_found_and_nothing_else(seed, quantile, scale, heavy, bias):
    given_map = a_map(seed, scale=scale, heavy=heavy, bias=bias)
    table = in_full(*given_map)[0]
    floor = float(table.clamp_min(0).quantile(quantile))
    ranked = table.reshape(-1).sort().values
    after = ranked[torch.searchsorted(ranked, floor * (1 + 1e-6)) :]
    floor = (floor + float(after[0])) / 2 if len(after) else 1.001 * floor  # between two values
    index, value = Screened(*given_map).above(0, floor)
    expected = (table.reshape(-1) > floor).nonzero().squeeze(1).tolist()
    assert_same_choice(index, value, table, set(expected))


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**31),
    k=st.integers(1, 12),
    guess=st.sampled_from([0.0, 0.1, 1.0, 3.0, 1e4]),
    scale=st.sampled_from([1e-3, 1.0, 300.0]),
    heavy=st.booleans(),
    shared=st.booleans(),
)
def test_of_each_row_the_largest_are_found_whatever_was_guessed(
    seed, k, guess, scale, heavy, shared
):
    given_map = a_map(seed, models=2, shared=shared, scale=scale, heavy=heavy)
    table = in_full(*given_map)
    screened = Screened(*given_map)
    index, value, edges = screened.largest_of_rows([k, k], [guess * scale] * 2)
    rows = table.reshape(-1, LATENTS).numpy()
    expected = {
        row * LATENTS + column
        for row, values in enumerate(rows)
        for column in np.argsort(-values)[:k]
        if values[column] > 0
    }
    assert_same_choice(index, value, table, expected)
    kept = np.where(np.sort(rows)[:, -k] > 0, np.sort(rows)[:, -k], 0)
    size = torch.linalg.vector_norm(given_map[0].double(), dim=2)
    unit = torch.maximum(size, size.mean(dim=1, keepdim=True) / 2).expand(2, -1).flatten()
    np.testing.assert_allclose(edges * unit.numpy(), kept, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize("scale", [1.0, 2.0**-100])  # squares of the smaller one are no numbers
@pytest.mark.parametrize("side", ["features", "weight", "both"])
def test_rounding_that_always_goes_one_way_hides_nothing(side, scale):
    # each factor lies just below the middle between two bfloat16 numbers: the worst case
    worst = 1 + 2.0**-8 - 2.0**-20
    ones, low = torch.ones(1, 3, 509), torch.full((1, 3, 509), worst)
    features = ones if side == "weight" else low
    weight = (ones if side == "features" else low)[:, :2]
    weight = torch.cat([weight, 0.99 * torch.ones(1, 1, 509)], dim=1)
    bias = torch.zeros(1, 3)
    exact = in_full(features, weight, bias)[0]
    assert float(exact[0, 0]) - 509 > 1.9
    floor = scale * (float(exact[0, 0]) - 0.01)
    index, _ = Screened(features, scale * weight, bias).above(0, floor)
    assert index.tolist() == [0, 1, 3, 4, 6, 7]


@pytest.mark.parametrize("seed", range(5))
def test_what_looks_negative_and_is_not_is_found(seed):
    # a bias takes away nearly all of a large product: of what is left, rounding hides the sign
    features, weight, _ = (one.abs() + 0.5 for one in a_map(seed))
    bias = -(features @ weight.transpose(1, 2)).mean(dim=1)
    table = in_full(features, weight, bias)[0]
    screened = Screened(features, weight, bias)
    positive = table > 1e-4
    assert (positive & (screened.rough[0] < 0)).any()
    index, _ = screened.above(0, 0.0)
    clear = (table.abs() > 1e-4).reshape(-1)
    assert {at for at in index.tolist() if clear[at]} == set(
        positive.reshape(-1).nonzero().squeeze(1).tolist()
    )


def test_a_floor_that_cannot_be_lowered_is_given_up():
    features, weight = torch.zeros(1, 1, INPUTS), -torch.ones(1, LATENTS, INPUTS)
    features[0, 0, 0] = 1.0
    weight[0, 5, 0] = 2.0
    smallest = float(np.nextafter(np.float32(0), np.float32(1)))
    index, value, edges = Screened(features, weight, torch.zeros(1, LATENTS)).largest_of_rows(
        [3], [smallest]
    )
    assert (index.tolist(), value.tolist(), edges.tolist()) == ([5], [2.0], [0.0])


def test_a_table_of_more_entries_than_32_bits_count_has_wide_indices(monkeypatch):
    monkeypatch.setattr(screening.np, "empty", lambda n, kind: np.zeros(0, kind))
    assert Memory().entries(2**31 - 1)[0].dtype == np.int32
    assert Memory().entries(2**31)[0].dtype == np.int64


SEEN = {"nothing": 0.0, "something": 1.0, "too much": torch.inf}


@pytest.mark.parametrize("first", SEEN)
@pytest.mark.parametrize("bias", [0.1, 100.0])
@pytest.mark.parametrize("screened", [True, False], ids=["screened", "in full"])
@pytest.mark.parametrize("search", [LargestOfBatch, LargestOfRow])
def test_a_choice_does_not_depend_on_the_batch_before(search, screened, bias, first):
    # bins without a spike, as they are where nothing is subtracted, or bins beyond all numbers
    features, weight, bias = a_map(0, bias=bias)
    silent = features.clone()
    silent[:, ::2] = 0

    def seen(features):
        if screened:
            return Screened(features, weight, bias)
        return Computed(features @ weight.transpose(1, 2) + bias[:, None])

    before = features * SEEN[first] if SEEN[first] < torch.inf else features.clone()
    if first == "too much":
        before[:, :, 0] = torch.inf
    for batch in (features, silent):
        one, fresh = search(3), search(3)
        one(seen(before))
        assert one(seen(batch)).index.tolist() == fresh(seen(batch)).index.tolist()
        assert len(fresh(seen(batch)).index) == 3 * ROWS


@pytest.mark.parametrize("search", [LargestOfBatch, LargestOfRow])
def test_a_choice_is_that_of_the_full_table(search):
    ours, full, memory = search(3), search(3), Memory()
    for seed in range(8):  # the guess of one batch is used in the next
        given_map = a_map(seed, scale=1 + seed % 3)
        mine = ours(Screened(*given_map, memory))
        theirs = full(Computed(in_full(*given_map).float()))
        assert mine.index.tolist() == theirs.index.tolist()
        assert mine.shape == theirs.shape
        torch.testing.assert_close(mine.value, theirs.value)


def test_the_first_latents_alone():
    given_map = a_map(0)
    narrow = in_full(*given_map)[0, :, :13]
    index, _ = Screened(*given_map).narrowed(13).above(0, 1.0)
    assert index.tolist() == (narrow.reshape(-1) > 1).nonzero().squeeze(1).tolist()


def test_weights_that_are_not_numbers_choose_nothing():
    features, weight, bias = a_map(0)
    weight[0, 3] = torch.nan
    index, _ = Screened(features, weight, bias).above(0, 0.5)
    assert 3 not in {at % LATENTS for at in index.tolist()}


@pytest.mark.parametrize("sparsifier", ["batch_topk", "topk"])
def test_training_is_the_same_with_and_without(sparsifier, monkeypatch):
    data = make_binned(np.random.default_rng(0).poisson(0.7, (2000, 70)).astype(np.uint8))
    config = plain_config(sparsifier=sparsifier, n_latents=320, k=5, batch_size=256, max_epochs=1)
    made = {}
    for screened in (True, False):
        asked = []

        def answer(*_, screened=screened, asked=asked):
            asked.append(screened)
            return screened

        monkeypatch.setattr("nwbsparse.models.forward.worth_while", answer)
        made[screened] = fit(data, config)
        assert asked
    ours, full = made[True], made[False]
    # sums in another order: Adam makes some of a rounded gradient, and edges flip now and then
    for name, weight in ours.state_dict().items():
        if name != "threshold":
            assert float((weight - full.state_dict()[name]).abs().median()) < 1e-6, name
    last = [coder.record.history[-1]["validation_loss"] for coder in (ours, full)]
    assert last[0] == pytest.approx(last[1], rel=1e-3)


def test_small_or_dense_models_are_computed_in_full(monkeypatch):
    monkeypatch.setattr(screening, "_is_fast", lambda: True)
    large = torch.zeros(1, 2048, 200)
    assert screening.worth_while(large, 32)
    assert not screening.worth_while(large, 256)
    assert not screening.worth_while(large.double(), 32)
    assert not screening.worth_while(torch.zeros(1, 2048, 8), 32)
    monkeypatch.setattr(screening, "_is_fast", lambda: False)
    assert not screening.worth_while(large, 32)
