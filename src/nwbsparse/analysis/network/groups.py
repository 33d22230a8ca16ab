"""Any variable as groups of trials: categories as they are, angles and numbers cut into parts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.heads import BIN, Head

PARTS = 8
"""Of a circular variable."""
QUANTILES = 5
"""Of a continuous one."""


@dataclass(frozen=True)
class Groups:
    """How the values of a head are put into groups, and what these are called."""

    head: Head
    labels: tuple[str, ...]
    edges: np.ndarray | None = None
    """Of a continuous variable, between its groups."""

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, values: Tensor) -> np.ndarray:
        """The group of every value, −1 for none. Values over time are those of the trial's mean."""
        if self.head.kind == names.CATEGORY:
            return values.numpy().astype(np.int64)
        numbers = _numbers(self.head, values)
        there = np.isfinite(numbers)
        kept = np.where(there, numbers, 0.0)
        if self.edges is None:
            part = self.head.period / PARTS
            codes = np.round(kept / part).astype(np.int64) % PARTS
        else:
            codes = np.searchsorted(self.edges, kept, side="right")
        return np.where(there, codes, -1)


def groups_of(head: Head, train: Tensor) -> Groups:
    """The groups of a head; those of numbers are quantiles of the training trials.

    Args:
        head: what is decoded.
        train: its values in training trials.
    """
    if head.kind == names.CATEGORY:
        return Groups(head, head.values or tuple(str(code) for code in range(head.size)))
    if head.kind == names.CIRCULAR:
        part = head.period / PARTS
        return Groups(head, tuple(f"{part * at:g}" for at in range(PARTS)))
    numbers = _numbers(head, train)
    shares = np.linspace(0, 1, QUANTILES + 1)
    cuts = np.quantile(numbers[np.isfinite(numbers)], shares)
    edges = np.unique(cuts[1:-1])
    bounds = [cuts[0], *edges, cuts[-1]]
    labels = [f"{low:.3g} to {high:.3g}" for low, high in pairwise(bounds)]
    return Groups(head, tuple(labels), edges)


def is_constant(sessions: list[SessionTrials], head: str) -> bool:
    """Whether a category is one and the same in all trials of each session (a genotype)."""
    found = [one.targets[head][one.part != names.GAP] for one in sessions if head in one.targets]
    if not found or found[0].is_floating_point():
        return False
    return all(len(one[one >= 0].unique()) <= 1 for one in found)


def _numbers(head: Head, values: Tensor) -> np.ndarray:
    """(trial,) one number each: the mean over time (of angles the circular one), the first of several."""
    if head.kind == names.CIRCULAR:
        angle = values.double() * (2 * torch.pi / head.period)
        if head.per == BIN:
            angle = torch.atan2(angle.sin().nanmean(dim=1), angle.cos().nanmean(dim=1))
        return (torch.remainder(angle / (2 * torch.pi), 1.0) * head.period).numpy()
    several = values.double()
    if several.ndim == (3 if head.per == BIN else 2):
        several = several[..., 0]
    return (several.nanmean(dim=1) if head.per == BIN else several).numpy()
