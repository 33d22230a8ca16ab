"""Coders for other packages: SAELens and dictionary-learning load them with their own functions.

Both encode one vector with one linear map. Three conventions differ from ours, and each is turned
into weights here, so that their activations and reconstructions are ours:

- they have one bias where we have two: what is taken off the input is what is added to the
  reconstruction (or nothing is taken off). The difference goes into the encoder's bias.
- they keep what lies *above* a threshold, batch top-k here what *reaches* it: the next smaller
  float32 is written.
- dictionary-learning's ``AutoEncoder`` gives dictionary rows unit length when it is loaded.

Sums are rounded to float32 in another order than here: an activation within some 1e-6 of its
threshold may fall on its other side.
"""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from nwbsparse.errors import raise_together
from nwbsparse.files.whole import write_whole
from nwbsparse.models.coder import SparseCoder

FORMAT = 1
SAELENS = {
    "l1": "standard", "topk": "topk", "batch_topk": "jumprelu", "jumprelu": "jumprelu",
    "gated": "gated",
}  # fmt: skip
"""Our sparsifier → SAELens's architecture; its own batch top-k exists in training only."""
DECODER_BIAS = {"AutoEncoder": "bias", "GatedAutoEncoder": "decoder_bias"}
"""What dictionary-learning's classes call it, where it is not ``b_dec``."""
UNIT_LENGTH = 1e-5
"""How far a row's length may be from 1 before dictionary-learning rescales it."""


def export_saelens(coder: SparseCoder, folder: str | Path) -> None:
    """Write a coder so that SAELens can load it: ``SAE.load_from_disk(folder)``.

    The exported model takes what the coder itself sees, ``coder.normalise(counts)``, bins by units
    (or by the flattened window, oldest bin first), and reconstructs the same. ``offset`` and
    ``scale`` for that, one per unit, lie in ``cfg.json`` under ``metadata.nwbsparse``: the input is
    ``(counts − offset) / scale``. Batch top-k is written as JumpReLU with its one threshold for
    all latents, Matryoshka levels as the largest of them.

    Args:
        coder: what :func:`nwbsparse.fit` returned or a file held.
        folder: gets ``cfg.json`` and ``sae_weights.safetensors`` (float32).

    Raises:
        BadInput: it is no linear autoencoder (attention, a transcoder, a lag, time courses, an
            output function); all reasons are named.
        EnvironmentProblem: the folder cannot be written to.
    """
    one = _linear(coder)
    kind = SAELENS[coder.config.sparsifier]
    bias, magnitude_bias = one.biases(taken_off=torch.zeros_like(one.pre_bias))
    tensors = {"W_enc": one.weight.T, "W_dec": one.dictionary, "b_dec": one.decoder_bias}
    words = {
        "architecture": kind,
        "d_in": one.weight.shape[1],
        "d_sae": coder.n_latents,
        "dtype": "float32",
        "apply_b_dec_to_input": False,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"sae_lens_version": "6.0.0", "nwbsparse": _about(coder)},
    }
    if kind == "gated":
        tensors |= {"b_gate": bias, "b_mag": magnitude_bias, "r_mag": one.log_gain}
    else:
        tensors["b_enc"] = bias
    if kind == "jumprelu":
        tensors["threshold"] = one.threshold
    if kind == "topk":
        words["k"] = coder.levels[-1][1]
    folder = Path(folder).expanduser()
    write_whole(folder / "sae_weights.safetensors", tensors_to_bytes(_short(tensors)))
    write_whole(folder / "cfg.json", _json(words))


def export_dictionary_learning(coder: SparseCoder, folder: str | Path) -> None:
    """Write a coder so that dictionary-learning can load it: ``load_dictionary(folder, device)``.

    Input and errors as for :func:`export_saelens`; ``offset`` and ``scale`` lie in ``config.json``
    under ``nwbsparse``. Nested Matryoshka levels become a ``MatryoshkaBatchTopKSAE``; of
    independent ones the largest is written. A ReLU coder whose dictionary rows are not of unit
    length becomes a ``JumpReluAutoEncoder`` with threshold 0, since ``AutoEncoder`` would rescale
    its activations.

    Args:
        coder: what :func:`nwbsparse.fit` returned or a file held.
        folder: gets ``ae.pt`` (a dict of float32 tensors, which ``torch.load`` reads with
            ``weights_only=True``) and ``config.json``.

    Raises:
        BadInput, EnvironmentProblem: as for :func:`export_saelens`.
    """
    one = _linear(coder)
    kind = _dictionary_class(coder, one)
    # their JumpReLU takes nothing off the input, the others what they add to the reconstruction
    subtracts = kind != "JumpReluAutoEncoder"
    taken_off = one.decoder_bias if subtracts else torch.zeros_like(one.pre_bias)
    bias, magnitude_bias = one.biases(taken_off=taken_off)
    k = coder.levels[-1][1]
    if kind in ("MatryoshkaBatchTopKSAE", "JumpReluAutoEncoder"):
        tensors = {"W_enc": one.weight.T, "b_enc": bias, "W_dec": one.dictionary}
    else:
        tensors = {"encoder.weight": one.weight, "decoder.weight": one.dictionary.T}
    if kind == "GatedAutoEncoder":
        tensors |= {"gate_bias": bias, "mag_bias": magnitude_bias, "r_mag": one.log_gain}
    elif "encoder.weight" in tensors:
        tensors["encoder.bias"] = bias
    tensors[DECODER_BIAS.get(kind, "b_dec")] = one.decoder_bias
    if kind == "JumpReluAutoEncoder":
        tensors["threshold"] = one.threshold
    elif "TopK" in kind:
        # their top-k keeps k of each row; a threshold of -1 says that it has none
        threshold = torch.tensor(-1.0) if kind == "AutoEncoderTopK" else one.threshold[0]
        tensors |= {"k": torch.tensor(k, dtype=torch.int32), "threshold": threshold}
    if kind == "MatryoshkaBatchTopKSAE":
        tensors["group_sizes"] = torch.tensor([0] + [size for size, _ in coder.levels]).diff()
    stream = io.BytesIO()
    torch.save(_short(tensors), stream)
    words = {"trainer": {"dict_class": kind, "k": k}, "nwbsparse": _about(coder)}
    folder = Path(folder).expanduser()
    write_whole(folder / "ae.pt", stream.getvalue())
    write_whole(folder / "config.json", _json(words))


@dataclass(frozen=True)
class _Linear:
    """``π = W (y − pre_bias) + bias`` and ``ẑ = a · dictionary + decoder_bias``, in float64."""

    weight: Float[Tensor, "latent value"]
    bias: Float[Tensor, " latent"]
    pre_bias: Float[Tensor, " value"]
    dictionary: Float[Tensor, "latent value"]
    decoder_bias: Float[Tensor, " value"]
    threshold: Float[Tensor, " latent"]
    """What an activation must exceed."""
    log_gain: Float[Tensor, " latent"]
    """Gated: logarithm of what the magnitude has over the gate; else 0."""
    magnitude_bias: Float[Tensor, " latent"]

    def biases(self, *, taken_off: Float[Tensor, " value"]) -> tuple[Tensor, Tensor]:
        """Biases of ``π`` and of a gated magnitude if this is taken off the input, not pre_bias."""
        shift = self.weight @ (taken_off - self.pre_bias)
        # a gated magnitude is exp(r) · (π without its bias) + its own
        return self.bias + shift, self.magnitude_bias + self.log_gain.exp() * shift


def _linear(coder: SparseCoder) -> _Linear:
    """The coder as arrays; BadInput when it is more than a linear autoencoder."""
    raise_together(_problems(coder), heading="this coder cannot be exported")
    weights = {name: tensor.detach().cpu() for name, tensor in coder.state_dict().items()}
    nothing = torch.zeros(coder.n_latents)
    threshold = nothing
    if coder.config.sparsifier == "jumprelu":
        threshold = weights["log_threshold"].exp()
    elif coder.config.sparsifier == "batch_topk":
        below = torch.nextafter(weights["threshold"][-1], torch.tensor(-math.inf))
        threshold = below.clamp_min(0).repeat(coder.n_latents)
    return _Linear(
        weight=weights["encoder_weight"].double(),
        bias=weights["encoder_bias"].double(),
        pre_bias=weights["pre_bias"].double().repeat(coder.window),
        dictionary=weights["dictionary"].double(),
        decoder_bias=weights["decoder_bias"].double(),
        threshold=threshold,
        log_gain=weights.get("log_gain", nothing).double(),
        magnitude_bias=weights.get("magnitude_bias", nothing).double(),
    )


def _problems(coder: SparseCoder) -> list[str]:
    """Why it is no linear autoencoder, one sentence each."""
    config, found = coder.config, []
    if coder.record.apart:
        found.append("it is a transcoder (it encodes other units); fit it without a target")
    if config.sparsifier not in SAELENS:
        found.append(
            f"its sparsifier '{config.sparsifier}' is none of theirs ({', '.join(SAELENS)})"
        )
    if config.lag:
        found.append(
            f"it reconstructs the bin {config.lag} later than its input; fit it with lag=0"
        )
    if config.encoder == "transformer":
        found.append("its encoder attends over bins, theirs is one linear map; use encoder=window")
    if config.decoder == "convolution":
        found.append("its latents have time courses (decoder=convolution); use encoder=window")
    elif coder.architecture.n_decoded != coder.architecture.window:
        found.append(
            f"it sees {config.window} bins and reconstructs only the last; fit it with decoded=all"
        )
    if coder.output != "identity":
        found.append(
            f"its output is {coder.output}, theirs is linear; fit it with loss=mse, output=identity"
        )
    return found


def _dictionary_class(coder: SparseCoder, one: _Linear) -> str:
    sparsifier = coder.config.sparsifier
    if sparsifier == "l1":
        lengths = torch.linalg.vector_norm(one.dictionary, dim=1)
        unit = bool(((lengths - 1).abs() < UNIT_LENGTH / 2).all())
        return "AutoEncoder" if unit else "JumpReluAutoEncoder"
    if sparsifier == "batch_topk":
        nested = coder.config.nesting == "nested" and len(coder.levels) > 1
        return "MatryoshkaBatchTopKSAE" if nested else "BatchTopKSAE"
    named = {"topk": "AutoEncoderTopK", "jumprelu": "JumpReluAutoEncoder"}
    return named.get(sparsifier, "GatedAutoEncoder")


def _about(coder: SparseCoder) -> dict[str, Any]:
    """What a stranger needs to feed the exported model."""
    read = "sqrt(counts)" if coder.config.transform == "sqrt" else "counts"
    return {
        "format": FORMAT,
        "input": f"({read} - offset) / scale; of a window, all units of the oldest bin first",
        "offset": coder.offset.tolist(),
        "scale": coder.scale.tolist(),
        "window": coder.window,
        "bin_width": coder.record.bin_width,
        "unit_ids": list(coder.record.unit_ids),
        "coder_id": coder.id,
        "sparsifier": coder.config.sparsifier,
        "levels": [list(level) for level in coder.levels],
    }


def _short(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Float tensors as contiguous float32 of their own memory; integers as they are."""
    return {
        name: (tensor.float() if tensor.is_floating_point() else tensor).clone(
            memory_format=torch.contiguous_format
        )
        for name, tensor in tensors.items()
    }


def _json(words: dict[str, Any]) -> bytes:
    return json.dumps(words, indent=1, sort_keys=True).encode()
