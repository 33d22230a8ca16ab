"""What other packages made of one input, and our coder with the weights that they were given.

``benchmarks/oracles`` makes the files and says what every array is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from make.coders import settled
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import CoderRecord
from nwbsparse.models.stack import Outcome, Stack

FOLDER = Path(__file__).parents[1] / "golden" / "oracles"
OURS = {
    "encoder_weight": "encoder_weight",
    "encoder_bias": "encoder_bias",
    "dictionary": "dictionary",
    "decoder_bias": "decoder_bias",
}
GATED = OURS | {
    "encoder_bias": "gate_bias",
    "log_gain": "gate_log_scale",
    "magnitude_bias": "gate_magnitude_bias",
}


@dataclass
class Peer:
    """A package's answers: arrays in float64, and its words about them."""

    name: str

    def __post_init__(self) -> None:
        with np.load(FOLDER / f"{self.name}.npz") as stored:
            self.arrays = {key: torch.from_numpy(stored[key]) for key in stored}
        self.words = json.loads((FOLDER / f"{self.name}.json").read_text(encoding="utf-8"))

    def __getitem__(self, name: str) -> Tensor:
        return self.arrays[name].double()

    def coder(self, *, pre_bias: bool = True, **options: Any) -> SparseCoder:
        """Our coder with the weights that the peer was given, in float64."""
        size = {} if "levels" in options else {"n_latents": 48, "k": self.words["k"]}
        config = settled(n_units=20, normalisation="none", **size | options)
        coder = SparseCoder(CoderRecord(config, tuple(str(unit) for unit in range(20)), 0.1))
        names = GATED if options["sparsifier"] == "gated" else OURS
        if options["sparsifier"] == "jumprelu":
            names = names | {"log_threshold": "log_threshold"}
        coder.load_state_dict({ours: self[theirs] for ours, theirs in names.items()}, strict=False)
        if pre_bias:
            coder.pre_bias.copy_(self["decoder_bias"])
        if "batch_topk/threshold" in self.arrays:
            coder.threshold.fill_(float(self["batch_topk/threshold"].flatten()[0]))
        return coder.eval()


DICTIONARY_LEARNING, SAE_LENS = Peer("dictionary_learning"), Peer("sae_lens")


def near(ours: Tensor, theirs: Tensor, *, share: float = 2e-5) -> None:
    """Assert that both are equal up to the peers' float32 sums."""
    scale = float(theirs.abs().max())
    torch.testing.assert_close(ours.detach(), theirs, rtol=1e-5, atol=share * scale)


def trained(peer: Peer, coder: SparseCoder) -> tuple[Stack, Outcome, dict[str, Tensor]]:
    """Outcome and gradients of a step on the peer's input; of the input, its sum over bins."""
    stack = Stack([coder])
    target = peer["input"]
    y = target.clone().requires_grad_()
    outcome = stack.forward(y[:, None], target, None)
    outcome.loss.sum().backward()
    gradients = {name: weight.grad[0] for name, weight in stack.weights.items()}
    # peers' decoder bias is the pre-bias as well; ours is the training mean, which is not learned
    gradients["decoder_bias, both uses"] = gradients["decoder_bias"] - y.grad.sum(dim=0)
    return stack, outcome, gradients
