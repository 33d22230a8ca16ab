"""What a decoder answers on held-out trials, and how good that is beside chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.splice.batches import SessionTrials, Trials
from nwbsparse.splice.heads import Readout, on_circle
from nwbsparse.splice.transformer import PopulationTransformer

AT_ONCE = 1024
"""Trials that go through the network together."""


@dataclass(frozen=True)
class Answers:
    """What a decoder answered on the trials of one part, session after session."""

    outputs: dict[str, Tensor]
    """Per head: log odds, cosine and sine, or z-scores."""
    targets: dict[str, Tensor]
    """−1 or NaN where there is none."""
    session: Tensor
    """(trial,) number of the session in the list that was given."""
    trial: Tensor
    """(trial,) number of the trial in its session."""


@dataclass(frozen=True)
class HeadScore:
    """How well one head does."""

    metric: str
    """``accuracy``, ``cosine`` (mean cosine of the error of an angle) or ``r2``."""
    value: float
    chance: float
    """The same of the best answer that does not look at the trial."""
    loss: float
    """1 where nothing is known: cross-entropy over log of the number of categories, squared
    distance on the unit circle, mean square of z-scores."""
    n: int
    """Trials (or bins) with a value."""


@torch.no_grad()
def answers(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    *,
    part: int | None = names.TEST,
    heads: Sequence[str] | None = None,
) -> Answers:
    """Answers of a decoder, in evaluation mode, under whatever is put into it at the moment.

    Args:
        model: a decoder; it is left in the mode it was in.
        sessions: trials of sessions that it has a read-in for.
        part: which trials; None for all, blank ones too.
        heads: which heads; all when left open.

    Raises:
        BadInput: no trials in this part, or a session that the decoder does not know.
    """
    asked = {name: model.readout(name).head for name in (model.heads if heads is None else heads)}
    device = model.position.device
    trials = Trials(asked, [one.to(device) for one in sessions], part)
    if not len(trials):
        raise BadInput("there are no trials in this part; deal them with trial_parts first")
    training = model.training
    model.eval()
    outputs: dict[str, list[Tensor]] = {name: [] for name in asked}
    targets: dict[str, list[Tensor]] = {name: [] for name in asked}
    try:
        for index in trials.in_order(AT_ONCE):
            batch = trials.batch(index)
            made = model(batch.activity, session=batch.sessions)
            for name in asked:
                outputs[name].append(made[name].float().cpu())
                targets[name].append(batch.targets[name].cpu())
    finally:
        model.train(training)
    return Answers(
        {name: torch.cat(one) for name, one in outputs.items()},
        {name: torch.cat(one) for name, one in targets.items()},
        trials.session.cpu(),
        trials.trial.cpu(),
    )


def scores(model: PopulationTransformer, found: Answers) -> dict[str, HeadScore]:
    """Score of every head that has values among these trials.

    Args:
        model: the decoder that answered.
        found: its answers.
    """
    return {
        name: one
        for name, output in found.outputs.items()
        if (one := head_score(model.readout(name), output, found.targets[name])) is not None
    }


def scores_by_session(
    model: PopulationTransformer, found: Answers, sessions: Sequence[SessionTrials]
) -> Mapping[str, dict[str, HeadScore]]:
    """The scores of each session by itself: what is good in the mean may be bad in one of them."""
    made = {}
    for number, one in enumerate(sessions):
        own = found.session == number
        part = Answers(
            {name: each[own] for name, each in found.outputs.items()},
            {name: each[own] for name, each in found.targets.items()},
            found.session[own],
            found.trial[own],
        )
        made[one.name] = scores(model, part)
    return made


@torch.no_grad()
def head_score(readout: Readout, output: Tensor, target: Tensor) -> HeadScore | None:
    """Score of one head; None where no trial has a value."""
    home = readout.linear.weight.device
    output, target = output.to(home), target.to(home)
    head = readout.head
    there = head.present(target)
    n = int(there.sum())
    if not n:
        return None
    loss = float(readout.losses(output, target).sum()) / n
    predicted, true = readout.predicted(output)[there], target[there]
    if head.kind == names.CATEGORY:
        shares = torch.bincount(true, minlength=head.size).double() / n
        value = float((predicted == true).double().mean())
        return HeadScore("accuracy", value, float(shares.max()), loss, n)
    if head.kind == names.CIRCULAR:
        wanted = on_circle(true.double(), head.period)
        made = on_circle(predicted.double(), head.period)
        value = float((wanted * made).sum(dim=-1).mean())
        return HeadScore("cosine", value, float(wanted.mean(dim=0).norm()), loss, n)
    true, predicted = true.double(), predicted.double()
    around = (true - true.mean(dim=0)).square().sum()
    error = (true - predicted).square().sum()
    value = 1 - float(error / around) if float(around) > 0 else float("nan")
    return HeadScore("r2", value, 0.0, loss, n)
