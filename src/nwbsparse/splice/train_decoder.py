"""A decoder from its first update to its best one, and the read-in of a session it never saw."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from nwbsparse import names
from nwbsparse.errors import BadInput, unknown
from nwbsparse.models.device import pick_device
from nwbsparse.progress import Progress, silent
from nwbsparse.splice.batches import Batch, SessionTrials, Trials, check_sessions, shaped
from nwbsparse.splice.learning import Learning, LearningOptions, digest_of
from nwbsparse.splice.transformer import PopulationTransformer

LOOKED = 1024
"""Trials that are looked at together."""


def train_decoder(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    *,
    options: LearningOptions | None = None,
    device: str = "auto",
    progress: Progress = silent,
    checkpoint: str | Path | None = None,
    resume: bool = False,
) -> PopulationTransformer:
    """Train a decoder on the training trials of all sessions; the best one it was on the validation trials.

    Args:
        model: untrained, or from where it is to go on; it is not changed.
        sessions: their trials with targets and parts. Test trials are not looked at.
        options: how it is trained.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        progress: called at every look at the validation trials, stage ``decoder``.
        checkpoint: a folder; the training is saved there. Ctrl-C lets the update finish and saves.
        resume: go on from there; the result is the one of a training that was never stopped.

    Returns:
        A new decoder on the CPU, in evaluation mode, its ``history`` longer by a row per
        check: ``validation_loss`` (the mean over heads; 1 where nothing is known) and that of each head.

    Raises:
        BadInput: trials and decoder do not belong together, or the checkpoint is of another training.
        DecoderDiverged: the loss became NaN or infinite.
    """
    check_sessions(model, sessions)
    where = pick_device(device)
    trained = copy.deepcopy(model).to(where)
    sessions = [one.to(where) for one in sessions]
    for one in sessions:
        if len(train := one.of_part(names.TRAIN)):
            trained.read_in(one.name).scale(one.activity[train])
    for name, head in model.heads.items():
        having = [one for one in sessions if name in one.targets]
        rows = [shaped(one.targets[name], head)[one.of_part(names.TRAIN)] for one in having]
        trained.readout(name).scale(rows)
    return _learned(
        trained,
        dict(trained.named_parameters()),
        sessions,
        options or LearningOptions(),
        progress=progress,
        stage="decoder",
        checkpoint=checkpoint,
        resume=resume,
        identity={"network": digest_of(model.state_dict()), "trained": "all"},
    )


def fit_read_in(
    model: PopulationTransformer,
    session: SessionTrials,
    *,
    heads: Sequence[str] | None = None,
    options: LearningOptions | None = None,
    device: str = "auto",
    progress: Progress = silent,
    checkpoint: str | Path | None = None,
    resume: bool = False,
) -> PopulationTransformer:
    """Let a trained decoder read a session it never saw: its read-in is fitted, all else stays frozen.

    A variable that has one value in the whole session (a genotype) is not fitted: the read-in could
    answer it whatever the units do, and predicting it in a new session would mean nothing.

    Args:
        model: a trained decoder; it is not changed.
        session: its trials with targets and parts.
        heads: what the read-in is fitted to; left open: all that vary within its training trials.
        options, device, progress, checkpoint, resume: as of :func:`train_decoder`.

    Returns:
        A new decoder that has this session too.

    Raises:
        BadInput: no head varies in the session, or one that is asked for does not; as of
            :func:`train_decoder` besides.
    """
    grown = model.with_session(session.name, session.activity.shape[-1])
    wanted = _fitted_heads(model, session, heads)
    targets = {name: one for name, one in session.targets.items() if name in wanted}
    where = pick_device(device)
    learned_from = replace(session, targets=targets)
    check_sessions(grown, [learned_from], heads=wanted)
    grown = grown.to(where)
    learned_from = learned_from.to(where)
    one = grown.read_in(session.name)
    one.scale(learned_from.activity[learned_from.of_part(names.TRAIN)])
    weights = {f"read_in.{name}": weight for name, weight in one.named_parameters()}
    return _learned(
        grown,
        weights,
        [learned_from],
        options or LearningOptions(),
        progress=progress,
        stage="read-in",
        checkpoint=checkpoint,
        resume=resume,
        identity={"network": digest_of(model.state_dict()), "trained": f"read-in of {wanted}"},
        heads=wanted,
    )


def head_losses(
    model: PopulationTransformer, batch: Batch, heads: Sequence[str]
) -> dict[str, tuple[Tensor, Tensor]]:
    """Sum of the losses of a batch and number of values, per head."""
    outputs = model(batch.activity, session=batch.sessions)
    found = {}
    for name in heads:
        readout, target = model.readout(name), batch.targets[name]
        found[name] = (
            readout.losses(outputs[name], target).sum(),
            readout.head.present(target).sum(),
        )
    return found


def mean_loss(model: PopulationTransformer, batch: Batch, heads: Sequence[str]) -> Tensor:
    """Mean over heads of the mean loss of those trials that have a value."""
    losses = head_losses(model, batch, heads).values()
    return torch.stack([total / n.clamp(min=1) for total, n in losses]).mean()


@torch.no_grad()
def losses_on(
    model: PopulationTransformer, trials: Trials, heads: Sequence[str]
) -> dict[str, float]:
    """Mean loss of each head, and of all as ``validation_loss``, in evaluation mode."""
    training = model.training
    model.eval()
    try:
        sums = {name: [0.0, 0] for name in heads}
        for index in trials.in_order(LOOKED):
            for name, (total, n) in head_losses(model, trials.batch(index), heads).items():
                sums[name][0] += float(total)
                sums[name][1] += int(n)
    finally:
        model.train(training)
    found = {name: total / n for name, (total, n) in sums.items() if n}
    if not found:
        raise BadInput(f"no validation trial has a value of {', '.join(heads)}")
    return {"validation_loss": sum(found.values()) / len(found), **found}


def _learned(
    model: PopulationTransformer,
    weights: Mapping[str, Parameter],
    sessions: Sequence[SessionTrials],
    options: LearningOptions,
    *,
    progress: Progress,
    stage: str,
    checkpoint: str | Path | None,
    resume: bool,
    identity: Mapping[str, Any],
    heads: Sequence[str] | None = None,
) -> PopulationTransformer:
    asked = list(model.heads) if heads is None else list(heads)
    described = {name: model.heads[name] for name in asked}
    train = Trials(described, sessions, names.TRAIN)
    validation = Trials(described, sessions, names.VALIDATION)
    model.requires_grad_(False)
    for weight in weights.values():
        weight.requires_grad_(True)
    learning = Learning(
        weights,
        lambda index: mean_loss(model, train.batch(index), asked),
        lambda: losses_on(model, validation, asked),
        train,
        options,
    )
    model.train()
    rows = learning.run(
        progress,
        stage=stage,
        checkpoint=None if checkpoint is None else Path(checkpoint).expanduser(),
        resume=resume,
        identity={**identity, "data": data_digest(sessions)},
    )
    model.history = [*model.history, *({"stage": stage, **row} for row in rows)]
    return model.requires_grad_(True).cpu().eval()


def data_digest(sessions: Sequence[SessionTrials]) -> str:
    """Changes when any trial, target or part does."""
    tensors = {}
    for one in sessions:
        tensors |= {f"{one.name}/activity": one.activity, f"{one.name}/part": one.part}
        tensors |= {f"{one.name}/target/{name}": each for name, each in one.targets.items()}
    return digest_of(tensors)


def _fitted_heads(
    model: PopulationTransformer, session: SessionTrials, heads: Sequence[str] | None
) -> list[str]:
    train = session.of_part(names.TRAIN)
    varies = []
    for name, head in model.heads.items():
        if name not in session.targets:
            continue
        target = shaped(session.targets[name], head)[train]
        if len(target[head.present(target)].unique(dim=0)) > 1:
            varies.append(name)
    for name in heads or ():
        if name not in model.heads:
            raise unknown(name, model.heads, what="head", of="the decoder")
    constant = [name for name in heads or () if name not in varies]
    if constant or not varies:
        what = ", ".join(constant) if constant else "every head"
        raise BadInput(
            f"{what} has one value, or none, in the training trials of session '{session.name}': "
            "its read-in cannot be fitted to that"
        )
    return varies if heads is None else list(heads)
