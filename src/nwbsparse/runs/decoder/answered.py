"""What each method answers on the test trials of each session: the decoder, and what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.analysis.network.linear_readout import linear_readout
from nwbsparse.progress import Progress
from nwbsparse.runs.decoder.decoder_data import learning_of, untrained
from nwbsparse.runs.decoder.fit_decoder import StoredDecoder
from nwbsparse.runs.outputs import Notify
from nwbsparse.splice.batches import SessionTrials, shaped
from nwbsparse.splice.head_scores import answers
from nwbsparse.splice.heads import Head
from nwbsparse.splice.train_decoder import fit_read_in, train_decoder
from nwbsparse.splice.transformer import PopulationTransformer

NETWORK, ALONE, LINEAR, SHUFFLED, NEW = "network", "alone", "linear", "shuffled", "new_session"
METHODS = (NETWORK, ALONE, LINEAR, SHUFFLED)
"""The decoder; trained without the other sessions; a linear readout; trained on shuffled labels."""


@dataclass(frozen=True)
class Answered:
    """Answers of one method to one variable on test trials of one session."""

    session: str
    head: str
    method: str
    trial: np.ndarray
    """(trial,) numbers of the trials in the session."""
    predicted: np.ndarray
    """(trial,) or (trial, time) in the variable's own terms."""
    true: np.ndarray


def answered(
    stored: StoredDecoder,
    sessions: Sequence[SessionTrials],
    methods: Sequence[str],
    *,
    anew: bool,
    whole: bool = False,
    new: bool = False,
    progress: Progress,
    notify: Notify,
) -> list[Answered]:
    """Answers on the test trials of one deal.

    Args:
        stored: the decoder that is measured.
        sessions: their trials.
        methods: which of ``METHODS``.
        anew: train the decoder anew on these trials; else the kept one answers.
        whole: also leave out each session as a whole.
        new: the sessions are none of the decoder's: fit their read-ins.
        progress, notify: as of :func:`evaluate_decoder`.
    """
    heads, options = stored.model.heads, stored.options

    def trained(some: Sequence[SessionTrials], told: Mapping[str, Head]) -> PopulationTransformer:
        few = [_with(one, told) for one in some]
        return train_decoder(
            untrained(few, dict(told), options), few, options=learning_of(options),
            device=options.device, progress=progress,
        )  # fmt: skip

    found: list[Answered] = []
    if NETWORK in methods:
        model = trained(sessions, heads) if anew else stored.model
        found += _of_model(model, sessions, NETWORK)
    if ALONE in methods and len(sessions) > 1:
        notify("the same decoder for each session alone")
        for one in sessions:
            own = _varying(one, heads)
            if own:
                found += _of_model(trained([one], own), [_with(one, own)], ALONE)
    if LINEAR in methods:
        notify("linear readouts of each session")
        found += [made for one in sessions for made in _linear(one, heads)]
    if SHUFFLED in methods:
        notify("the same decoder on shuffled labels")
        told = [_shuffled(one, heads, seed=options.seed) for one in sessions]
        model = trained(told, heads)
        found += _of_model(model, sessions, SHUFFLED)
    if whole:
        for one in sessions:
            notify(f"without {one.name}, then its read-in alone")
            others = [other for other in sessions if other is not one]
            found += _of_new(trained(others, _known(others, heads)), [one], stored, progress)
    if new:
        found += _of_new(stored.model, sessions, stored, progress)
    return found


def _of_model(
    model: PopulationTransformer, sessions: Sequence[SessionTrials], method: str
) -> list[Answered]:
    """The answers of a decoder, session by session."""
    made = answers(model, sessions)
    found = []
    for number, one in enumerate(sessions):
        own = made.session == number
        for name, output in made.outputs.items():
            if name not in one.targets:
                continue
            readout = model.readout(name)
            with torch.no_grad():
                predicted = readout.predicted(output[own])
            if readout.head.kind == names.CONTINUOUS:
                predicted = predicted[..., 0]
            true = one.targets[name][made.trial[own]]
            found.append(_answered(one, name, method, made.trial[own], predicted, true))
    return found


def _of_new(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    stored: StoredDecoder,
    progress: Progress,
) -> list[Answered]:
    """The answers of a decoder in sessions that it did not learn from, by their read-ins alone."""
    found = []
    for one in sessions:
        known = _with(one, model.heads)
        grown = fit_read_in(
            model, known, options=learning_of(stored.options),
            device=stored.options.device, progress=progress,
        )  # fmt: skip
        found += _of_model(grown, [known], NEW)
    return found


def _linear(one: SessionTrials, heads: Mapping[str, Head]) -> list[Answered]:
    found = []
    test = one.of_part(names.TEST)
    for name, head in heads.items():
        predicted = linear_readout(one, head, name)
        if predicted is not None:
            made = torch.from_numpy(np.ascontiguousarray(predicted))
            found.append(_answered(one, name, LINEAR, test, made, one.targets[name][test]))
    return found


def _answered(
    one: SessionTrials, head: str, method: str, trial: Tensor, predicted: Tensor, true: Tensor
) -> Answered:
    return Answered(one.name, head, method, trial.numpy(), predicted.numpy(), true.numpy())


def _with(one: SessionTrials, heads: Mapping[str, Head]) -> SessionTrials:
    """The session with the targets of some heads alone."""
    return replace(one, targets={k: v for k, v in one.targets.items() if k in heads})


def _varying(one: SessionTrials, heads: Mapping[str, Head]) -> dict[str, Head]:
    """Heads that have two values or more among a session's training trials."""
    train = one.of_part(names.TRAIN)
    found = {}
    for name, head in heads.items():
        if name in one.targets:
            target = shaped(one.targets[name], head)[train]
            if len(target[head.present(target)].unique(dim=0)) > 1:
                found[name] = head
    return found


def _known(sessions: Sequence[SessionTrials], heads: Mapping[str, Head]) -> dict[str, Head]:
    """Heads that can be learned from some sessions."""
    found = {}
    for name, head in heads.items():
        seen = [
            target[head.present(target)]
            for one in sessions
            if name in one.targets
            for target in [shaped(one.targets[name], head)[one.of_part(names.TRAIN)]]
        ]
        if seen and len(torch.cat(seen).unique(dim=0)) > 1:
            found[name] = head
    return found


def _shuffled(one: SessionTrials, heads: Mapping[str, Head], *, seed: int) -> SessionTrials:
    """The session with the labels of its training and validation trials exchanged among them.

    What is the same in the whole session stays: it can only be exchanged among sessions.
    """
    generator = torch.Generator().manual_seed(seed)
    told = torch.nonzero((one.part == names.TRAIN) | (one.part == names.VALIDATION))[:, 0]
    targets = {}
    for name, target in one.targets.items():
        exchanged = target.clone()
        exchanged[told] = target[told[torch.randperm(len(told), generator=generator)]]
        targets[name] = exchanged
    assert all(
        heads[name].kind != names.CATEGORY or t.dtype == torch.int64 for name, t in targets.items()
    )
    return replace(one, targets=targets)
