"""Products with a sparse code against dense autograd: values and every gradient."""

import pytest
import torch

from nwbsparse.models.sparse.products import gather_pre_activation, sparse_decode
from nwbsparse.models.sparse.selection import LargestOfBatch, Selection

ROWS, LATENTS, FEATURES, VALUES = 9, 12, 5, 4


def at(table, selection):
    return table.reshape(-1)[selection.index]


STACKS = pytest.mark.parametrize(
    ("n_models", "shared"), [(1, True), (3, True), (3, False)], ids=["one", "shared", "own"]
)
KEPT = pytest.mark.parametrize("kept", ["some", "none", "all", "one row"])


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


def linear_map(n_models, *, shared):
    features = draw(1 if shared else n_models, ROWS, FEATURES, seed=1)
    return features, draw(n_models, LATENTS, FEATURES, seed=2), draw(n_models, LATENTS, seed=3)


def choose(table, kept):
    mask = {
        "none": torch.zeros_like(table, dtype=torch.bool),
        "all": torch.ones_like(table, dtype=torch.bool),
        "one row": torch.arange(ROWS)[None, :, None].expand_as(table) == 4,
    }
    if kept == "some":
        return LargestOfBatch(*[2] * len(table))(table)
    return Selection(mask[kept].reshape(-1).nonzero().squeeze(1), tuple(table.shape))


def assert_same_gradients(ours, dense, inputs):
    """Of a sum with random factors, so that no two entries can stand in for each other."""
    factors = torch.rand(ours.shape, generator=torch.Generator().manual_seed(7)).double()
    torch.testing.assert_close(ours, dense, rtol=1e-10, atol=1e-12)
    found = torch.autograd.grad((ours * factors).sum(), inputs)
    expected = torch.autograd.grad((dense * factors).sum(), inputs)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@KEPT
@STACKS
def test_gathered_pre_activations_are_those_of_the_dense_map(n_models, shared, kept):
    features, weight, bias = linear_map(n_models, shared=shared)
    dense = features @ weight.transpose(1, 2) + bias[:, None]
    computed = dense.detach()
    selection = choose(computed, kept)
    ours = gather_pre_activation(features, weight, bias, at(computed, selection), selection)
    assert_same_gradients(ours, dense.reshape(-1)[selection.index], (features, weight, bias))


@STACKS
def test_features_without_gradient_cost_no_gradient(n_models, shared):
    features, weight, bias = linear_map(n_models, shared=shared)
    features = features.detach()
    dense = features @ weight.transpose(1, 2) + bias[:, None]
    selection = choose(dense.detach(), "some")
    ours = gather_pre_activation(features, weight, bias, at(dense.detach(), selection), selection)
    assert_same_gradients(ours, dense.reshape(-1)[selection.index], (weight, bias))


@pytest.mark.parametrize("width", [1, 8, LATENTS])
@STACKS
def test_the_first_latents_of_wider_weights_receive_all_of_the_gradient(n_models, shared, width):
    # a Matryoshka level: a part of the weights, which is not contiguous in a stack
    features, weight, bias = linear_map(n_models, shared=shared)
    narrow = features @ weight[:, :width].transpose(1, 2) + bias[:, None, :width]
    computed = narrow.detach().contiguous()
    selection = choose(computed, "some")
    ours = gather_pre_activation(
        features, weight[:, :width], bias[:, :width], at(computed, selection), selection
    )
    assert_same_gradients(ours, narrow.reshape(-1)[selection.index], (features, weight, bias))


@KEPT
@pytest.mark.parametrize("n_models", [1, 3])
def test_a_sparse_code_decodes_as_the_dense_one_does(n_models, kept):
    table = draw(n_models, ROWS, LATENTS)
    selection = choose(table, kept)
    values = table.detach().reshape(-1)[selection.index].requires_grad_()
    rows = draw(n_models, LATENTS, VALUES, seed=4)
    code = torch.zeros(n_models * ROWS * LATENTS, dtype=torch.float64)
    code = code.index_put((selection.index,), values).view(n_models, ROWS, LATENTS)
    assert_same_gradients(sparse_decode(values, rows, selection), code @ rows, (values, rows))


@pytest.mark.parametrize("n_models", [1, 3])
def test_rows_that_do_not_lie_contiguous_decode_all_the_same(n_models):
    # a time course is a transposed view of the dictionary, a level its first rows
    dictionary = draw(n_models, VALUES, 2 * LATENTS, seed=4)
    rows = dictionary.transpose(1, 2)[:, :LATENTS]
    table = draw(n_models, ROWS, LATENTS)
    selection = choose(table, "some")
    values = table.detach().reshape(-1)[selection.index].requires_grad_()
    code = torch.zeros(n_models * ROWS * LATENTS, dtype=torch.float64)
    code = code.index_put((selection.index,), values).view(n_models, ROWS, LATENTS)
    ours = sparse_decode(values, rows, selection)
    assert_same_gradients(ours, code @ rows, (values, dictionary))


@STACKS
def test_gradients_agree_with_finite_differences(n_models, shared):
    features, weight, bias = linear_map(n_models, shared=shared)
    rows = draw(n_models, LATENTS, VALUES, seed=4)
    with torch.no_grad():
        selection = choose(features @ weight.transpose(1, 2) + bias[:, None], "some")

    def coder(features, weight, bias, rows):
        with torch.no_grad():
            computed = features @ weight.transpose(1, 2) + bias[:, None]
        values = gather_pre_activation(features, weight, bias, at(computed, selection), selection)
        return sparse_decode(values, rows, selection)

    assert torch.autograd.gradcheck(coder, (features, weight, bias, rows))


def test_a_gradient_that_is_a_broadcast_view_is_taken():
    # sum() hands back an expanded gradient without memory of its own
    table = draw(3, ROWS, LATENTS)
    selection = choose(table, "some")
    values = table.detach().reshape(-1)[selection.index].requires_grad_()
    rows = draw(3, LATENTS, VALUES, seed=4)
    sparse_decode(values, rows, selection).sum().backward()
    sums = rows.detach().sum(dim=2).reshape(-1)[selection.column.long()]
    torch.testing.assert_close(values.grad, sums)
