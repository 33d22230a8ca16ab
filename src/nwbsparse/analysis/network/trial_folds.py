"""Several deals of the trials of sessions, so that each trial is held out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.errors import BadInput, raise_together
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.heads import Head

FEWEST_FOLDS = 2


def trial_folds(
    sessions: Sequence[SessionTrials],
    heads: Mapping[str, Head],
    *,
    n_folds: int,
    validation: float = 0.1,
    seed: int = 0,
) -> list[list[SessionTrials]]:
    """Deal trials into folds; in each the trials of one fold are tested, and some others validate.

    Every combination of categories is spread over all folds. Trials that are of no part (blank ones)
    stay so.

    Args:
        sessions: trials with targets and parts.
        heads: what is predicted.
        n_folds: number of folds.
        validation: share of the trials that are not tested.
        seed: of the deal.

    Returns:
        Per fold all sessions with their parts in it.

    Raises:
        BadInput: a session has fewer trials than two per fold, or there are fewer than two folds.
    """
    if n_folds < FEWEST_FOLDS:
        raise BadInput(f"folds is {n_folds}; there must be at least {FEWEST_FOLDS}")
    raise_together(
        [
            f"session '{one.name}' has {int((one.part != names.GAP).sum())} trials"
            for one in sessions
            if int((one.part != names.GAP).sum()) < 2 * n_folds
        ],
        heading=f"trials cannot be dealt into {n_folds} folds",
    )
    generator = torch.Generator().manual_seed(seed)
    dealt = [_parts(one, heads, n_folds, validation, generator) for one in sessions]
    return [
        [replace(one, part=parts[fold]) for one, parts in zip(sessions, dealt, strict=True)]
        for fold in range(n_folds)
    ]


def _parts(
    one: SessionTrials,
    heads: Mapping[str, Head],
    n_folds: int,
    validation: float,
    generator: torch.Generator,
) -> list[Tensor]:
    codes = _codes(one, heads)
    there = torch.nonzero(one.part != names.GAP)[:, 0]
    # those of a code stand together, in random order: every n-th of them is of one fold
    shuffled = there[torch.randperm(len(there), generator=generator)]
    ordered = shuffled[torch.argsort(codes[shuffled], stable=True)]
    place = torch.arange(len(ordered)) % n_folds
    every = max(round(1 / validation), 2)
    found = []
    for fold in range(n_folds):
        parts = torch.full_like(one.part, names.GAP)
        parts[ordered[place == fold]] = names.TEST
        others = ordered[place != fold]
        parts[others] = names.TRAIN
        parts[others[fold % every :: every]] = names.VALIDATION
        found.append(parts)
    return found


def _codes(one: SessionTrials, heads: Mapping[str, Head]) -> Tensor:
    """(trial,) the combination of categories."""
    codes = torch.zeros(len(one.part), dtype=torch.long)
    for name, head in heads.items():
        if head.kind == names.CATEGORY and name in one.targets:
            codes = codes * (head.size + 1) + one.targets[name] + 1
    return codes
