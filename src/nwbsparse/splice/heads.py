"""What a decoder is asked: a stimulus, an angle, a number; how its answer is read and how wrong it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nwbsparse import names
from nwbsparse.errors import raise_together

KINDS = (names.CATEGORY, names.CIRCULAR, names.CONTINUOUS)
BIN = "bin"
NONE = -1
"""The code of a trial without a category; numbers say it with NaN."""


@dataclass(frozen=True)
class Head:
    """One variable that a decoder predicts from a trial, or from each bin of it.

    Raises:
        BadInput: the description contradicts itself.
    """

    kind: str
    """``category``, ``circular`` (an angle, a phase) or ``continuous``."""
    size: int = 1
    """Number of categories; of numbers that a continuous variable has; 1 for a circular one."""
    period: float = 0.0
    """What a circular variable comes back to itself after, in its own unit."""
    per: str = names.TRIAL
    """Whether there is one value per ``trial`` or one per ``bin``."""
    values: tuple[str, ...] = ()
    """Names of the categories in the order of their codes, where they are known."""

    def __post_init__(self) -> None:
        problems = []
        if self.kind not in KINDS:
            problems.append(f"its kind is '{self.kind}'; there are {', '.join(KINDS)}")
        if self.per not in (names.TRIAL, BIN):
            problems.append(f"per is '{self.per}'; there are {names.TRIAL} and {BIN}")
        if self.kind == names.CATEGORY and self.size < 2:
            problems.append(f"it has {self.size} category; a label with one value says nothing")
        if self.kind == names.CIRCULAR and not self.period > 0:
            problems.append("a circular variable needs the period after which it comes back")
        if self.kind == names.CIRCULAR and self.size != 1:
            problems.append(f"a circular variable is one number, not {self.size}")
        if self.size < 1:
            problems.append(f"its size is {self.size}")
        if self.values and len(self.values) != self.size:
            problems.append(f"{len(self.values)} values are named, its size is {self.size}")
        raise_together(problems, heading="this head cannot be made")

    @property
    def n_outputs(self) -> int:
        """Numbers that the network gives per value: log odds, cosine and sine, or z-scores."""
        return 2 if self.kind == names.CIRCULAR else self.size

    def present(self, target: Tensor) -> Tensor:
        """Where there is a value to be predicted, one answer per trial or bin."""
        if self.kind == names.CATEGORY:
            return target >= 0
        finite = torch.isfinite(target)
        return finite if self.kind == names.CIRCULAR else finite.all(dim=-1)


class Readout(nn.Module):
    """The linear map from a vector of the network to the answer of one head, and its scale."""

    mean: Tensor
    spread: Tensor

    def __init__(self, head: Head, d_model: int) -> None:
        super().__init__()
        self.head = head
        self.linear = nn.Linear(d_model, head.n_outputs)
        if head.kind == names.CONTINUOUS:
            self.register_buffer("mean", torch.zeros(head.size))
            self.register_buffer("spread", torch.ones(head.size))

    def forward(self, vector: Tensor) -> Tensor:
        return self.linear(vector)

    @torch.no_grad()
    def scale(self, targets: Sequence[Tensor]) -> None:
        """Take mean and standard deviation of a continuous variable from its training values."""
        if self.head.kind != names.CONTINUOUS:
            return
        rows = torch.cat([one.double().reshape(-1, self.head.size) for one in targets])
        rows = rows[torch.isfinite(rows).all(dim=1)]
        self.mean.copy_(rows.mean(dim=0))
        spread = rows.std(dim=0, unbiased=False)
        self.spread.copy_(torch.where(spread > 0, spread, 1.0))

    def losses(self, output: Tensor, target: Tensor) -> Tensor:
        """Loss of every trial (or bin), 1 where nothing is known; 0 where there is no value.

        Cross-entropy over the logarithm of the number of categories; squared distance on the unit
        circle; mean square of z-scores. So every head weighs the same, whatever it is of.
        """
        head, there = self.head, self.head.present(target)
        if head.kind == names.CATEGORY:
            codes = torch.where(there, target, 0).long()
            flat = functional.cross_entropy(
                output.float().flatten(0, -2), codes.flatten(), reduction="none"
            )
            return torch.where(there, flat.view(codes.shape) / math.log(head.size), 0.0)
        if head.kind == names.CIRCULAR:
            wanted = on_circle(torch.where(there, target, 0.0), head.period)
            lost = (output.float() - wanted).square().sum(dim=-1)
        else:
            wanted = (torch.where(there[..., None], target, 0.0) - self.mean) / self.spread
            lost = (output.float() - wanted).square().mean(dim=-1)
        return torch.where(there, lost, 0.0)

    def predicted(self, output: Tensor) -> Tensor:
        """The answer in the variable's own terms: a code, an angle in [0, period), numbers."""
        head = self.head
        if head.kind == names.CATEGORY:
            return output.argmax(dim=-1)
        if head.kind == names.CIRCULAR:
            angle = torch.atan2(output[..., 1], output[..., 0])
            return torch.remainder(angle / (2 * math.pi), 1.0) * head.period
        return output * self.spread + self.mean


def on_circle(value: Tensor, period: float) -> Tensor:
    """(…,) → (…, 2): cosine and sine of a circular variable."""
    angle = value * (2 * math.pi / period)
    return torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1)
