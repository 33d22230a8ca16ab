"""The read-in, the part of a decoder that belongs to one session: its units, scaled, to a token."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class ReadIn(nn.Module):
    """Units of a session → tokens, by a linear map of z-scores; what was not observed is the mean.

    It has no bias: a silent population says nothing of which session it is, so a property of the
    whole session (a genotype) is not there before a unit does something.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, n_units: int, d_model: int, unit_dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(n_units, d_model, bias=False)
        self.unit_dropout = unit_dropout
        self.register_buffer("mean", torch.zeros(n_units))
        self.register_buffer("spread", torch.ones(n_units))

    def forward(
        self, activity: Float[Tensor, "trial time unit"]
    ) -> Float[Tensor, "trial time dim"]:
        z = (activity - self.mean) / self.spread
        z = torch.nan_to_num(z, nan=0.0, posinf=0.0, neginf=0.0)
        if self.training and self.unit_dropout:
            kept = functional.dropout(z.new_ones(len(z), 1, z.shape[2]), self.unit_dropout)
            z = z * kept
        return self.linear(z)

    @torch.no_grad()
    def scale(self, activity: Float[Tensor, "trial time unit"]) -> None:
        """Take mean and standard deviation of every unit from its training trials.

        A unit that never changes there, or was never observed, reads as nothing.
        """
        rows = activity.double().flatten(0, 1)
        there = torch.isfinite(rows)
        n = there.sum(dim=0).clamp(min=1)
        mean = torch.where(there, rows, 0.0).sum(dim=0) / n
        variance = torch.where(there, (rows - mean).square(), 0.0).sum(dim=0) / n
        changes = variance > 1e-12 * mean.square()
        self.mean.copy_(mean)
        # of a unit without a scale nothing must come: infinity divides all to 0
        self.spread.copy_(torch.where(changes, variance.sqrt(), torch.inf))
