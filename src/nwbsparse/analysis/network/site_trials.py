"""What a site of a decoder does in the trials of one part, beside what was shown in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.capture import capture
from nwbsparse.splice.head_scores import Answers, answers
from nwbsparse.splice.site import site
from nwbsparse.splice.transformer import PopulationTransformer


@dataclass(frozen=True)
class SiteTrials:
    """The activity of a site in some trials of several sessions, and the decoder's answers there."""

    at: str
    """Name of the site."""
    activity: Tensor
    """(trial, time, dim), or (trial, dim)."""
    found: Answers
    """Answers, targets, number of the session and of the trial in it."""

    def __len__(self) -> int:
        return len(self.activity)

    def target(self, head: str) -> Tensor:
        """(trial,) or (trial, …) what was to be answered."""
        return self.found.targets[head]

    @property
    def session(self) -> Tensor:
        """(trial,) number of the session."""
        return self.found.session


def captured(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    *,
    at: str,
    part: int | None = names.TEST,
) -> SiteTrials:
    """Run a decoder over the trials of one part and write down what its site does.

    Args:
        model: a decoder.
        sessions: its trials.
        at: name of the site.
        part: which trials; None for all, blank ones too.

    Raises:
        BadInput: no such site or session, or no trials.
    """
    with capture(site(model, at)) as seen, torch.no_grad():
        found = answers(model, sessions, part=part)
    return SiteTrials(at, seen.activity.float().cpu(), found)
