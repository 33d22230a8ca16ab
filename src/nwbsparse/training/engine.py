"""The training loop: one stack of coders, from the first update to the last.

All models of a stack see the same batches in the same order. Everything a model has of its own
(weights, step size, penalties, dead latents, best state, patience) is kept apart, so that it
learns exactly what it would learn alone.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from nwbsparse.errors import NwbsparseError
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.schedule import step_size
from nwbsparse.models.stack import Stack
from nwbsparse.options.automatic import updates_per_epoch
from nwbsparse.progress import Progress
from nwbsparse.training.adam import StackAdam
from nwbsparse.training.bins import Windows
from nwbsparse.training.hiding import Hiding
from nwbsparse.training.replay import Replay
from nwbsparse.training.resampling import resample
from nwbsparse.training.validation import validate

CHECKS = 30
"""How many times a training looks at the validation bins."""
DIVERGED = 1e3
"""Times the first loss beyond which a training has left the rails."""
SYNC = 10
"""Updates between two looks at losses and dead latents on a GPU, which would wait for each."""


class TrainingDiverged(NwbsparseError):
    """The loss became NaN or exploded; ``coder`` is its last good state, if there was a check."""

    coder: SparseCoder | None = None


@dataclass
class Member:
    """What the loop knows about one model."""

    coder: SparseCoder
    first: float | None = None
    best: float = math.inf
    best_weights: dict[str, Tensor] | None = None
    waited: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    failed: TrainingDiverged | None = None


class Training:
    """A stack being trained. ``run`` takes it to the end; its state can be saved at any update."""

    def __init__(
        self,
        coders: Sequence[SparseCoder],
        windows: Windows,
        *,
        hiding: Hiding | None = None,
        checks: int = CHECKS,
    ) -> None:
        self.stack = Stack(coders)
        self.config = self.stack.config
        self.windows = windows
        self.hiding = hiding
        device = coders[0].offset.device
        self.on_cpu = device.type == "cpu"
        self.update = 0
        self.members = [Member(coder) for coder in coders]
        """Those still in training, in the order of the stack."""
        self.adam = StackAdam(self.stack.weights, [coder.config for coder in coders])
        self.size = 0.0
        """Share of the learning rates that the latest update was made with."""
        self.looks = self.stack.new_selectors()
        """Memories of the selection on validation bins."""
        self.everyone = list(self.members)
        n_latents = coders[0].n_latents
        self.idle = torch.zeros(len(coders), n_latents, dtype=torch.long, device=device)
        """Updates since each latent was last active."""
        self.generator = torch.Generator().manual_seed(self.config.order_seed)
        self.epoch_began_with = self.generator.get_state()
        self.order = windows.train
        self.replay = Replay() if device.type == "cuda" else None
        self.dead_from = 0
        """On a GPU: the update before which no latent can be dead, as of the last look."""
        self._options: dict[str, Tensor] = {}
        self.losses = torch.zeros(len(coders), device=device)
        """Of each model, on the latest batch."""
        assert self.config.batch_size and self.config.max_epochs
        self.per_epoch = updates_per_epoch(
            len(windows.train), self.config.batch_size, self.config.last_batch
        )
        self.bins_per_update = min(self.config.batch_size, len(windows.train) / self.per_epoch)
        """In the mean: the last batch of a pass may be smaller."""
        self.total = self.per_epoch * self.config.max_epochs
        self.every = max(self.total // checks, 1)

    def run(self, progress: Progress, at_update: Any = None) -> list[Member]:
        """Train to the end; every member, in the order given, with its best weights loaded.

        Args:
            progress: called at every check.
            at_update: called with this training after each check (``checked=True``) and each
                update, to save it or to stop it by raising.
        """
        began, since = time.perf_counter(), self.update
        while self.update < self.total and self.members:
            self._one_update()
            checked = self._at_check
            if checked and self.members:
                self._check()
                spent = max(time.perf_counter() - began, 1e-9)
                speed = (self.update - since) * self.bins_per_update / spent
                progress("fit", self.update, self.total, **self._said(speed))
            if at_update is not None:
                at_update(self, checked=checked)
        for at, member in enumerate(self.members):
            self._finish(at, member)
        return self.everyone

    @property
    def _at_check(self) -> bool:
        """Whether the validation bins are looked at after this update."""
        return self.update % self.every == 0 or self.update == self.total

    def _one_update(self) -> None:
        batch_size = self.config.batch_size or 1
        at = self.update % self.per_epoch
        if at == 0:
            self.epoch_began_with = self.generator.get_state()
            self._shuffle()
        index = self.order[at * batch_size : (at + 1) * batch_size]
        hidden = None if self.hiding is None else self.hiding.entries(self.update, len(index))
        self.size = step_size(self.update, self.total, self.config.schedule)
        self.adam.slow(self.size)
        if self.replay is None:
            self.losses = self._act(index, hidden, self._may_revive())
        else:
            self.losses = self.replay(self._act, index, hidden, self._may_revive(), self.adam)
        self.update += 1
        if self.on_cpu or self.update == 1 or self.update % SYNC == 0 or self._at_check:
            self._drop_diverged(self.losses.tolist(), index)

    def _shuffle(self) -> None:
        shuffled = torch.randperm(len(self.windows.train), generator=self.generator)
        train = self.windows.train
        self.order = train[shuffled.to(train.device, non_blocking=True)]

    def _act(self, index: Tensor, hidden: Tensor | None, revive: bool) -> Tensor:
        """One update of every model; their losses.

        Args:
            index: the bins of the batch.
            hidden: its entries that are hidden.
            revive: whether any latent may be dead.
        """
        stack = self.stack
        batch = self.windows.batch(stack.coders[0], index)
        if self.hiding is not None and hidden is not None:
            batch = self.hiding.hide(batch, hidden, stack.coders[0].pre_bias)
        with self._arithmetic():
            outcome = stack.forward(batch.y, batch.target, batch.valid, weight=batch.weight)
        total = outcome.loss
        self.idle += 1
        self.idle.masked_fill_(outcome.active, 0)
        if revive:
            dead = self.idle >= self._per_model("dead_window")[:, None]
            if not self.on_cpu or bool(dead.any()):
                k_aux = self.config.k_aux or 1
                revived = stack.revival(outcome, batch.target, batch.valid, dead, k_aux)
                total = total + self._per_model("aux_weight") * batch.weight * revived
        for weight in stack.weights.values():
            weight.grad = None
        total.sum().backward()
        stack.drop_parallel_gradient()
        self._clip()
        self.adam.step()
        stack.renormalise()
        return outcome.loss.detach()

    def _may_revive(self) -> bool:
        """Whether any latent can be dead after the next update."""
        if self.config.revival not in ("auxiliary", "paper"):
            return False
        if self.on_cpu:  # where it is looked at
            return True
        if self.update % SYNC == 0:
            left = self._per_model("dead_window")[:, None] - self.idle - 1
            self.dead_from = self.update + max(int(left.min()), 0)
        return self.update >= self.dead_from

    def _arithmetic(self) -> contextlib.AbstractContextManager[Any]:
        if self.config.precision != "bfloat16":
            return contextlib.nullcontext()
        return torch.autocast(self.idle.device.type, dtype=torch.bfloat16)

    def _clip(self) -> None:
        """Shorten each model's gradient to its largest length."""
        if not any(member.coder.config.clip for member in self.members):
            return
        scale = math.sqrt(self.stack.architecture.n_values)
        limit = self._per_model("clip", torch.float64) * scale
        grads = [w.grad for w in self.stack.weights.values() if w.grad is not None]
        norms = [torch.linalg.vector_norm(grad.flatten(1), dim=1) for grad in grads]
        norm = torch.linalg.vector_norm(torch.stack(norms), dim=0)
        factor = torch.where(limit > 0, (limit / (norm + 1e-6)).clamp_max(1.0), 1.0)
        if self.on_cpu and bool((factor == 1).all()):
            return
        for grad in grads:
            shape = (len(factor),) + (1,) * (grad.ndim - 1)
            grad.mul_(factor.to(grad.dtype).view(shape))

    def _per_model(self, option: str, dtype: torch.dtype = torch.float32) -> Tensor:
        """(model,) an option of every model; copied to the device once per set of models."""
        if option not in self._options:
            values = [getattr(member.coder.config, option) for member in self.members]
            self._options[option] = torch.tensor(values, dtype=dtype, device=self.idle.device)
        return self._options[option]

    def _drop_diverged(self, losses: list[float], index: Tensor) -> None:
        lost = []
        since = 1 if self.on_cpu else SYNC
        for at, (member, loss) in enumerate(zip(self.members, losses, strict=True)):
            member.first = loss if member.first is None else member.first
            if math.isfinite(loss) and loss <= DIVERGED * max(member.first, 1.0):
                continue
            batch = f"a batch with bins {index[:3].tolist()} …"
            where = batch if self.on_cpu else f"one of the last {SYNC} updates"
            self._fail(member, loss, f"in {where}")
            if len(member.history) == 1 and member.history[0]["update"] >= self.update - since:
                member.best_weights = None  # the only check saw what is now known to be lost
            lost.append(at)
        if lost:
            self._drop(lost)

    def _fail(self, member: Member, loss: float, where: str) -> None:
        member.failed = TrainingDiverged(
            f"the loss became {loss:.3g} at update {self.update} of {self.total} (it began at "
            f"{member.first:.3g}), {where}; use a smaller --learning-rate than "
            f"{member.coder.config.learning_rate}"
        )

    @torch.no_grad()
    def _check(self) -> None:
        """Look at the validation bins; keep what is best; let members stop that got no better."""
        done = []
        dead = (self.idle >= self._per_model("dead_window")[:, None]).float().mean(dim=1).tolist()
        losses = self.losses.tolist()
        patience_from = self.total // 2 if self.config.schedule == "trapezoid" else 0
        looked = validate(self.stack, self.windows, self.looks, self._arithmetic, self.hiding)
        for at, (member, found) in enumerate(zip(self.members, looked, strict=True)):
            held_out = found["validation_loss"]
            member.history.append(
                {
                    "update": self.update,
                    "train_loss": losses[at],
                    **found,
                    "dead_fraction": dead[at],
                    "learning_rate": member.coder.config.learning_rate * self.size,
                }
            )
            if not len(self.windows.validation):
                member.best_weights = self.stack.snapshot(at)
            elif not math.isfinite(held_out):
                self._fail(member, held_out, "on the validation bins")
                done.append(at)
            elif held_out < member.best:
                member.best, member.waited = held_out, 0
                member.best_weights = self.stack.snapshot(at)
            elif self.update > patience_from:
                # the constant-rate half is noisy: patience runs once annealing has begun
                member.waited += 1
                if member.waited >= member.coder.config.patience:
                    done.append(at)
        if done:
            self._drop(done)
        if self.config.revival == "resample" and self.update <= self.total // 2:
            for at in range(len(self.members)):
                self._resample(at)

    def _resample(self, at: int) -> None:
        member = self.members[at]
        dead = self.idle[at] >= member.coder.config.dead_window
        seed = member.coder.config.seed * 1_000_003 + self.update
        resample(self.stack, self.windows, at, dead, self.adam, seed=seed % 2**63)
        self.idle[at, dead] = 0

    def _drop(self, places: Sequence[int]) -> None:
        """Let members go that stopped or diverged; the others go on unchanged."""
        stay = [at for at in range(len(self.members)) if at not in set(places)]
        for at in places:
            self._finish(at, self.members[at])
        self.members = [self.members[at] for at in stay]
        if not stay:
            return
        self.stack.keep(stay, more=self.looks)
        if self.replay is not None:
            self.replay.forget()
        self._options.clear()
        kept = torch.tensor(stay, device=self.idle.device)
        self.idle, self.losses = self.idle[kept], self.losses[kept]
        configs = [member.coder.config for member in self.members]
        self.adam.keep(kept, self.stack.weights, configs)

    @torch.no_grad()
    def _finish(self, at: int, member: Member) -> None:
        weights = member.best_weights
        if weights is None:
            weights = self.stack.snapshot(at)
        for name, weight in weights.items():
            member.coder.get_parameter(name).copy_(weight)
        if member.failed is not None and member.best_weights is not None:
            member.failed.coder = member.coder

    def _said(self, speed: float) -> dict[str, float]:
        """What is worth showing: of several models the mean."""
        members = [member for member in self.everyone if member.history]
        last = [member.history[-1] for member in members]
        shown = {
            "loss": "train_loss",
            "validation": "validation_loss",
            "r2": "r2",
            "l0": "l0",
            "dead": "dead_fraction",
        }
        said = {key: sum(row[name] for row in last) / len(last) for key, name in shown.items()}
        return said | {"bins_per_s": speed, "models": float(len(self.members))}
