"""How well a decoder does under whatever stands at its site, beside the chance of these very trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.splice.head_scores import Answers, head_score
from nwbsparse.splice.transformer import PopulationTransformer

AUROC = "auroc"
RARE = 0.25
"""Share of the rarer of two categories below which a head is scored by AUROC: there always answering
the other one is right nearly always."""


@dataclass(frozen=True)
class SiteScore:
    """The score of one head."""

    metric: str
    """``accuracy`` (chance: the most frequent category of these trials), ``auroc`` (.5) where one of two
    categories is rare, ``cosine`` of the error of an angle, ``r2`` (0)."""
    value: float
    chance: float
    loss: float
    """1 where nothing is known."""
    n: int


def site_scores(model: PopulationTransformer, found: Answers) -> dict[str, SiteScore]:
    """Score of every head that has values among these trials.

    Args:
        model: the decoder that answered.
        found: its answers.
    """
    made = {}
    for name, output in found.outputs.items():
        target = found.targets[name]
        score = head_score(model.readout(name), output, target)
        if score is None:
            continue
        metric, value, chance = score.metric, score.value, score.chance
        if model.heads[name].kind == names.CATEGORY and model.heads[name].size == 2:
            there = target >= 0
            if 0 < min(int((target == code).sum()) for code in (0, 1)) < RARE * int(there.sum()):
                odds = (output[..., 1] - output[..., 0])[there]
                metric, value, chance = AUROC, auroc(odds, target[there] == 1), 0.5
        made[name] = SiteScore(metric, value, chance, score.loss, score.n)
    return made


def auroc(value: Tensor, inside: Tensor) -> float:
    """Probability that a value of a trial inside is above one outside; ties count half."""
    ordered, rank = value.double().unique(return_inverse=True)
    n = torch.bincount(rank, minlength=len(ordered)).double()
    middle = n.cumsum(0) - (n - 1) / 2
    n_in = int(inside.sum())
    n_out = len(inside) - n_in
    total = float(middle[rank][inside].sum())
    return (total - n_in * (n_in + 1) / 2) / (n_in * n_out)


def drops(
    base: Mapping[str, SiteScore], without: Mapping[str, SiteScore], *, margin: float
) -> dict[str, float]:
    """Share of what each head is above chance that is gone; NaN where it was less than ``margin`` above."""
    made = {}
    for name, one in base.items():
        above = one.value - one.chance
        lost = one.value - without[name].value
        made[name] = lost / above if above >= margin else float("nan")
    return made
