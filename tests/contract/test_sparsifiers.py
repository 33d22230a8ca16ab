"""What every sparsifier must do, whoever brings it."""

import pytest
import torch

from nwbsparse.models.sparsifiers import SPARSIFIERS, PerModel, Sparsifier

ROWS, LATENTS, K = 12, 10, 3
KINDS = pytest.mark.parametrize("kind", [*SPARSIFIERS])


def made(kind, n_models=3):
    rule = SPARSIFIERS[kind]("l1")
    draw = torch.Generator().manual_seed(0)
    pi = torch.randn(n_models, ROWS, LATENTS, generator=draw)
    own = PerModel(penalty_weight=torch.ones(n_models), bandwidth=0.1 * torch.ones(n_models))
    weights = {key: one.expand(n_models, -1) for key, one in rule.initial(LATENTS).items()}
    return rule, pi, weights | {"encoder_bias": torch.zeros(n_models, LATENTS)}, own


def trained(rule, pi, weights, own):
    return rule.train(pi, weights, own, rule.selector(*[K] * len(pi)))


@KINDS
def test_it_is_a_sparsifier_with_weights_of_one_number_per_latent(kind):
    rule = SPARSIFIERS[kind]("l1")
    assert isinstance(rule, Sparsifier)
    assert all(one.shape == (LATENTS,) for one in rule.initial(LATENTS).values())


@KINDS
def test_activations_are_never_negative_and_not_all_there(kind):
    rule, pi, weights, own = made(kind)
    ever_after = rule.infer(pi, weights, own, k=K, threshold=0.5 * torch.ones(3))
    for activation in (trained(rule, pi, weights, own), ever_after):
        assert activation.shape == pi.shape and (activation >= 0).all()
        assert 0 < int((activation > 0).sum()) < activation.numel()


@KINDS
def test_inference_sees_one_bin_at_a_time(kind):
    rule, pi, weights, own = made(kind)
    edge = 0.5 * torch.ones(3)
    together = rule.infer(pi, weights, own, k=K, threshold=edge)
    for row in range(ROWS):
        alone = rule.infer(pi[:, [row]], weights, own, k=K, threshold=edge)
        assert torch.equal(alone, together[:, [row]])


@KINDS
def test_models_of_a_stack_do_not_see_each_other(kind):
    rule, pi, weights, own = made(kind)
    together = trained(rule, pi, weights, own)
    for model in range(len(pi)):
        one = slice(model, model + 1)
        mine = PerModel(own.penalty_weight[one], own.bandwidth[one])
        of_one = {key: weight[one] for key, weight in weights.items()}
        assert torch.equal(trained(rule, pi[one], of_one, mine), together[one])


@KINDS
def test_training_has_a_gradient_and_a_penalty_per_model(kind):
    rule, pi, weights, own = made(kind)
    pi.requires_grad_()
    activation = trained(rule, pi, weights, own)
    cost = rule.penalty(pi, activation, weights, own)
    assert cost.shape == (len(pi),) and (cost >= 0).all()
    (activation.sum() + cost.sum()).backward()
    assert torch.isfinite(pi.grad).all() and (pi.grad != 0).any()


@KINDS
def test_one_that_finds_what_it_keeps_costs_nothing_and_a_penalised_one_does(kind):
    rule, pi, weights, own = made(kind)
    cost = rule.penalty(pi, trained(rule, pi, weights, own), weights, own)
    penalised = SPARSIFIERS.fact(kind, "penalised")
    assert (rule.selector(K) is not None) != penalised
    assert bool((cost > 0).all()) == penalised
