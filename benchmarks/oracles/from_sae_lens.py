"""What SAELens makes of the seeded weights; run inside its environment.

    peers-sae-lens/bin/python benchmarks/oracles/from_sae_lens.py

Its training SAEs' own ``training_forward_pass`` and its inference SAEs, loaded from what the
training SAEs wrote; gradients are autograd's, before clipping and step.
"""

import tempfile
from importlib.metadata import version

import torch
from sae_lens import (
    SAE,
    BatchTopKTrainingSAE,
    BatchTopKTrainingSAEConfig,
    GatedTrainingSAE,
    GatedTrainingSAEConfig,
    JumpReLUTrainingSAE,
    JumpReLUTrainingSAEConfig,
    MatryoshkaBatchTopKTrainingSAE,
    MatryoshkaBatchTopKTrainingSAEConfig,
    StandardTrainingSAE,
    StandardTrainingSAEConfig,
    TopKTrainingSAE,
    TopKTrainingSAEConfig,
)
from sae_lens.saes.sae import TrainStepInput
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
SIZE = dict(d_in=N_UNITS, d_sae=N_LATENTS)
L1, L0, BANDWIDTH, FEW_DEAD = 0.1, 0.05, 0.2, 6
# the names of their parameters → ours, and whether theirs is transposed
SHARED = {"W_enc": ("encoder_weight", True), "W_dec": ("dictionary", False),
          "b_dec": ("decoder_bias", False)}  # fmt: skip
LINEAR = SHARED | {"b_enc": ("encoder_bias", False)}
JUMPRELU = LINEAR | {"threshold": ("threshold", False)}
GATED = SHARED | {"b_gate": ("gate_bias", False), "b_mag": ("gate_magnitude_bias", False),
                  "r_mag": ("gate_log_scale", False)}  # fmt: skip


def fill(sae, names, **instead):
    for theirs, (ours, transposed) in names.items():
        value = instead.get(ours, TENSORS[ours])
        getattr(sae, theirs).data = (value.T if transposed else value).clone().contiguous()
    return sae


def step(sae, *, n_dead=0, **coefficients):
    dead = torch.zeros(N_LATENTS, dtype=torch.bool)
    dead[FIRST_DEAD : FIRST_DEAD + n_dead] = True
    return sae.training_forward_pass(
        TrainStepInput(
            sae_in=TENSORS["input"], coefficients=coefficients, dead_neuron_mask=dead,
            n_training_steps=0, is_logging_step=False,
        )
    )  # fmt: skip


def gradients(sae, loss, names, prefix, out, kind="gradient"):
    sae.zero_grad(set_to_none=True)
    loss.backward(retain_graph=True)
    for name, parameter in sae.named_parameters():
        ours, transposed = names[name]
        grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()
        out[f"{prefix}/{kind}/{ours}"] = grad.T if transposed else grad


def terms(step_output, prefix, out, names):
    out[f"{prefix}/loss"] = step_output.loss
    assert set(step_output.losses) == set(names), step_output.losses
    for theirs, ours in names.items():
        out[f"{prefix}/{ours}"] = step_output.losses[theirs]


def inferred(sae, prefix, out, *, same_as=None):
    """Activations and reconstructions of the inference SAE, read back from disk."""
    with tempfile.TemporaryDirectory() as folder:
        sae.save_inference_model(folder)
        loaded = SAE.load_from_disk(folder)
    with torch.no_grad():
        activation = loaded.encode(TENSORS["input"])
        reconstruction = loaded.decode(activation)
    if same_as is None:
        out[f"{prefix}/activation"] = activation
        out[f"{prefix}/reconstruction"] = reconstruction
    else:
        torch.testing.assert_close(activation, out[f"{same_as}/activation"])
        torch.testing.assert_close(reconstruction, out[f"{same_as}/reconstruction"])
    return loaded


def same(step_output, prefix, out):
    torch.testing.assert_close(step_output.feature_acts, out[f"{prefix}/activation"])
    torch.testing.assert_close(step_output.sae_out, out[f"{prefix}/reconstruction"])


AUXILIARY = {"mse_loss": "loss_reconstruction", "auxiliary_reconstruction_loss": "loss_auxiliary"}


def standard(out):
    sae = StandardTrainingSAE(StandardTrainingSAEConfig(**SIZE, l1_coefficient=L1))
    fill(sae, LINEAR)
    inferred(sae, "standard", out)
    done = step(sae, l1=L1)
    same(done, "standard", out)
    terms(done, "standard", out, {"mse_loss": "loss_reconstruction", "l1_loss": "loss_l1"})
    gradients(sae, done.loss, LINEAR, "standard", out)


def topk(out):
    config = TopKTrainingSAEConfig(**SIZE, k=K, rescale_acts_by_decoder_norm=False)
    sae = fill(TopKTrainingSAE(config), LINEAR)
    inferred(sae, "topk", out)
    same(step(sae), "topk", out)

    long = TENSORS["dictionary"] * TENSORS["dictionary_norm"][:, None]
    config = TopKTrainingSAEConfig(**SIZE, k=K, rescale_acts_by_decoder_norm=True)
    sae = fill(TopKTrainingSAE(config), LINEAR, dictionary=long)
    inferred(sae, "topk_rescaled", out)
    same(step(sae), "topk_rescaled", out)


def batch_topk(out):
    config = BatchTopKTrainingSAEConfig(**SIZE, k=K, rescale_acts_by_decoder_norm=False)
    sae = fill(BatchTopKTrainingSAE(config), LINEAR)
    sae.topk_threshold = torch.tensor(batch_threshold(GIVEN), dtype=torch.double)
    loaded = inferred(sae, "batch_topk", out)
    out["batch_topk/threshold"] = loaded.threshold
    done = step(sae, n_dead=N_LATENTS - FIRST_DEAD)
    same(done, "batch_topk", out)
    terms(done, "batch_topk", out, AUXILIARY)
    gradients(sae, done.loss, LINEAR, "batch_topk", out)
    done = step(sae, n_dead=FEW_DEAD)
    auxiliary = done.losses["auxiliary_reconstruction_loss"]
    out["batch_topk/loss_auxiliary_few_dead"] = auxiliary
    gradients(sae, auxiliary, LINEAR, "batch_topk", out, kind="gradient_auxiliary_few_dead")
    sae.topk_threshold.zero_()
    for n in range(1, 101):
        sae.update_topk_threshold(done.feature_acts)
        if n in (1, 100):
            out[f"batch_topk/running_threshold_{n}"] = sae.topk_threshold.float()


def matryoshka(out):
    config = MatryoshkaBatchTopKTrainingSAEConfig(
        **SIZE, k=K, matryoshka_widths=list(LEVELS), rescale_acts_by_decoder_norm=False
    )
    sae = fill(MatryoshkaBatchTopKTrainingSAE(config), LINEAR)
    sae.topk_threshold = torch.tensor(batch_threshold(GIVEN), dtype=torch.double)
    inferred(sae, "matryoshka", out, same_as="batch_topk")
    done = step(sae)
    same(done, "batch_topk", out)
    assert float(done.losses.pop("auxiliary_reconstruction_loss")) == 0.0
    inner = {f"inner_mse_loss_{size}": f"loss_reconstruction_{size}" for size in LEVELS[:-1]}
    names = {"mse_loss": f"loss_reconstruction_{LEVELS[-1]}"} | inner
    terms(done, "matryoshka", out, names)
    gradients(sae, done.loss, LINEAR, "matryoshka", out)


def jumprelu(out):
    config = JumpReLUTrainingSAEConfig(**SIZE, jumprelu_bandwidth=BANDWIDTH, l0_coefficient=L0)
    sae = fill(JumpReLUTrainingSAE(config), JUMPRELU)
    inferred(sae, "jumprelu", out)
    done = step(sae, l0=L0)
    same(done, "jumprelu", out)
    names = {"mse_loss": "loss_reconstruction", "l0_loss": "loss_l0"}
    terms(done, "jumprelu", out, names)
    gradients(sae, done.loss, JUMPRELU, "jumprelu", out)
    for theirs, ours in names.items():
        grad = torch.autograd.grad(done.losses[theirs], sae.threshold, retain_graph=True)[0]
        out[f"jumprelu/gradient_{ours}/threshold"] = grad


def gated(out):
    sae = fill(GatedTrainingSAE(GatedTrainingSAEConfig(**SIZE, l1_coefficient=L1)), GATED)
    inferred(sae, "gated", out)
    done = step(sae, l1=L1)
    same(done, "gated", out)
    terms(done, "gated", out, AUXILIARY | {"l1_loss": "loss_l1"})
    gradients(sae, done.loss, GATED, "gated", out)


def main():
    out = {}
    for case in (standard, topk, batch_topk, matryoshka, jumprelu, gated):
        case(out)
    out = {name: value.detach().numpy() for name, value in out.items()}
    words = {
        "peer": "sae-lens",
        "version": version("sae-lens"),
        "torch": torch.__version__,
        "margins": check_margins(GIVEN),
        "k": K, "levels": LEVELS, "first_dead": FIRST_DEAD, "few_dead": FEW_DEAD,
        "l1_coefficient": L1, "l0_coefficient": L0, "bandwidth": BANDWIDTH,
        "aux_loss_coefficient": 1.0, "topk_threshold_lr": 0.01,
        "conventions": CONVENTIONS,
    }  # fmt: skip
    save("sae_lens", GIVEN | out, words)


CONVENTIONS = {
    "all": "pi = W (x - b_dec) + b_enc: decoder_bias is also the pre-bias (apply_b_dec_to_input is"
    " True by default); decode(a) = a @ dictionary + decoder_bias; normalize_activations none."
    " Loss terms sum over units and average over bins and already carry their coefficient; loss is"
    " their plain sum. gradient/* is of `loss`, before clipping and step; SAELens neither projects"
    " gradients nor renormalises rows. decoder_bias collects the gradient of both its uses."
    " activation and reconstruction are of the inference SAE read back from disk; those of training"
    " are equal.",
    "standard": "a = relu(pi). loss = loss_reconstruction + loss_l1; loss_l1 = l1_coefficient * sum"
    " over latents of a * |dictionary row|, mean over bins. Rows have unit norm here, so the value is"
    " plain L1, but gradient/dictionary has a part along each row, which a projection removes.",
    "topk": "the k largest pi of each row, then relu: k are chosen even when fewer are positive."
    " rescale_acts_by_decoder_norm is False here (its training default is True).",
    "topk_rescaled": "rescale_acts_by_decoder_norm True (training default), rows of the dictionary"
    " are dictionary * dictionary_norm: top-k of pi * norm, decode divides by the norm again."
    " Stored activations are those in units of unit-norm rows (already multiplied by the norm):"
    " the inference SAE has the norm folded into encoder weight and bias.",
    "batch_topk": "relu, then the int(k * bins) largest of the flattened batch (zeros count when"
    " too few are positive). Inference is architecture jumprelu with one threshold for all latents:"
    " a = relu(pi) * (pi > threshold), strictly above. The threshold is a running average (0.01) of"
    " each batch's smallest kept value, started at 0: running_threshold_<n> after n identical"
    " batches. Here it is set between the last value kept on this batch and the first dropped, so"
    " both rules agree. loss = loss_reconstruction + loss_auxiliary. AuxK: dead latents' raw"
    " pre-activations (no relu), the k_aux = min(units // 2, number dead) largest of each bin,"
    " decoded without bias, squared error to the detached residual, summed over units, mean over"
    " bins, times min(number dead / (units // 2), 1); not divided by any variance. The encoder's"
    " input is not detached: decoder_bias gets a gradient through it. Dead in `loss`: latents from"
    " first_dead on; in *_few_dead: few_dead of them, gradient of loss_auxiliary alone.",
    "matryoshka": "one batch top-k of all latents (k of the largest), prefixes of it decode; loss ="
    " plain sum of the levels' reconstruction losses, each with decoder bias; nothing dead here."
    " Activations and reconstruction equal batch_topk's, also those of inference (jumprelu, one"
    " threshold).",
    "jumprelu": "a = pi * (pi > threshold), strictly above, on pre-activations; inference relu(pi)"
    " * (pi > threshold). The trained parameter is the threshold itself, in float32, clamped at 0"
    " from below before each step; older SAELens trained log_threshold: d/d log_threshold ="
    " threshold * d/d threshold. Rectangle kernel K(u) = 1 where |u| < 1/2 (open), u = (pi -"
    " threshold) / bandwidth; d a / d threshold = -(threshold / bandwidth) K; d L0 / d threshold ="
    " -(1 / bandwidth) K; d a / d pi = 1[pi > threshold], nothing of L0 reaches pi"
    " (jumprelu_ste_to_input False). loss_l0 = l0_coefficient * number above threshold, mean over"
    " bins. gradient_loss_reconstruction/threshold and gradient_loss_l0/threshold are its two"
    " parts.",
    "gated": "y = W (x - b_dec); pi_gate = y + gate_bias; a = (pi_gate > 0) * relu(W exp(r) (x -"
    " b_dec) + gate_magnitude_bias), r = gate_log_scale. loss = loss_reconstruction + loss_l1 +"
    " loss_auxiliary; loss_l1 = l1_coefficient * sum of relu(pi_gate) * |dictionary row|, mean over"
    " bins; loss_auxiliary = |x - (relu(pi_gate) @ D + b_dec)|^2 with D and b_dec NOT detached"
    " (the paper, models.md and dictionary_learning detach them).",
}


if __name__ == "__main__":
    main()
