"""What dictionary_learning makes of the seeded weights; run inside its environment.

    peers-dictionary-learning/bin/python benchmarks/oracles/from_dictionary_learning.py

Its own classes and its own trainers' ``loss``; gradients are autograd's of that loss, before the
trainers remove the part along the dictionary's rows, clip, and step.
"""

from importlib.metadata import version

import numpy as np
import torch
from dictionary_learning.dictionary import AutoEncoder, GatedAutoEncoder, JumpReluAutoEncoder
from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
from dictionary_learning.trainers.gdm import GatedSAETrainer
from dictionary_learning.trainers.jumprelu import JumpReluTrainer
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKTrainer
from dictionary_learning.trainers.standard import StandardTrainer
from dictionary_learning.trainers.top_k import TopKTrainer
from seeded import (
    FIRST_DEAD,
    LEVELS,
    N_LATENTS,
    N_UNITS,
    K,
    batch_threshold,
    check_margins,
    save,
    seeded,
)

GIVEN = seeded()
TENSORS = {name: torch.from_numpy(value) for name, value in GIVEN.items()}
TRAINER = dict(steps=10, activation_dim=N_UNITS, dict_size=N_LATENTS, layer=0, lm_name="none",
               device="cpu", warmup_steps=0)  # fmt: skip
L1, BANDWIDTH, SPARSITY, TARGET_L0 = 0.1, 0.2, 0.5, 10.0
# the names of their parameters → ours, and whether theirs is transposed
LINEAR = {"encoder.weight": ("encoder_weight", False), "encoder.bias": ("encoder_bias", False),
          "decoder.weight": ("dictionary", True)}  # fmt: skip
STANDARD = LINEAR | {"bias": ("decoder_bias", False)}
TOPK = LINEAR | {"b_dec": ("decoder_bias", False)}
MATRICES = {"W_enc": ("encoder_weight", True), "b_enc": ("encoder_bias", False),
            "W_dec": ("dictionary", False), "b_dec": ("decoder_bias", False)}  # fmt: skip
JUMPRELU = MATRICES | {"threshold": ("threshold", False)}
GATED = {"encoder.weight": ("encoder_weight", False), "decoder.weight": ("dictionary", True),
         "decoder_bias": ("decoder_bias", False), "r_mag": ("gate_log_scale", False),
         "gate_bias": ("gate_bias", False), "mag_bias": ("gate_magnitude_bias", False)}  # fmt: skip


def fill(ae, names):
    state = ae.state_dict()
    for theirs, (ours, transposed) in names.items():
        state[theirs] = TENSORS[ours].T if transposed else TENSORS[ours]
    ae.load_state_dict(state)


def trained(trainer, names, prefix, out, terms, *, same_as):
    """One evaluation of the trainer's loss: its terms and gradients.

    Its activations and reconstructions are those of inference for every coder here (the threshold
    of batch top-k is chosen so), which is checked and not stored twice.
    """
    log = trainer.loss(TENSORS["input"], step=0, logging=True)
    torch.testing.assert_close(log.f, out[f"{same_as}/activation"])
    torch.testing.assert_close(log[1], out[f"{same_as}/reconstruction"])
    for theirs, ours in terms.items():
        out[f"{prefix}/{ours}"] = torch.tensor(log.losses[theirs])
    trainer.ae.zero_grad(set_to_none=True)
    trainer.loss(TENSORS["input"], step=0).backward()
    gradients(trainer.ae, names, prefix, out)


def gradients(ae, names, prefix, out):
    for name, parameter in ae.named_parameters():
        ours, transposed = names[name]
        grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        out[f"{prefix}/gradient/{ours}"] = grad.T if transposed else grad


def inferred(ae, prefix, out):
    with torch.no_grad():
        out[f"{prefix}/activation"] = ae.encode(TENSORS["input"])
        out[f"{prefix}/reconstruction"] = ae.decode(out[f"{prefix}/activation"])


def set_dead(trainer):
    trainer.num_tokens_since_fired[FIRST_DEAD:] = 2 * trainer.dead_feature_threshold


LOSS = {"loss": "loss"}


def main():
    out = {}
    standard = StandardTrainer(l1_penalty=L1, sparsity_warmup_steps=0, **TRAINER)
    assert isinstance(standard.ae, AutoEncoder)
    fill(standard.ae, STANDARD)
    inferred(standard.ae, "standard", out)
    terms = LOSS | {"mse_loss": "loss_reconstruction", "sparsity_loss": "l1"}
    trained(standard, STANDARD, "standard", out, terms, same_as="standard")

    topk = TopKTrainer(k=K, auxk_alpha=0.5, **TRAINER)
    fill(topk.ae, TOPK)
    inferred(topk.ae, "topk", out)
    set_dead(topk)
    terms = LOSS | {"l2_loss": "loss_reconstruction", "auxk_loss": "loss_auxiliary"}
    trained(topk, TOPK, "topk", out, terms, same_as="topk")

    batch = BatchTopKTrainer(k=K, auxk_alpha=0.5, **TRAINER)
    fill(batch.ae, TOPK)
    batch.ae.threshold = torch.tensor(batch_threshold(GIVEN))
    inferred(batch.ae, "batch_topk", out)
    out["batch_topk/threshold"] = batch.ae.threshold
    set_dead(batch)
    trained(batch, TOPK, "batch_topk", out, terms, same_as="batch_topk")

    sizes = np.diff([0, *LEVELS])
    fractions = [size / N_LATENTS for size in sizes]
    nested = MatryoshkaBatchTopKTrainer(k=K, group_fractions=fractions, **TRAINER)
    assert nested.group_sizes == sizes.tolist()
    fill(nested.ae, MATRICES)
    nested.ae.threshold = torch.tensor(batch_threshold(GIVEN))
    trained(nested, MATRICES, "matryoshka", out, LOSS, same_as="batch_topk")
    for level, size in enumerate(LEVELS[:-1], 1):
        nested.ae.active_groups = level
        out[f"matryoshka/reconstruction_{size}"] = nested.ae(TENSORS["input"])

    jump = JumpReluTrainer(bandwidth=BANDWIDTH, sparsity_penalty=SPARSITY, target_l0=TARGET_L0,
                           sparsity_warmup_steps=0, **TRAINER)  # fmt: skip
    assert isinstance(jump.ae, JumpReluAutoEncoder)
    fill(jump.ae, JUMPRELU)
    inferred(jump.ae, "jumprelu", out)
    terms = LOSS | {"l2_loss": "loss_reconstruction"}
    trained(jump, JUMPRELU, "jumprelu", out, terms, same_as="jumprelu")

    gated = GatedSAETrainer(l1_penalty=L1, sparsity_warmup_steps=0, **TRAINER)
    assert isinstance(gated.ae, GatedAutoEncoder)
    fill(gated.ae, GATED)
    inferred(gated.ae, "gated", out)
    terms = {"mse_loss": "loss_reconstruction", "sparsity_loss": "l1", "aux_loss": "loss_auxiliary"}
    trained(gated, GATED, "gated", out, LOSS | terms, same_as="gated")

    out = {name: value.detach().numpy() for name, value in out.items()}
    words = {
        "peer": "dictionary-learning",
        "version": version("dictionary-learning"),
        "torch": torch.__version__,
        "margins": check_margins(GIVEN),
        "k": K, "levels": LEVELS, "first_dead": FIRST_DEAD,
        "l1_penalty": L1, "bandwidth": BANDWIDTH, "sparsity_penalty": SPARSITY,
        "target_l0": TARGET_L0, "auxk_alpha": 0.5,
        "conventions": CONVENTIONS,
    }  # fmt: skip
    save("dictionary_learning", GIVEN | out, words)


CONVENTIONS = {
    "all": "decode(a) = a @ dictionary + decoder_bias; pre_bias is decoder_bias except in jumprelu;"
    " no normalisation of the input; activations are never scaled by decoder norms; rows of the"
    " dictionary have unit norm here. Loss terms sum over units and average over bins. gradient/*"
    " is of `loss`, before projection, clipping and step. decoder_bias collects the gradient of"
    " both its uses (pre-bias and decoder).",
    "standard": "AutoEncoder: pi = W (x - b_dec) + b_enc; a = relu(pi). StandardTrainer: loss ="
    " loss_reconstruction + l1_penalty * l1, l1 = sum over latents of a, mean over bins, not"
    " weighted by decoder norms.",
    "topk": "AutoEncoderTopK: relu first, then the k largest of each row; fewer than k when fewer"
    " are positive. TopKTrainer: loss = loss_reconstruction + auxk_alpha * loss_auxiliary;"
    " loss_auxiliary = sum of squares of (residual - decode without bias of the k_aux largest"
    " relu'd pre-activations among the dead), mean over bins, divided by the same of (residual -"
    " its mean over bins); k_aux = min(units // 2, number dead); the residual is detached, the"
    " divisor too; the encoder input is not detached (decoder_bias gets a gradient). Dead:"
    " num_tokens_since_fired >= 10,000,000 tokens, here latents from first_dead on.",
    "batch_topk": "BatchTopKSAE: relu, then the k * bins largest of the flattened batch (zeros"
    " count when too few are positive). Inference: relu(pi) * (relu(pi) > threshold), strictly"
    " above; threshold -1 until step 1,000, i.e. plain ReLU; afterwards running average (0.999) of"
    " each batch's smallest kept value. Here the threshold lies between the last value kept on this"
    " batch and the first dropped, so both rules agree on it. Loss as in topk.",
    "matryoshka": "MatryoshkaBatchTopKSAE: one batch top-k of all latents, prefixes of it decode."
    " loss = mean over the n levels of (group_weight * reconstruction loss of the prefix), and"
    " group_weight is 1/n by default: 1/n**2 in all; nothing is dead here. Activations are"
    " batch_topk's, at inference too; reconstruction_<size> is a smaller prefix's, decoder bias"
    " included (of the largest: batch_topk/reconstruction).",
    "jumprelu": "JumpReluAutoEncoder: the decoder bias is NOT subtracted from the input"
    " (apply_b_dec_to_input is False): pi = W x + b_enc; a = relu(pi * (pi > threshold)), strict;"
    " the threshold is the parameter itself, not its logarithm. Training: a = pi * (pi >"
    " threshold), rectangle kernel K = 1 where |u| < 1/2 (open), d a / d threshold ="
    " -(threshold / bandwidth) K((pi - threshold) / bandwidth); the L0 term is Step(a) of the"
    " *activation* after the jump, so that its kernel only sees values above the threshold (half of"
    " the estimator's mass); d L0 / d threshold = -(1 / bandwidth) K((a - threshold) / bandwidth)."
    " loss = loss_reconstruction + sparsity_penalty * (L0 / target_l0 - 1)**2, L0 averaged over"
    " bins first. No gradient of L0 reaches pi.",
    "gated": "GatedAutoEncoder: y = W (x - b_dec); pi_gate = y + gate_bias; a = (pi_gate > 0) *"
    " relu(exp(gate_log_scale) * y + gate_magnitude_bias). Loss = loss_reconstruction +"
    " l1_penalty * l1 + loss_auxiliary; l1 = sum of relu(pi_gate), mean over bins, not weighted by"
    " decoder norms; loss_auxiliary = |x - (relu(pi_gate) @ D + b_dec)|^2 with D and b_dec of the"
    " decoder detached (b_dec as the pre-bias still gets a gradient), as in the paper.",
}


if __name__ == "__main__":
    main()
