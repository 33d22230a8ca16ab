"""Levels are prefixes of one dictionary: each a coder of its own, or one selection cut short."""

from dataclasses import replace

import pytest
import torch

from make.coders import make_coder, windows
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.losses import reconstruction_loss
from nwbsparse.models.stack import Stack

SIZES = [4, 8, 16]
INDEPENDENT = {"levels": ("4:1", "8:1", "16:2")}
NESTED = {"levels": ("4:2", "8:2", "16:2"), "nesting": "nested"}
TERMS = {
    "sum": ({}, [1.0, 1.0, 1.0]),
    "mean": ({"level_terms": "mean"}, [1 / 3, 1 / 3, 1 / 3]),
    "weighted sum": ({"level_terms": "sum"}, [0.5, 2.0, 1.0]),
    "weighted mean": ({"level_terms": "mean"}, [0.5 / 3.5, 2 / 3.5, 1 / 3.5]),
}
"""How levels make one loss, and what that multiplies each of them by."""
RULES = {
    "batch_topk": {},
    "topk": {"sparsifier": "topk"},
    # without what is paid for activity, once for all levels
    "l1": {"sparsifier": "l1", "penalty_weight": 0.0},
    "jumprelu": {"sparsifier": "jumprelu", "penalty_weight": 0.0, "bandwidth": 0.5},
}
SHAPES = {
    "linear": {},
    "window": {"encoder": "window", "window": 3},
    "convolution": {"decoder": "convolution", "window": 3},
    "negative binomial": {"loss": "negative_binomial"},
}


def levels_of(options, terms):
    """Options with the levels' terms, and weights of 1/2, 2 and 1 where the name says so."""
    weighted = zip(options["levels"], (":0.5", ":2", ""), strict=True)
    levels = tuple(a + b for a, b in weighted) if "weighted" in terms else options["levels"]
    return options | TERMS[terms][0] | {"levels": levels}


def only_the_prefix(coder, level):
    """A coder of one level that has the first latents and nothing else."""
    size, k = coder.levels[level]
    config = replace(coder.config, levels=(), n_latents=size, k=k, k_aux=1)
    alone = SparseCoder(replace(coder.record, config=config))
    state = {
        name: tensor[:size] if len(tensor) == 16 and name != "threshold" else tensor
        for name, tensor in coder.state_dict().items()
    }
    state["threshold"] = coder.threshold[[level]]
    alone.load_state_dict(state)
    return alone.eval()


def gradients(stack):
    return {name: weight.grad[0] for name, weight in stack.weights.items()}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("terms", TERMS)
def test_independent_levels_are_coders_that_share_their_first_latents(terms, rule, shape):
    factors = TERMS[terms][1]
    coder = make_coder(**levels_of(INDEPENDENT, terms), **rule, **shape)
    y, target = windows(coder)
    whole = Stack([coder])
    outcome = whole.forward(y, target, None)
    outcome.loss.sum().backward()
    total = {name: torch.zeros_like(weight[0]) for name, weight in whole.weights.items()}
    losses = []
    for level, size in enumerate(SIZES):
        stack = Stack([only_the_prefix(coder, level)])
        alone = stack.forward(y, target, None)
        alone.loss.sum().backward()
        losses.append(alone.loss.detach()[0])
        for name, gradient in gradients(stack).items():
            part = total[name][:size] if len(total[name]) == 16 else total[name]
            part += factors[level] * gradient
    torch.testing.assert_close(outcome.predicted, alone.predicted, rtol=1e-12, atol=1e-12)
    expected = sum(factor * loss for factor, loss in zip(factors, losses, strict=True))
    torch.testing.assert_close(outcome.loss[0], expected, rtol=1e-12, atol=1e-12)
    for name, gradient in gradients(whole).items():
        torch.testing.assert_close(gradient, total[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["batch_topk", "topk", "l1", "jumprelu", "gated"])
@pytest.mark.parametrize("shape", [SHAPES["linear"], SHAPES["window"]])
def test_an_independent_level_activates_and_decodes_as_its_prefix_alone(kind, shape):
    coder = make_coder(**INDEPENDENT, **shape, sparsifier=kind)
    y, _ = windows(coder)
    with torch.no_grad():
        pre = coder.pre_activation(y)
        for level, size in enumerate(SIZES):
            alone = only_the_prefix(coder, level)
            activation = coder.activate(pre, level=level)
            assert activation.shape == (len(y), size)
            expected = alone.activate(alone.pre_activation(y))
            torch.testing.assert_close(activation, expected, rtol=1e-12, atol=1e-12)
            assert activation.any()
            torch.testing.assert_close(coder.decode(activation), alone.decode(expected))
        assert torch.equal(coder.activate(pre), coder.activate(pre, level=2))


@pytest.mark.parametrize("kind", ["batch_topk", "topk", "l1", "jumprelu", "gated"])
def test_nested_levels_are_one_selection_cut_short(kind):
    coder = make_coder(**NESTED, sparsifier=kind)
    y, _ = windows(coder)
    with torch.no_grad():
        coder.threshold[:2] = 100.0  # of no consequence: one θ for all
        pre = coder.pre_activation(y)
        largest = coder.activate(pre, level=2)
        for level, size in enumerate(SIZES):
            assert torch.equal(coder.activate(pre, level=level), largest[:, :size])
    # a prefix of the selection, not a selection of the prefix
    if kind == "topk":
        assert (coder.activate(pre, level=0) > 0).sum(dim=1).min() < 2
        assert ((largest > 0).sum(dim=1) <= 2).all()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kind", ["topk", "batch_topk"])
@pytest.mark.parametrize("terms", TERMS)
def test_the_nested_loss_is_of_prefixes_of_one_selection(terms, kind, shape):
    coder = make_coder(**levels_of(NESTED, terms), **shape, sparsifier=kind)
    y, target = windows(coder)
    stack = Stack([coder])
    outcome = stack.forward(y, target, None)
    one_level = only_the_prefix(coder, 2)
    rows = y.reshape(-1, 1, 6) if "decoder" in shape else y
    with torch.no_grad():
        pre = one_level.pre_activation(rows)
        select = one_level.architecture.sparsifier.selector(2)
        kept = torch.zeros(pre.numel(), dtype=torch.bool)
        kept[select(pre[None]).index.long()] = True
        activation = torch.where(kept.view(pre.shape), pre, 0.0)
        more = ()
        if "loss" in shape:
            more = (coder.get_parameter("log_dispersion").exp(),)
        losses = [
            reconstruction_loss(
                coder.config.loss, coder.decode(activation[:, :size]), target, None, *more
            )
            for size in SIZES
        ]
    expected = sum(f * loss for f, loss in zip(TERMS[terms][1], losses, strict=True))
    torch.testing.assert_close(outcome.loss[0].detach(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("weight", ["", ":0.25", ":3"])
@pytest.mark.parametrize("way", ["plain", "sparse", "dense"])
def test_the_weight_of_an_only_level_counts_on_every_way(way, weight):
    """The compiled passes, the sparse products and the dense ones, against autograd by hand."""
    if way == "plain":
        pytest.importorskip("numba")
    coder = make_coder(levels=(f"16:2{weight}",))
    y, target = windows(coder)
    stack = Stack([coder])
    assert stack.passes.sparse and stack.passes.plain
    stack.passes.sparse, stack.passes.plain = way != "dense", way == "plain"
    outcome = stack.forward(y, target, None)
    outcome.loss.sum().backward()
    select = coder.architecture.sparsifier.selector(2)
    pi = (y[:, 0] - coder.pre_bias) @ coder.encoder_weight.T + coder.encoder_bias
    kept = torch.zeros(pi.numel(), dtype=torch.bool)
    kept[select(pi.detach()[None]).index.long()] = True
    made = torch.where(kept.view(pi.shape), pi, 0.0) @ coder.dictionary + coder.decoder_bias
    loss = float(weight[1:] or 1) * ((target - made) ** 2).sum(dim=1).mean()
    loss.backward()
    torch.testing.assert_close(outcome.loss[0], loss, rtol=1e-12, atol=1e-12)
    for name, gradient in gradients(stack).items():
        expected = coder.get_parameter(name).grad
        torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-12)


def test_what_is_summed_is_no_part_of_what_a_coder_is():
    """Ids of stored coders stay: weights of levels change neither activations nor reconstructions."""
    ids = {make_coder(**levels_of(INDEPENDENT, terms)).id for terms in TERMS}
    assert len(ids) == 1


def test_a_level_decodes_with_the_first_rows_and_zeros_elsewhere_change_nothing():
    coder = make_coder(**INDEPENDENT)
    small = torch.rand(9, 4, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        expected = small @ coder.dictionary[:4] + coder.decoder_bias
        torch.testing.assert_close(coder.decode(small), expected)
        padded = torch.cat([small, torch.zeros(9, 12).double()], dim=1)
        torch.testing.assert_close(coder.decode(padded), expected)


def test_every_latent_belongs_to_the_smallest_level_that_holds_it():
    assert make_coder(**INDEPENDENT).level_of_latent == [0] * 4 + [1] * 4 + [2] * 8
    assert make_coder().level_of_latent == [0] * 16
    assert make_coder(**INDEPENDENT).levels == [(4, 1), (8, 1), (16, 2)]
