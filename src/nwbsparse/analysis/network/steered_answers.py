"""Other conditions for trials, what latents are in them, and how far answers went there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from nwbsparse import names
from nwbsparse.splice.heads import Head
from nwbsparse.splice.replace import Change

LEAST_APART = 0.05
"""Probability by which a condition must be told from its absence to be steered to."""


def other_conditions(
    shown: Int[np.ndarray, " trial"],
    known: Int[np.ndarray, " train_trial"],
    rng: np.random.Generator,
) -> Int[np.ndarray, " trial"]:
    """A condition for every trial that is not the one that was shown; −1 where none was.

    Args:
        shown: the group of every trial.
        known: the groups of training trials: only these can be steered to.
        rng: draws them, each of the others being as likely.
    """
    conditions = np.unique(known[known >= 0])
    wanted = rng.choice(conditions, len(shown))
    again = (wanted == shown) & (len(conditions) > 1)
    while again.any():
        wanted[again] = rng.choice(conditions, int(again.sum()))
        again = wanted == shown
    return np.where((shown >= 0) & (wanted != shown), wanted, -1)


def profiles(code: Tensor, group: Int[np.ndarray, " trial"]) -> Tensor:
    """(group, …, channel): the mean course of every channel over the trials of each condition."""
    made = code.new_zeros((int(group.max(initial=0)) + 1, *code.shape[1:]))
    for one in np.unique(group[group >= 0]):
        made[one] = code[torch.from_numpy(group == one)].mean(dim=0)
    return made


def set_to(
    latents: Sequence[int], values: Tensor, wanted: Int[np.ndarray, " trial"], dose: float
) -> Change:
    """Latents of trials, one after the other, set to ``dose`` times what they are in other conditions.

    Args:
        latents: which ones.
        values: from :func:`profiles`.
        wanted: the condition of every trial, in the order in which they pass; −1 leaves a trial alone.
        dose: how much of it.
    """
    passed = 0
    chosen = torch.zeros(values.shape[-1], dtype=torch.bool)
    chosen[list(latents)] = True

    def change(x: Tensor) -> Tensor:
        nonlocal passed
        own = torch.from_numpy(wanted[passed : passed + len(x)])
        passed += len(x)
        there = (own >= 0).view(-1, *([1] * (x.ndim - 1))) & chosen
        return torch.where(there.to(x.device), dose * values[own.clamp(min=0)].to(x), x)

    return change


def target_effect(
    head: Head,
    before: Tensor,
    after: Tensor,
    shown: Int[np.ndarray, " trial"],
    wanted: Int[np.ndarray, " trial"],
) -> float:
    """How far the answers of a head went to the other conditions, 1 being all the way; NaN where the
    intact network does not tell them apart.

    Args:
        head: what is decoded.
        before, after: its outputs in the intact and in the steered network.
        shown, wanted: the condition of every trial, and the one it was steered to; −1 for none.
    """
    if head.kind == names.CATEGORY:
        first, second = before.double().softmax(-1).numpy(), after.double().softmax(-1).numpy()
        return _more_probable(first, second, shown, wanted)
    steered = wanted >= 0
    first, second = (one.double().flatten(1).numpy() for one in (before, after))
    mean = np.stack([
        first[shown == one].mean(axis=0) if (shown == one).any() else np.full(first.shape[1], np.nan)
        for one in range(max(shown.max(), wanted.max()) + 1)
    ])  # fmt: skip
    way = mean[wanted[steered]] - mean[shown[steered]]
    gone = second[steered] - first[steered]
    whole = np.nansum(way**2)
    return float(np.nansum(gone * way) / whole) if whole > 0 else float("nan")


def _more_probable(
    first: np.ndarray, second: np.ndarray, shown: np.ndarray, wanted: np.ndarray
) -> float:
    """Mean over conditions of (probability steered − intact) / (probability where shown − intact)."""
    shares = []
    for one in np.unique(wanted[wanted >= 0]):
        steered = wanted == one
        there = first[shown == one, one]
        if not len(there):
            continue
        before = first[steered, one].mean()
        if there.mean() - before >= LEAST_APART:
            shares.append((second[steered, one].mean() - before) / (there.mean() - before))
    return float(np.mean(shares)) if shares else float("nan")
