"""On which bins candidates are scored, and how well each tells what it does not see (recipe, 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from nwbsparse import names
from nwbsparse.models.coder import SparseCoder
from nwbsparse.training.bins import Windows
from nwbsparse.training.engine import TrainingDiverged
from nwbsparse.training.hidden_units import HiddenScore, hidden_scores, target_scores

FEW_BINS, FOLDS, BLOCKS_PER_FOLD = 200, 5, 2
"""Validation bins below which scores are cross-validated, and over what."""


def folds_of_bins(binned: Any) -> list[Any]:
    """The dataset itself, or, of few validation bins, five: training and validation dealt anew.

    Each fold's blocks of neighbouring bins are validation once; test bins stay where they are.
    """
    parts = np.asarray(binned[names.SPLIT].values)
    if (parts == names.VALIDATION).sum() >= FEW_BINS:
        return [binned]
    own = np.flatnonzero((parts == names.TRAIN) | (parts == names.VALIDATION))
    blocks = np.array_split(own, FOLDS * BLOCKS_PER_FOLD)
    made = []
    for fold in range(FOLDS):
        dealt = parts.copy()
        dealt[own] = names.TRAIN
        dealt[np.concatenate(blocks[fold::FOLDS])] = names.VALIDATION
        made.append(binned.assign_coords({names.SPLIT: (names.TIME, dealt)}))
    return made


def score(
    coders: Sequence[SparseCoder | TrainingDiverged],
    windows: Windows,
    index: torch.Tensor,
    group: np.ndarray,
) -> list[HiddenScore | None]:
    """How well each coder tells hidden units in some bins; None for one that diverged."""
    sound = [one for one in coders if isinstance(one, SparseCoder)]
    if not sound:
        return [None] * len(coders)
    if sound[0].config.mask:
        found = iter(hidden_scores(sound, windows, index, group))
    else:
        found = iter(target_scores(sound, windows, index))
    return [next(found) if isinstance(one, SparseCoder) else None for one in coders]
