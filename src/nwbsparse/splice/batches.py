"""Trials of several sessions as tensors, and batches that mix them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from nwbsparse import names
from nwbsparse.errors import did_you_mean, raise_together
from nwbsparse.splice.heads import BIN, NONE, Head
from nwbsparse.splice.transformer import PopulationTransformer


@dataclass(frozen=True)
class SessionTrials:
    """The trials of one session: what was recorded, what is to be predicted, which part each is of."""

    name: str
    activity: Tensor
    """(trial, time, unit) float32; NaN where not observed."""
    targets: Mapping[str, Tensor]
    """Per head: (trial,) codes with −1 for none, (trial,) or (trial, size) numbers with NaN for
    none; heads of bins (trial, time) or (trial, time, size). A head may be absent."""
    part: Tensor
    """(trial,) ``names.TRAIN``, ``VALIDATION``, ``TEST``, or ``GAP`` for trials of no part."""

    def to(self, device: torch.device) -> SessionTrials:
        """The same on a device."""
        targets = {name: one.to(device) for name, one in self.targets.items()}
        return replace(
            self,
            activity=self.activity.to(device),
            targets=targets,
            part=self.part.to(device),
        )

    def of_part(self, part: int | None) -> Tensor:
        """The numbers of the trials of one part; of all trials for None."""
        if part is None:
            return torch.arange(len(self.part), device=self.part.device)
        return torch.nonzero(self.part == part)[:, 0]


@dataclass(frozen=True)
class Batch:
    """Some trials of some sessions, one session after the other."""

    sessions: list[str]
    activity: list[Tensor]
    """Of each session."""
    targets: dict[str, Tensor]
    """Of all, in the same order."""

    def __len__(self) -> int:
        return sum(len(one) for one in self.activity)


def trial_parts(
    n_trials: int,
    *,
    test: float = 0.2,
    validation: float = 0.1,
    strata: Tensor | None = None,
    seed: int = 0,
) -> Tensor:
    """Deal the trials of a session to training, validation and test.

    Args:
        n_trials: of the session.
        test, validation: shares of all trials.
        strata: (trial,) codes; each code is dealt by itself, so that every part has its share of
            it. Trials with a negative code (blank ones) are of no part.
        seed: of the deal.

    Returns:
        (trial,) ``names.TRAIN``, ``VALIDATION``, ``TEST`` or ``GAP``.
    """
    generator = torch.Generator().manual_seed(seed)
    codes = torch.zeros(n_trials, dtype=torch.long) if strata is None else strata.long()
    parts = torch.full((n_trials,), names.GAP, dtype=torch.long)
    done = 0
    for code in codes.unique().tolist():
        if code < 0:
            continue
        at = torch.nonzero(codes == code)[:, 0]
        at = at[torch.randperm(len(at), generator=generator)]
        # shares of a code that are no whole numbers even out over the codes
        now = done + len(at)
        n_test, n_validation = (
            round(now * share) - round(done * share) for share in (test, validation)
        )
        done = now
        parts[at] = names.TRAIN
        parts[at[: n_test + n_validation]] = names.VALIDATION
        parts[at[:n_test]] = names.TEST
    return parts


def shaped(target: Tensor, head: Head) -> Tensor:
    """A target as losses take it: a last axis of its own for continuous variables of one number."""
    n_axes = 2 if head.per == BIN else 1
    if head.kind == names.CATEGORY:
        return target.long()
    if head.kind == names.CONTINUOUS and target.ndim == n_axes:
        return target.float()[..., None]
    return target.float()


def check_sessions(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    *,
    heads: Sequence[str] | None = None,
) -> None:
    """Make sure that trials and decoder belong together.

    Args:
        model: the decoder.
        sessions: the trials.
        heads: those that are to be learned; all when left open.

    Raises:
        BadInput: other sessions, units or bins, unknown heads, targets of another shape, nothing to
            train or validate with; all problems at once.
    """
    problems = [problem for one in sessions for problem in _problems(model, one)]
    if not sessions:
        problems.append("there is no session")
    elif not problems:
        problems += [
            f"no session has {word} trials"
            for part, word in ((names.TRAIN, "training"), (names.VALIDATION, "validation"))
            if not any(len(one.of_part(part)) for one in sessions)
        ]
        for name in model.heads if heads is None else heads:
            problems += _head_problems(name, model.heads[name], sessions)
    raise_together(problems, heading="these trials cannot be learned from")


def _problems(model: PopulationTransformer, one: SessionTrials) -> Iterator[str]:
    who = f"session '{one.name}'"
    if one.name not in model.sessions:
        yield f"{who} is none of the decoder's{did_you_mean(one.name, model.sessions)}"
        return
    n, n_bins = len(one.activity), model.options["n_bins"]
    expected = (n, n_bins, model.sessions[one.name])
    if tuple(one.activity.shape) != expected:
        yield (
            f"{who}: the decoder reads (trial, {n_bins} bins, {expected[2]} units), "
            f"its activity is {tuple(one.activity.shape)}"
        )
    if tuple(one.part.shape) != (n,):
        yield f"{who}: {n} trials, but parts of shape {tuple(one.part.shape)}"
    elif len(train := one.of_part(names.TRAIN)) and not torch.isfinite(one.activity[train]).any():
        yield f"{who}: no unit was observed in any training trial, all is NaN"
    for name, target in one.targets.items():
        if name not in model.heads:
            yield f"{who}: the decoder has no head '{name}'{did_you_mean(name, model.heads)}"
            continue
        head = model.heads[name]
        shape = (n, n_bins) if head.per == BIN else (n,)
        allowed = {shape, (*shape, head.size)} if head.kind == names.CONTINUOUS else {shape}
        if head.kind == names.CONTINUOUS and head.size > 1:
            allowed = {(*shape, head.size)}
        if tuple(target.shape) not in allowed:
            yield f"{who}: '{name}' has the shape {tuple(target.shape)}, not {sorted(allowed)[-1]}"
        elif head.kind == names.CATEGORY and len(target) and int(target.max()) >= head.size:
            yield f"{who}: '{name}' has the code {int(target.max())}, of {head.size} categories"


def _head_problems(name: str, head: Head, sessions: Sequence[SessionTrials]) -> Iterator[str]:
    seen: list[Tensor] = []
    for one in sessions:
        if name in one.targets:
            target = shaped(one.targets[name], head)[one.of_part(names.TRAIN)]
            seen.append(target[head.present(target)])
    if not sum(len(one) for one in seen):
        yield f"no training trial of any session has a value of '{name}'; leave the head out"
    elif head.kind == names.CATEGORY and len(torch.cat(seen).unique()) < 2:
        yield f"'{name}' has one category only in the training trials; there is nothing to tell apart"


class Trials:
    """Trials of one part of several sessions, drawn in batches.

    Args:
        heads: what is predicted.
        sessions: on the device of the training.
        part: which trials; all for None.
    """

    def __init__(
        self, heads: Mapping[str, Head], sessions: Sequence[SessionTrials], part: int | None
    ) -> None:
        self.heads, self.sessions = dict(heads), list(sessions)
        at = [one.of_part(part) for one in sessions]
        self.session = torch.cat([torch.full_like(one, i) for i, one in enumerate(at)])
        self.trial = torch.cat(at)
        self._targets = [
            {
                name: shaped(one.targets[name], head)
                for name, head in heads.items()
                if name in one.targets
            }
            for one in sessions
        ]
        self._sizes = [len(one) for one in at]

    def __len__(self) -> int:
        return len(self.trial)

    def shuffled(self, size: int, *, epoch: int, seed: int) -> list[Tensor]:
        """The batches of one pass over all trials, the same for the same seed and pass."""
        words = f"{seed}/{epoch}".encode()
        own = int.from_bytes(hashlib.blake2b(words, digest_size=7).digest(), "little")
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(own))
        return [some.sort().values for some in order.split(size)]

    def in_order(self, size: int) -> list[Tensor]:
        """All trials one after the other, session by session."""
        return list(torch.arange(len(self)).split(size))

    def batch(self, index: Tensor) -> Batch:
        """Trials by their number in this part; numbers grow, so sessions stay together."""
        index = index.to(self.trial.device)
        edges = torch.tensor([0, *self._sizes]).cumsum(0).to(index.device)
        cuts = torch.searchsorted(index, edges).tolist()
        which, activity, targets = [], [], {name: [] for name in self.heads}
        for place, (first, last) in enumerate(pairwise(cuts)):
            if first == last:
                continue
            one, rows = self.sessions[place], self.trial[index[first:last]]
            which.append(one.name)
            activity.append(one.activity[rows])
            for name, head in self.heads.items():
                known = self._targets[place].get(name)
                targets[name].append(_absent(head, activity[-1]) if known is None else known[rows])
        return Batch(which, activity, {name: torch.cat(one) for name, one in targets.items()})


def _absent(head: Head, activity: Tensor) -> Tensor:
    """The target of trials of a session that does not have the variable."""
    shape = [*activity.shape[: 2 if head.per == BIN else 1]]
    if head.kind == names.CATEGORY:
        return torch.full(shape, NONE, dtype=torch.long, device=activity.device)
    if head.kind == names.CONTINUOUS:
        shape.append(head.size)
    return torch.full(shape, torch.nan, device=activity.device)
