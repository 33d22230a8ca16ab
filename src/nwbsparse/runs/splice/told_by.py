"""Variables that say what another one is, as a direction does of its orientation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import torch

from nwbsparse import names
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.heads import Head


def told_by(sessions: Sequence[SessionTrials], heads: Mapping[str, Head]) -> list[tuple[str, str]]:
    """Pairs of categories where each value of the first goes with one value of the second.

    What is the same in a whole session is left out: nothing within a session tells it.

    Args:
        sessions: their trials.
        heads: what is decoded.
    """
    known = [name for name, head in heads.items() if head.kind == names.CATEGORY]
    varying = [name for name in known if any(_varies(one, name) for one in sessions)]
    return [
        (first, second)
        for first, second in permutations(varying, 2)
        if _told(sessions, first, second)
    ]


def _varies(one: SessionTrials, name: str) -> bool:
    return name in one.targets and len(_present(one.targets[name]).unique()) > 1


def _present(codes: torch.Tensor) -> torch.Tensor:
    return codes[codes >= 0]


def _told(sessions: Sequence[SessionTrials], first: str, second: str) -> bool:
    pairs = [
        torch.stack([one.targets[first], one.targets[second]], dim=1)
        for one in sessions
        if first in one.targets and second in one.targets
    ]
    if not pairs:
        return False
    both = torch.cat(pairs)
    both = both[(both >= 0).all(dim=1)].unique(dim=0)
    return len(both) > 0 and len(both) == len(both[:, 0].unique())
