"""The contract of every architecture: a stack is its coders side by side, however it computes."""

import itertools

import pytest
import torch

from make.coders import make_coder, settled, windows
from nwbsparse.errors import BadInput
from nwbsparse.models.stack import Stack

ENCODERS = {
    "linear": {"encoder": "linear"},
    "window": {"encoder": "window"},
    "latent attention": {"encoder": "transformer", "attention": "latent"},
    "model attention": {"encoder": "transformer", "attention": "model", "d_model": 8, "n_heads": 2,
                        "n_blocks": 1},
}  # fmt: skip
SPARSIFIERS = {kind: {"sparsifier": kind} for kind in ("batch_topk", "topk", "l1", "gated")}
SPARSIFIERS |= {
    # wide enough a kernel that some pre-activations lie in it
    "jumprelu": {"sparsifier": "jumprelu", "bandwidth": 0.5},
    "exponential": {"sparsifier": "l1", "penalty": "exponential", "bandwidth": 0.3},
}
DECODERS = {
    "all": {"decoded": "all"},
    "last": {"decoded": "last"},
    "convolution": {"decoder": "convolution"},
}
LEVELS = {
    "one": {},
    "independent": {"levels": ("4:1", "8:1", "16:2")},
    "nested": {"levels": ("4:2", "8:2", "16:2"), "nesting": "nested"},
}
LOSSES = {
    "mse": {},
    "msle": {"loss": "msle"},
    "poisson": {"loss": "poisson", "output": "exp"},
    "negative_binomial": {"loss": "negative_binomial"},
}
PARTS = [ENCODERS, SPARSIFIERS, DECODERS, LEVELS, LOSSES]


def combinations():
    """Every encoder, sparsifier, decoder and level; the losses in turn, each met by each of them."""
    legal, illegal = [], []
    names = itertools.product(ENCODERS, SPARSIFIERS, DECODERS, LEVELS)
    for at, parts in enumerate(names):
        losses = list(LOSSES)
        words = (*parts, losses[(at + at // 4) % 4])
        options = {}
        for part, word in zip(PARTS, words, strict=True):
            options |= part[word]
        if "decoder" in options or options["encoder"] != "linear":
            options["window"] = 3
        try:
            settled(**options)
        except BadInput as refused:
            illegal.append(pytest.param(options, str(refused), id="-".join(words)))
        else:
            legal.append(pytest.param(options, id="-".join(words)))
    return legal, illegal


LEGAL, ILLEGAL = combinations()
EVERY = pytest.mark.parametrize("options", LEGAL)


def three(options):
    """Coders of three seeds with penalties of their own."""
    kept = options["sparsifier"] in ("batch_topk", "topk")
    weights = [{}] * 3 if kept else [{"penalty_weight": w} for w in (0.01, 0.1, 0.4)]
    return [make_coder(seed=seed, **options | more) for seed, more in enumerate(weights)]


def observed(target, *, share=0.9):
    draw = torch.rand(target.shape, generator=torch.Generator().manual_seed(5))
    return draw < share


def run(stack, y, target, valid, *, member=None):
    """Outcome and gradients of one batch; without memory of a batch before."""
    for weight in stack.weights.values():
        weight.grad = None
    outcome = stack.forward(y, target, valid, selectors=stack.new_selectors(), member=member)
    outcome.loss.sum().backward()
    return outcome, {name: weight.grad.clone() for name, weight in stack.weights.items()}


def assert_near(one, other, tolerance):
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def test_the_contract_covers_every_part_in_both_verdicts():
    assert len(LEGAL) + len(ILLEGAL) == 4 * 6 * 3 * 3
    assert {str(param.id).split("-")[4] for param in LEGAL} == set(LOSSES)
    for at, part in enumerate(PARTS[:4]):
        assert {str(param.id).split("-")[at] for param in LEGAL} == set(part)


@pytest.mark.parametrize(("options", "message"), ILLEGAL)
def test_what_is_illegal_is_refused_with_what_is_legal(options, message):
    if options.get("decoder") == "convolution":
        assert "decoder=convolution needs encoder=linear" in message
    else:
        assert options["encoder"] == "linear"
        assert "decoded=all needs encoder=window or encoder=transformer" in message


@EVERY
def test_each_member_of_a_stack_gets_what_it_would_get_alone(options):
    coders = three(options)
    stack = Stack(coders)
    y, target = windows(coders[0])
    valid = observed(target)
    together, gradients = run(stack, y, target, valid)
    for member, coder in enumerate(coders):
        alone, own = run(Stack([coder]), y, target, valid)
        assert_near(together.loss[member], alone.loss[0], 1e-12)
        assert_near(together.predicted[member], alone.predicted[0], 1e-12)
        assert torch.equal(together.active[member], alone.active[0])
        for name, gradient in own.items():
            assert_near(gradients[name][member], gradient[0], 1e-11)
    assert len(set(together.loss.tolist())) == 3
    assert together.active.any() and together.n_active.all()
    one, _ = run(stack, y, target, valid, member=1)
    assert_near(one.loss[0], together.loss[1], 1e-12)


@EVERY
def test_every_weight_learns(options):
    stack = Stack(three(options))
    y, target = windows(stack.coders[0])
    _, gradients = run(stack, y, target, None)
    for name, gradient in gradients.items():
        assert torch.isfinite(gradient).all(), name
        assert (gradient.flatten(1).abs().sum(dim=1) > 0).all(), name


@pytest.mark.parametrize("rule", SPARSIFIERS.values(), ids=SPARSIFIERS)
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_value_that_was_not_observed_could_be_anything(loss, rule):
    stack = Stack(three(rule | loss))
    y, target = windows(stack.coders[0])
    valid = observed(target, share=0.7)
    first, gradients = run(stack, y, target, valid)
    other, others = run(stack, y, torch.where(valid, target, 77.0), valid)
    assert torch.equal(other.loss, first.loss)
    assert all(torch.equal(others[name], gradient) for name, gradient in gradients.items())
    whole, _ = run(stack, y, target, None)
    assert not torch.allclose(whole.loss, first.loss)


SPARSE = [param for param in LEGAL if param.values[0]["sparsifier"] in ("batch_topk", "topk")]


@pytest.mark.parametrize("seen", ["all", "some"])
@pytest.mark.parametrize("options", SPARSE)
def test_the_sparse_path_computes_what_the_dense_one_does(options, seen):
    stack = Stack(three(options))
    assert stack.passes.sparse == (options.get("attention") != "latent")
    if not stack.passes.sparse:
        return
    y, target = windows(stack.coders[0])
    valid = observed(target) if seen == "some" else None
    quick, quickly = run(stack, y, target, valid)
    stack.passes.sparse = False
    dense, densely = run(stack, y, target, valid)
    assert_near(quick.loss, dense.loss, 1e-10)
    assert_near(quick.predicted, dense.predicted, 1e-10)
    assert torch.equal(quick.active, dense.active)
    assert quick.n_active.tolist() == dense.n_active.tolist()
    for name, gradient in densely.items():
        assert_near(quickly[name], gradient, 1e-10)


BY_ROW = [
    param
    for param in LEGAL
    if param.values[0]["sparsifier"] != "batch_topk" and "decoder" not in param.values[0]
]


@pytest.mark.parametrize("options", BY_ROW)
def test_a_coder_reconstructs_as_its_stack_did_where_the_rules_agree(options):
    coder = make_coder(**options)
    y, target = windows(coder)
    outcome, _ = run(Stack([coder]), y, target, None)
    with torch.no_grad():
        activation = coder.activate(coder.pre_activation(y))
        assert_near(coder.decode(activation), outcome.predicted[0], 1e-10)
        assert torch.equal((activation > 0).any(dim=0), outcome.active[0])


@pytest.mark.parametrize("levels", [*LEVELS])
def test_batch_topk_in_inference_keeps_what_training_kept_at_the_threshold_between(levels):
    coder = make_coder(**LEVELS[levels])
    y, target = windows(coder)
    with torch.no_grad():
        pi = coder.pre_activation(y)
        ranked = pi.flatten().sort(descending=True).values
        coder.threshold.fill_(float(ranked[2 * len(y) - 1] + ranked[2 * len(y)]) / 2)
        activation = coder.activate(pi)
    outcome, _ = run(Stack([coder]), y, target, None)
    assert int((activation > 0).sum()) == int(outcome.n_active) == 2 * len(y)
    assert_near(coder.decode(activation), outcome.predicted[0], 1e-10)


def test_a_batch_of_zeros_selects_nothing_and_still_learns_its_bias():
    stack = Stack([make_coder(seed=seed) for seed in range(2)])
    with torch.no_grad():
        stack.weights["encoder_bias"].fill_(-100.0)
    y, target = windows(stack.coders[0])
    outcome, gradients = run(stack, y, target, None)
    assert outcome.n_active.tolist() == [0, 0] and not outcome.active.any()
    assert (gradients["dictionary"] == 0).all() and (gradients["encoder_weight"] == 0).all()
    assert (gradients["decoder_bias"] != 0).all()


def test_a_latent_counts_as_active_in_its_own_model_only():
    stack = Stack([make_coder(seed=seed) for seed in range(3)])
    with torch.no_grad():
        stack.weights["encoder_bias"].fill_(-100.0)
        stack.weights["encoder_bias"][1, 5] = 100.0
    y, target = windows(stack.coders[0])
    for sparse in (True, False):
        stack.passes.sparse = sparse
        outcome, _ = run(stack, y, target, None)
        assert outcome.active.nonzero().tolist() == [[1, 5]]
