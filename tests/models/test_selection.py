"""The exact choice of the largest, whatever was guessed, and what a selection says of itself."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbsparse.models.sparse import row_kernels as row_loops
from nwbsparse.models.sparse import scan_kernels as index_loops
from nwbsparse.models.sparse.selection import (
    LargestOfBatch,
    LargestOfRow,
    Selection,
    largest_by_sorting,
)
from nwbsparse.models.sparsifiers import selected

VALUES = st.sampled_from([-1.0, 0.0, 0.5, 0.5, 1.0, 2.0, 3.0])  # many ties
GUESSES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 2.5, 3.0, 100.0])
SEARCHES = {"batch": LargestOfBatch, "row": LargestOfRow}
BOTH = pytest.mark.parametrize("of", [*SEARCHES])


@st.composite
def tables(draw):
    models, rows, columns = (draw(st.integers(1, most)) for most in (3, 6, 8))
    size = models * rows * columns
    values = draw(st.lists(VALUES, min_size=size, max_size=size))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    return torch.tensor(values, dtype=dtype).reshape(models, rows, columns)


def by_sorting(of, table, k):
    """Flat indices of what is to be kept: a full stable sort, the earlier of those that tie."""
    kept = []
    _, rows, columns = table.shape
    length, wanted = (rows * columns, k * rows) if of == "batch" else (columns, k)
    for part, values in enumerate(table.reshape(-1, length).numpy()):
        ranked = np.argsort(-values, kind="stable")[:wanted]
        kept += [part * length + at for at in ranked if values[at] > 0]
    return sorted(kept)


def searching(of, k, guess=None, models=1):
    search = SEARCHES[of](*[k] * models)
    if guess is not None:
        search.floor = torch.full((models,), guess, dtype=torch.float64)
    return search


@settings(deadline=None, max_examples=150)
@given(table=tables(), k=st.integers(1, 9), guess=st.none() | GUESSES)
def test_of_a_batch_exactly_the_largest_are_kept_and_of_ties_the_earlier(table, k, guess):
    found = searching("batch", k, guess, len(table))(table)
    assert found.index.tolist() == by_sorting("batch", table, k)
    assert found.shape == tuple(table.shape)


@settings(deadline=None, max_examples=150)
@given(table=tables(), k=st.integers(1, 9), guess=st.none() | GUESSES)
def test_of_each_row_the_largest_values_are_kept(table, k, guess):
    found = searching("row", k, guess, len(table))(table)
    assert found.index.tolist() == by_sorting("row", table, k)


@settings(deadline=None, max_examples=60)
@given(table=tables(), ks=st.lists(st.integers(1, 9), min_size=3, max_size=3), guess=GUESSES)
@BOTH
def test_every_model_of_a_stack_has_a_number_of_its_own(of, table, ks, guess):
    ks = ks[: len(table)]
    search = SEARCHES[of](*ks)
    search.floor = torch.full((len(ks),), guess, dtype=torch.float64)
    found = search(table).index.tolist()
    size = table[0].numel()
    expected = [
        at * size + index
        for at, k in enumerate(ks)
        for index in by_sorting(of, table[at : at + 1], k)
    ]
    assert found == expected


@settings(deadline=None, max_examples=60)
@given(table=tables(), k=st.integers(1, 9), guess=GUESSES)
@BOTH
def test_without_numba_the_choice_is_the_same(of, table, k, guess):
    with pytest.MonkeyPatch.context() as patch:
        for loops in (index_loops, row_loops):
            patch.setattr(loops, "compiled", lambda loop: None)
        found = searching(of, k, guess, len(table))(table)
        places = found.row.tolist(), found.column.tolist(), found.row_edges.tolist()
        grouped = [part.tolist() for part in found.columns_grouped]
    assert found.index.tolist() == by_sorting(of, table, k)
    again = Selection(found.index, found.shape)
    assert places == (again.row.tolist(), again.column.tolist(), again.row_edges.tolist())
    assert grouped == [part.tolist() for part in again.columns_grouped]


@settings(deadline=None, max_examples=100)
@given(table=tables(), k=st.integers(1, 9))
@pytest.mark.parametrize("of", [*SEARCHES])
def test_what_a_gpu_searches_without_waiting_activates_the_same_values(of, table, k):
    models, rows, columns = table.shape
    length, wanted = (rows * columns, k * rows) if of == "batch" else (columns, k)
    index = largest_by_sorting(table.reshape(-1, length), [min(wanted, length)])
    made = selected(table, Selection(index, (models, rows, columns)))
    exact = selected(table, searching(of, k, models=models)(table))
    # of ties it may keep others, and it brings along what is not positive
    for one, other in zip(made.reshape(-1, length), exact.reshape(-1, length), strict=True):
        assert torch.equal(one.sort().values, other.sort().values)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_models", [1, 3])
@BOTH
def test_a_drifting_recording_is_searched_as_exactly_as_the_first_batch(of, n_models, dtype):
    generator = torch.Generator().manual_seed(0)
    search = searching(of, 3, models=n_models)
    # louder, softer, silent, back again, shorter: every guess is wrong in another way
    for scale, shift, rows in [(1, 0, 30), (1.02, 0, 30), (50, 0, 30), (0.01, 0, 30), (1, -9, 30),
                               (1, 0, 30), (1, 2, 7), (1, -2, 30), (0.97, -2, 30)]:  # fmt: skip
        table = torch.randn(n_models, rows, 64, generator=generator, dtype=dtype) * scale + shift
        assert search(table).index.tolist() == by_sorting(of, table, 3)


@pytest.mark.parametrize("n_models", [1, 3])
@pytest.mark.parametrize("at", ["exact", "a little low", "low", "a little high", "high"])
@BOTH
def test_the_choice_does_not_hang_on_the_guess(of, at, n_models):
    table = torch.randn(n_models, 40, 64, generator=torch.Generator().manual_seed(1))
    expected = by_sorting(of, table, 4)
    edge = float(table.reshape(-1)[expected].min())
    factor = {"exact": 1, "a little low": 0.99, "low": 0.1, "a little high": 1.01, "high": 5}[at]
    assert searching(of, 4, edge * factor, n_models)(table).index.tolist() == expected


def test_models_of_a_stack_that_are_louder_do_not_spoil_the_guess_of_the_others():
    generator = torch.Generator().manual_seed(2)
    search = LargestOfBatch(3, 3, 3)
    for _ in range(3):
        table = torch.randn(3, 30, 32, generator=generator)
        table *= torch.tensor([1.0, 100.0, 0.001])[:, None, None]
        assert search(table).index.tolist() == by_sorting("batch", table, 3)


@BOTH
def test_with_fewer_positive_values_than_wanted_all_of_them_are_kept(of):
    table = torch.full((2, 3, 8), -1.0)
    table[0, 1, 2] = table[1, 2, 7] = table[1, 2, 0] = 0.5
    for guess in (None, 0.1, 0.5, 9.0):
        search = searching(of, 4, guess, 2)
        assert search(table).index.tolist() == [10, 40, 47]
        assert search(table).index.tolist() == [10, 40, 47]
    nothing = searching(of, 4, 9.0, 2)
    assert nothing(-torch.ones(2, 3, 8)).index.tolist() == []
    assert nothing(table).index.tolist() == [10, 40, 47]


@BOTH
def test_a_gradient_is_neither_needed_nor_broken(of):
    table = torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert not searching(of, 2)(table).index.requires_grad


N_ROWS, N_COLUMNS = 5, 7


def a_selection(n_models, *, n_kept=11, seed=0):
    rng = np.random.default_rng(seed)
    size = n_models * N_ROWS * N_COLUMNS
    index = np.sort(rng.choice(size, n_kept * n_models, replace=False))
    values = torch.from_numpy(rng.standard_normal(len(index)))
    return Selection(torch.from_numpy(index), (n_models, N_ROWS, N_COLUMNS)), values


def as_dense(selection, values):
    """The block-diagonal matrix (model · row, model · column), entry by entry."""
    models, rows, columns = selection.shape
    dense = np.zeros((models * rows, models * columns))
    for index, value in zip(selection.index.tolist(), values.tolist(), strict=True):
        model, row, column = np.unravel_index(index, selection.shape)
        dense[model * rows + row, model * columns + column] = value
    return dense


@pytest.mark.parametrize("n_kept", [11, 0])
@pytest.mark.parametrize("n_models", [1, 3])
def test_a_selection_is_a_block_diagonal_matrix(n_models, n_kept):
    selection, values = a_selection(n_models, n_kept=n_kept)
    dense = as_dense(selection, values)
    row, column = np.nonzero(dense)
    assert selection.row.tolist() == row.tolist()
    assert selection.column.tolist() == column.tolist()
    np.testing.assert_array_equal(selection.matrix(values).to_dense().numpy(), dense)
    np.testing.assert_array_equal(selection.transposed(values).to_dense().numpy(), dense.T)
    np.testing.assert_allclose(selection.column_sums(values).numpy(), dense.sum(axis=0))


def test_models_that_share_their_rows_have_one_block_above_the_other():
    selection, values = a_selection(3)
    shared = selection.transposed(values, shared_rows=True).to_dense().numpy()
    blocks = as_dense(selection, values).T.reshape(3 * N_COLUMNS, 3, N_ROWS).sum(axis=1)
    np.testing.assert_allclose(shared, blocks)


@pytest.mark.parametrize("n_columns", [1, 4, 7])
@pytest.mark.parametrize("n_models", [1, 3])
def test_the_first_columns_of_a_selection_are_a_narrower_one(n_models, n_columns):
    selection, values = a_selection(n_models)
    where, narrower = selection.prefix(n_columns)
    whole = as_dense(selection, values).reshape(n_models, N_ROWS, n_models, N_COLUMNS)
    expected = whole[..., :n_columns].reshape(n_models * N_ROWS, n_models * n_columns)
    assert narrower.shape == (n_models, N_ROWS, n_columns)
    np.testing.assert_array_equal(as_dense(narrower, values[where]), expected)


def test_the_same_memory_can_be_seen_as_another_table():
    selection, values = a_selection(3)
    flat = torch.zeros(3 * N_ROWS * N_COLUMNS, dtype=torch.float64)
    flat[selection.index] = values
    seen = selection.viewed(1, N_ROWS * N_COLUMNS)
    blocks = torch.block_diag(*flat.view(3, 1, -1)).numpy()
    np.testing.assert_array_equal(as_dense(seen, values), blocks)
