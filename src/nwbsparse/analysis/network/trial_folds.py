"""Several deals of the trials of a session, so that each trial is held out once."""

from __future__ import annotations

import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.errors import BadInput

FEWEST_FOLDS = 2


def trial_folds(
    codes: Tensor, *, n_folds: int, validation: float = 0.1, seed: int = 0
) -> list[Tensor]:
    """Deal trials into folds; in each the trials of one fold are tested, and some others validate.

    Args:
        codes: (trial,) what each trial is of (:func:`strata`); every code is spread over all folds.
            Trials with a negative code are of no part.
        n_folds: number of folds.
        validation: share of the trials that are not tested.
        seed: of the deal.

    Returns:
        Per fold (trial,) ``names.TRAIN``, ``VALIDATION``, ``TEST`` or ``GAP``.

    Raises:
        BadInput: there are fewer trials than folds, or fewer than two folds.
    """
    generator = torch.Generator().manual_seed(seed)
    there = torch.nonzero(codes >= 0)[:, 0]
    if n_folds < FEWEST_FOLDS or len(there) < 2 * n_folds:
        raise BadInput(
            f"{len(there)} trials cannot be dealt into {n_folds} folds; there must be at least "
            f"{FEWEST_FOLDS}, with two trials each"
        )
    # those of a code stand together, in random order: every n-th of them is of one fold
    shuffled = there[torch.randperm(len(there), generator=generator)]
    ordered = shuffled[torch.argsort(codes[shuffled], stable=True)]
    place = torch.arange(len(ordered)) % n_folds
    every = max(round(1 / validation), 2) if validation else len(ordered) + 1
    found = []
    for fold in range(n_folds):
        parts = torch.full(codes.shape, names.GAP, dtype=torch.long)
        tested = place == fold
        parts[ordered[tested]] = names.TEST
        others = ordered[~tested]
        parts[others] = names.TRAIN
        parts[others[fold % every :: every]] = names.VALIDATION
        found.append(parts)
    return found
