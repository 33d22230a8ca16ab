"""Our coder against dictionary-learning and SAELens, run by ``benchmarks/oracles`` on one input.

Where a peer means something else by the same name, the test's comment says what.
"""

import pytest
import torch

from make.oracles import DICTIONARY_LEARNING, GATED, SAE_LENS, near, trained
from nwbsparse.models.calibration import ThresholdSearch

PEERS = pytest.mark.parametrize(
    "peer", [DICTIONARY_LEARNING, SAE_LENS], ids=["dictionary-learning", "sae-lens"]
)


@pytest.mark.parametrize(
    ("kind", "theirs"),
    [("l1", "standard"), ("topk", "topk"), ("batch_topk", "batch_topk"), ("gated", "gated"),
     ("jumprelu", "jumprelu")],
)  # fmt: skip
@PEERS
def test_activations_and_reconstructions_are_theirs(peer, kind, theirs):
    # dictionary-learning's JumpReLU does not subtract the decoder bias from the input
    as_it_is = kind == "jumprelu" and peer is DICTIONARY_LEARNING
    coder = peer.coder(sparsifier=kind, pre_bias=not as_it_is)
    with torch.no_grad():
        activation = coder(peer["input"])
        near(activation, peer[f"{theirs}/activation"])
        assert torch.equal(activation > 0, peer[f"{theirs}/activation"] > 0)
        near(coder.decode(activation), peer[f"{theirs}/reconstruction"])
    _, outcome, _ = trained(peer, coder)
    near(outcome.predicted[0], peer[f"{theirs}/reconstruction"])


@PEERS
def test_the_standard_coders_loss_and_gradients_are_theirs(peer):
    weight = peer.words["l1_penalty" if peer is DICTIONARY_LEARNING else "l1_coefficient"]
    stack, outcome, gradients = trained(peer, peer.coder(sparsifier="l1", penalty_weight=weight))
    near(outcome.loss[0], peer["standard/loss"])
    near(gradients["encoder_weight"], peer["standard/gradient/encoder_weight"])
    near(gradients["encoder_bias"], peer["standard/gradient/encoder_bias"])
    near(gradients["decoder_bias, both uses"], peer["standard/gradient/decoder_bias"])
    theirs = peer["standard/gradient/dictionary"]
    if peer is SAE_LENS:
        # SAELens weighs each activation by the length of its row, which pulls along the row: a
        # part that we take off anyway because rows stay at unit length
        rows = peer["dictionary"]
        theirs = theirs - (theirs * rows).sum(dim=1, keepdim=True) * rows
        stack.drop_parallel_gradient()
    near(gradients["dictionary"], theirs)


@pytest.mark.parametrize("kind", ["topk", "batch_topk"])
def test_gradients_of_living_latents_are_those_of_dictionary_learning(kind):
    # its auxiliary loss (relu'd, divided by a variance) reaches dead rows and the decoder bias only
    peer = DICTIONARY_LEARNING
    _, outcome, gradients = trained(peer, peer.coder(sparsifier=kind))
    near(outcome.loss[0], peer[f"{kind}/loss_reconstruction"])
    living = slice(0, peer.words["first_dead"])
    for name in ("encoder_weight", "encoder_bias", "dictionary"):
        near(gradients[name][living], peer[f"{kind}/gradient/{name}"][living])
        assert (gradients[name][peer.words["first_dead"] :] == 0).all()


def with_revival(n_dead, k_aux):
    peer = SAE_LENS
    stack, outcome, _ = trained(peer, peer.coder(sparsifier="batch_topk"))
    first = peer.words["first_dead"]
    dead = torch.zeros(1, 48, dtype=torch.bool)
    dead[0, first : first + n_dead] = True
    return stack, outcome, stack.revival(outcome, peer["input"], None, dead, k_aux)


def test_batch_topk_with_revival_is_saelens():
    # SAELens does not detach the encoder's input: only its decoder bias sees the difference
    peer = SAE_LENS
    stack, outcome, revival = with_revival(12, 10)
    near(outcome.loss[0], peer["batch_topk/loss_reconstruction"])
    near(revival[0], peer["batch_topk/loss_auxiliary"])
    revival.sum().backward()
    for name in ("encoder_weight", "encoder_bias", "dictionary"):
        near(stack.weights[name].grad[0], peer[f"batch_topk/gradient/{name}"])


def test_revival_of_a_few_is_saelens_but_for_its_discount():
    # with fewer dead than half the units SAELens multiplies by their share; Gao et al. do not
    peer = SAE_LENS
    n_dead = peer.words["few_dead"]
    discount = n_dead / (20 // 2)
    stack, _, revival = with_revival(n_dead, n_dead)
    near(discount * revival[0], peer["batch_topk/loss_auxiliary_few_dead"])
    for weight in stack.weights.values():
        weight.grad = None
    revival.sum().backward()
    for name in ("encoder_weight", "encoder_bias", "dictionary"):
        theirs = peer[f"batch_topk/gradient_auxiliary_few_dead/{name}"]
        near(discount * stack.weights[name].grad[0], theirs)


@PEERS
def test_matryoshka_levels_are_theirs_with_their_weights(peer):
    # SAELens adds levels, as we do; dictionary-learning divides by their number twice
    sizes = peer.words["levels"]
    weight = "" if peer is SAE_LENS else f":{1 / len(sizes) ** 2:.16f}"
    levels = tuple(f"{size}:{peer.words['k']}{weight}" for size in sizes)
    coder = peer.coder(sparsifier="batch_topk", levels=levels, nesting="nested")
    _, outcome, gradients = trained(peer, coder)
    near(outcome.loss[0], peer["matryoshka/loss"])
    for name in ("encoder_weight", "encoder_bias", "dictionary"):
        near(gradients[name], peer[f"matryoshka/gradient/{name}"])
    near(gradients["decoder_bias, both uses"], peer["matryoshka/gradient/decoder_bias"])
    with torch.no_grad():
        pi = coder.pre_activation(peer["input"])
        near(coder.activate(pi), peer["batch_topk/activation"])
        for level, size in enumerate(sizes[:-1]):
            made = coder.decode(coder.activate(pi, level=level))
            if peer is DICTIONARY_LEARNING:
                near(made, peer[f"matryoshka/reconstruction_{size}"])
            else:
                loss = ((peer["input"] - made) ** 2).sum(dim=1).mean()
                near(loss, peer[f"matryoshka/loss_reconstruction_{size}"])


def test_jumprelu_with_its_threshold_gradient_is_saelens():
    # SAELens learns θ, we its logarithm: d/d log θ = θ · d/dθ
    peer = SAE_LENS
    options = {"sparsifier": "jumprelu", "bandwidth": peer.words["bandwidth"]}
    parts = {}
    for weight in (0.0, peer.words["l0_coefficient"]):
        _, outcome, gradients = trained(peer, peer.coder(**options, penalty_weight=weight))
        parts[weight] = gradients["log_threshold"]
    near(outcome.loss[0], peer["jumprelu/loss"])
    for name in ("encoder_weight", "encoder_bias", "dictionary"):
        near(gradients[name], peer[f"jumprelu/gradient/{name}"])
    near(gradients["decoder_bias, both uses"], peer["jumprelu/gradient/decoder_bias"])
    theta = peer["threshold"]
    near(parts[0.0], theta * peer["jumprelu/gradient_loss_reconstruction/threshold"])
    of_l0 = gradients["log_threshold"] - parts[0.0]
    near(of_l0, theta * peer["jumprelu/gradient_loss_l0/threshold"])
    near(gradients["log_threshold"], theta * peer["jumprelu/gradient/threshold"])


def test_jumprelu_is_dictionary_learnings_but_for_its_l0():
    # its L0 term sees activations after the jump (half of the kernel's mass) and is a squared
    # distance to a target L0, so the threshold's gradient differs by design; nothing else does
    peer = DICTIONARY_LEARNING
    coder = peer.coder(
        sparsifier="jumprelu", bandwidth=peer.words["bandwidth"], penalty_weight=0.0, pre_bias=False
    )
    _, outcome, gradients = trained(peer, coder)
    near(outcome.loss[0], peer["jumprelu/loss_reconstruction"])
    for name in ("encoder_weight", "encoder_bias", "dictionary", "decoder_bias"):
        near(gradients[name], peer[f"jumprelu/gradient/{name}"])


@PEERS
def test_the_gated_coders_loss_and_gradients_are_theirs(peer):
    weight = peer.words["l1_penalty" if peer is DICTIONARY_LEARNING else "l1_coefficient"]
    _, outcome, gradients = trained(peer, peer.coder(sparsifier="gated", penalty_weight=weight))
    near(outcome.loss[0], peer["gated/loss"])
    for ours in ("encoder_weight", "encoder_bias", "log_gain", "magnitude_bias"):
        near(gradients[ours], peer[f"gated/gradient/{GATED[ours]}"])
    if peer is DICTIONARY_LEARNING:
        # SAELens does not freeze the decoder in the gate's own reconstruction; the paper does
        near(gradients["dictionary"], peer["gated/gradient/dictionary"])
        near(gradients["decoder_bias, both uses"], peer["gated/gradient/decoder_bias"])


def test_topk_scaled_by_long_rows_is_ours_with_the_length_in_the_encoder():
    peer = SAE_LENS
    coder = peer.coder(sparsifier="topk")
    length = peer["dictionary_norm"]
    with torch.no_grad():
        coder.encoder_weight.mul_(length[:, None])
        coder.encoder_bias.mul_(length)
        activation = coder(peer["input"])
        near(activation, peer["topk_rescaled/activation"])
        near(coder.decode(activation), peer["topk_rescaled/reconstruction"])


def test_our_threshold_is_exact_where_a_running_average_still_lets_too_much_through():
    peer = SAE_LENS
    with torch.no_grad():
        pi = peer.coder(sparsifier="batch_topk").pre_activation(peer["input"])
    search = ThresholdSearch(peer.words["k"], n_bins=len(pi))
    search.add(pi)

    def l0(threshold):
        return float((pi >= threshold).double().sum(dim=1).mean())

    assert l0(float(search.threshold())) == pytest.approx(peer.words["k"], rel=0.02)
    for updates in (1, 100):
        running = float(peer[f"batch_topk/running_threshold_{updates}"])
        assert l0(running) > 1.2 * peer.words["k"]
