"""Each sparsifier's rules, in training and ever after, against slow and obvious loops."""

import numpy as np
import pytest
import torch

from nwbsparse.models.sparsifiers import PerModel, selected, sparsifier

KINDS = ["batch_topk", "topk", "l1", "jumprelu", "gated"]
ROWS, LATENTS, K = 12, 10, 3


def a_rule(kind, n_models, *, penalty="l1", seed=0):
    """A rule with pre-activations and numbers of its own for each model."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    weights = {
        "encoder_bias": 0.3 * draw(n_models, LATENTS),
        "log_threshold": 0.3 * draw(n_models, LATENTS) - 1,
        "log_gain": 0.3 * draw(n_models, LATENTS),
        "magnitude_bias": 0.3 * draw(n_models, LATENTS),
    }
    own = PerModel(penalty_weight=draw(n_models).exp(), bandwidth=0.1 + draw(n_models).abs())
    return sparsifier(kind, penalty=penalty), draw(n_models, ROWS, LATENTS), weights, own


def one_by_one(kind, pi, numbers, *, threshold=None):
    """Activations of one model by looking at every entry; ``threshold`` is of inference only."""
    made = np.zeros_like(pi)
    kept = []
    if kind == "topk":
        for row in range(len(pi)):
            ranked = sorted(range(pi.shape[1]), key=lambda latent: -pi[row, latent])
            kept += [(row, latent) for latent in ranked[:K]]
    elif kind == "batch_topk" and threshold is None:
        cells = [(row, latent) for row in range(len(pi)) for latent in range(pi.shape[1])]
        kept = sorted(cells, key=lambda cell: -pi[cell])[: K * len(pi)]
    for row, latent in np.ndindex(*pi.shape):
        value = pi[row, latent]
        if kind == "gated":
            projected = value - numbers["encoder_bias"][latent]
            magnitude = np.exp(numbers["log_gain"][latent]) * projected
            magnitude += numbers["magnitude_bias"][latent]
            made[row, latent] = max(magnitude, 0) if value > 0 else 0
            continue
        on = value > 0
        if kind == "jumprelu":
            on = value > np.exp(numbers["log_threshold"][latent])
        elif kind == "batch_topk" and threshold is not None:
            on = value > 0 and value >= threshold
        elif kind in ("topk", "batch_topk"):
            on = value > 0 and (row, latent) in kept
        made[row, latent] = value if on else 0
    return made


def of_model(weights, model):
    return {name: weight[model].numpy() for name, weight in weights.items()}


@pytest.mark.parametrize("n_models", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_training_activates_what_the_definition_says(kind, n_models):
    rule, pi, weights, own = a_rule(kind, n_models)
    made = rule.train(pi, weights, own, rule.selector(*[K] * len(pi)))
    for model in range(n_models):
        expected = one_by_one(kind, pi[model].numpy(), of_model(weights, model))
        assert 0 < (expected > 0).sum() < expected.size
        np.testing.assert_allclose(made[model].numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("n_models", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_inference_activates_what_the_definition_says(kind, n_models):
    rule, pi, weights, own = a_rule(kind, n_models)
    threshold = torch.tensor([0.4, -0.1, 1.3][:n_models])
    made = rule.infer(pi, weights, own, k=K, threshold=threshold)
    for model in range(n_models):
        edge = float(threshold[model])
        expected = one_by_one(kind, pi[model].numpy(), of_model(weights, model), threshold=edge)
        np.testing.assert_allclose(made[model].numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_inference_treats_every_bin_by_itself(kind):
    rule, pi, weights, own = a_rule(kind, 3)
    threshold = torch.tensor([0.4, 0.1, 1.3])

    def infer(table):
        return rule.infer(table, weights, own, k=K, threshold=threshold)

    together = infer(pi)
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(1))
    assert torch.equal(infer(pi[:, order]), together[:, order])
    alone = torch.cat([infer(pi[:, [row]]) for row in range(ROWS)], dim=1)
    assert torch.equal(alone, together)
    loud = torch.cat([pi, 100 + pi.abs()], dim=1)
    assert torch.equal(infer(loud)[:, :ROWS], together)


@pytest.mark.parametrize("kind", ["topk", "l1", "jumprelu", "gated"])
def test_all_but_batch_topk_do_in_training_what_they_do_ever_after(kind):
    rule, pi, weights, own = a_rule(kind, 3)
    trained = rule.train(pi, weights, own, rule.selector(*[K] * len(pi)))
    assert torch.equal(trained, rule.infer(pi, weights, own, k=K, threshold=torch.zeros(3)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_threshold_of_batch_topk_lets_nothing_negative_through(kind):
    rule, pi, weights, own = a_rule(kind, 1)
    made = rule.infer(pi, weights, own, k=LATENTS, threshold=torch.tensor([-10.0]))
    assert (made >= 0).all()
    assert rule.calibrated == (kind == "batch_topk")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_stands_at_the_threshold_is_active(dtype):
    rule, _, weights, own = a_rule("batch_topk", 1)
    edge = torch.tensor([0.3])
    pi = torch.tensor([[[0.0, 0.3, 0.3, 0.3]]]).to(dtype)
    pi[0, 0, 1] = torch.nextafter(pi[0, 0, 1], torch.zeros((), dtype=dtype))
    pi[0, 0, 3] = torch.nextafter(pi[0, 0, 3], torch.ones((), dtype=dtype))
    made = rule.infer(pi, weights, own, k=K, threshold=edge)
    assert (made > 0).tolist() == [[[False, False, True, True]]]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_has_gradient_one_and_what_is_not_none(kind):
    rule, pi, weights, own = a_rule(kind, 3)
    pi.requires_grad_()
    made = rule.train(pi, weights, own, rule.selector(*[K] * len(pi)))
    made.sum().backward()
    gain = weights["log_gain"].exp()[:, None] if kind == "gated" else torch.ones_like(made)
    torch.testing.assert_close(pi.grad, gain * (made > 0), rtol=1e-12, atol=0)


def paid(kind, pi, numbers, own, model, penalty):
    """The penalty of one model, entry by entry."""
    total = 0.0
    for row, latent in np.ndindex(*pi.shape):
        value = pi[row, latent]
        on = max(value, 0)
        if kind == "jumprelu":
            on = float(value > np.exp(numbers["log_threshold"][latent]))
        elif penalty == "exponential":
            on = 1 - np.exp(-on / float(own.bandwidth[model]))
        total += on
    return float(own.penalty_weight[model]) * total / len(pi)


@pytest.mark.parametrize("n_models", [1, 3])
@pytest.mark.parametrize(
    ("kind", "penalty"), [("l1", "l1"), ("l1", "exponential"), ("jumprelu", "l1"), ("gated", "l1")]
)
def test_the_penalty_is_summed_over_latents_and_averaged_over_bins(kind, penalty, n_models):
    rule, pi, weights, own = a_rule(kind, n_models, penalty=penalty)
    cost = rule.penalty(pi, torch.relu(pi), weights, own)
    assert cost.shape == (n_models,)
    for model in range(n_models):
        numbers = of_model(weights, model)
        expected = paid(kind, pi[model].numpy(), numbers, own, model, penalty)
        assert float(cost[model]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", ["batch_topk", "topk"])
def test_rules_that_keep_k_latents_cost_nothing(kind):
    rule, pi, weights, own = a_rule(kind, 3)
    assert torch.equal(rule.penalty(pi, torch.relu(pi), weights, own), torch.zeros(3).double())


def test_the_exponential_penalty_does_not_pull_on_what_is_clearly_active():
    rule, _, weights, own = a_rule("l1", 1, penalty="exponential")
    pi = torch.tensor([[[0.01, 50.0]]], dtype=torch.float64, requires_grad=True)
    rule.penalty(pi, torch.relu(pi), weights, own).sum().backward()
    assert pi.grad[0, 0, 0] > 0.05
    assert pi.grad[0, 0, 1] < 1e-6


@pytest.mark.parametrize("bandwidth", [1e-4, 5e-3, 0.1, 0.11, 10.0, 1e3, 1e6])
def test_the_exponential_penalty_and_its_gradient_at_every_bandwidth_in_float32(bandwidth):
    rule, _, weights, _ = a_rule("l1", 1, penalty="exponential")
    drawn = torch.randn(1, 40, 512, generator=torch.Generator().manual_seed(0)) - 2
    pi = drawn.requires_grad_()
    own = PerModel(torch.ones(1), torch.full((1,), bandwidth))
    cost = rule.penalty(pi, torch.relu(pi), weights, own)
    cost.sum().backward()
    wide = torch.relu(drawn.detach().double())
    expected = -torch.expm1(-wide / bandwidth).sum(dim=2).mean()
    assert cost[0].item() == pytest.approx(float(expected), rel=1e-5)
    slope = torch.exp(-wide / bandwidth) / bandwidth / 40 * (drawn > 0)
    torch.testing.assert_close(pi.grad.double(), slope, rtol=2e-5, atol=1e-7 / 40 / bandwidth)


def test_only_the_gate_guesses_and_its_guess_is_the_open_gate():
    for kind in KINDS:
        rule, pi, _, _ = a_rule(kind, 2)
        guess = rule.first_guess(pi)
        if kind == "gated":
            assert torch.equal(guess, pi.clamp_min(0))
        else:
            assert guess is None


def test_a_negative_gate_silences_a_latent_whose_magnitude_is_large():
    rule, pi, weights, own = a_rule("gated", 1)
    weights["magnitude_bias"].fill_(100.0)
    made = rule.train(pi, weights, own, None)
    assert (made[pi > 0] > 50).all()
    assert (made[pi <= 0] == 0).all()


def test_batch_topk_shares_k_over_the_batch_not_per_bin_nor_over_models():
    pi = torch.tensor([[[5.0, 4.0, 3.0, 2.0], [1.0, 0.5, 0.2, 0.1]]])
    rule = sparsifier("batch_topk", penalty="l1")
    stack = torch.cat([pi, 0.01 * pi, pi.flip(1)])
    made = selected(stack, rule.selector(*[2] * len(stack))(stack)) > 0
    assert made.tolist() == [
        [[True] * 4, [False] * 4],
        [[True] * 4, [False] * 4],
        [[False] * 4, [True] * 4],
    ]
