"""The way to the lowest loss on validation trials: updates, checks, early stop, resume."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from nwbsparse.errors import BadInput, NwbsparseError, raise_together
from nwbsparse.files.whole import remove_unfinished
from nwbsparse.models.schedule import step_size
from nwbsparse.models.sealed import check_same, damaged, read_sealed, write_sealed
from nwbsparse.models.stopping import Stopping
from nwbsparse.progress import Progress
from nwbsparse.splice.batches import Trials

FORMAT = 1
FILE = "decoder-checkpoint.safetensors"
MOMENTS = ("exp_avg", "exp_avg_sq", "step")
LONGEST_GRADIENT = 1.0
EPOCHS, UPDATES = 30, 1200
"""What a training is at least, where the number of passes is left open."""
CHECKS = 30
"""Looks at the validation trials at most; no more than one per pass."""


class DecoderDiverged(NwbsparseError):
    """The loss of a decoder became NaN or infinite: a smaller learning rate may help."""


@dataclass(frozen=True)
class LearningOptions:
    """How a network is trained.

    Raises:
        BadInput: an option lies where no training can be.
    """

    max_epochs: int | None = None
    """Passes over the training trials at most; left open 30, and more where these are fewer than 1,200
    updates: few trials need as many steps as many do, and stop earlier."""
    batch_size: int = 128
    """Trials per update, of all sessions together."""
    learning_rate: float = 3e-3
    """Peak of AdamW's step; warm-up over a tenth of all updates, then down in a cosine."""
    weight_decay: float = 0.01
    patience: int = 10
    """Checks without a lower validation loss after which training stops; there are 30 looks at most."""
    precision: str | None = None
    """``float32`` or ``bfloat16``; left open: bfloat16 products on a GPU, float32 elsewhere."""
    seed: int = 0
    """Of the order of the trials, and of what is left out."""

    def __post_init__(self) -> None:
        problems = [
            f"{name} is {value}; it must be at least 1"
            for name in ("max_epochs", "batch_size", "patience")
            if (value := getattr(self, name)) is not None and value < 1
        ]
        if not self.learning_rate > 0:
            problems.append(f"learning_rate is {self.learning_rate}; it must be above 0")
        if self.weight_decay < 0:
            problems.append(f"weight_decay is {self.weight_decay}; it must not be negative")
        if self.precision not in (None, "float32", "bfloat16"):
            problems.append(f"precision is '{self.precision}'; there are float32 and bfloat16")
        raise_together(problems, heading="the network cannot be trained")


class Learning:
    """Weights being trained. ``run`` takes them to the end and leaves the best ones in them.

    Args:
        weights: what is learned, by name; everything else stays as it is.
        loss: of the trials with these numbers.
        look: what there is to say of the validation trials; ``validation_loss`` decides.
        trials: the training trials.
        options: how.
        after: what is to be done after every update.
        without_decay: names of weights that do not shrink; vectors never do.
    """

    def __init__(
        self,
        weights: Mapping[str, Parameter],
        loss: Callable[[Tensor], Tensor],
        look: Callable[[], dict[str, float]],
        trials: Trials,
        options: LearningOptions,
        *,
        after: Callable[[], None] | None = None,
        without_decay: Collection[str] = (),
    ) -> None:
        self.weights, self.loss, self.look, self.trials = dict(weights), loss, look, trials
        self.options, self.after = options, after
        self.device = next(iter(weights.values())).device
        self.adam = torch.optim.AdamW(self._groups(without_decay), lr=options.learning_rate)
        self.per_epoch = math.ceil(len(trials) / options.batch_size)
        enough = max(EPOCHS, math.ceil(UPDATES / self.per_epoch))
        self.total = self.per_epoch * (options.max_epochs or enough)
        self.every = max(self.per_epoch, self.total // CHECKS)
        self.update = 0
        self.best, self.waited = math.inf, 0
        self.best_weights: dict[str, Tensor] = {}
        self.history: list[dict[str, Any]] = []
        self._order: list[Tensor] = []

    def run(
        self,
        progress: Progress,
        *,
        stage: str,
        checkpoint: Path | None = None,
        resume: bool = False,
        identity: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Train to the end; what was found at every check.

        Args:
            progress, stage: called at every check, with what it is called.
            checkpoint: a folder; the training is saved there at every check, and when it is stopped.
            resume: go on from what is saved there, if anything is.
            identity: what a resumed training must have in common with this one.

        Raises:
            DecoderDiverged, BadInput, IntegrityError, EnvironmentProblem.
        """
        path = None if checkpoint is None else checkpoint / FILE
        words = dict(identity or {}) | asdict(self.options) | {"torch": torch.__version__}
        if path is not None:
            remove_unfinished(path)
            if resume and path.is_file():
                self._resume(path, words)
        devices = [self.device] if self.device.type == "cuda" else []
        with Stopping(saves=path is not None) as stopping, torch.random.fork_rng(devices):
            while not self.finished:
                self._one_update()
                checked = self.update % self.every == 0 or self.update == self.total
                found = self._check() if checked else {}
                if path is not None and (checked or stopping.asked):
                    self._save(path, words)
                stopping.obey()
                if checked:  # last, so that who stops it there finds it saved
                    progress(stage, self.update, self.total, **found)
        with torch.no_grad():
            for name, best in self.best_weights.items():
                self.weights[name].copy_(best)
        return self.history

    @property
    def finished(self) -> bool:
        """Whether all updates are made, or waiting for a better validation loss was in vain."""
        return self.update >= self.total or self.waited >= self.options.patience

    def arithmetic(self) -> contextlib.AbstractContextManager[Any]:
        """The precision of products."""
        kind, wanted = self.device.type, self.options.precision
        if wanted == "bfloat16" or (wanted is None and kind == "cuda"):
            return torch.autocast(kind, dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def _groups(self, without_decay: Collection[str]) -> list[dict[str, Any]]:
        """Matrices decay; biases, scales and what is named do not."""
        shrinks = {
            name: w.ndim > 1 and name not in without_decay for name, w in self.weights.items()
        }
        decay = {True: self.options.weight_decay, False: 0.0}
        groups = [
            {
                "params": [w for name, w in self.weights.items() if shrinks[name] is kind],
                "weight_decay": decay[kind],
            }
            for kind in (True, False)
        ]
        return [group for group in groups if group["params"]]

    def _one_update(self) -> None:
        options = self.options
        epoch, at = divmod(self.update, self.per_epoch)
        if at == 0 or not self._order:
            self._order = self.trials.shuffled(options.batch_size, epoch=epoch, seed=options.seed)
        # seeded per update: what is left out does not depend on where a training was resumed
        torch.manual_seed(_seed_of(options.seed, self.update))
        size = step_size(self.update, self.total, "cosine")
        for group in self.adam.param_groups:
            group["lr"] = options.learning_rate * size
        with self.arithmetic():
            loss = self.loss(self._order[at])
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.weights.values(), LONGEST_GRADIENT)
        if at == 0 and not math.isfinite(float(norm)):
            raise DecoderDiverged(
                f"the gradient is {float(norm)} after {self.update} updates; try a learning_rate "
                f"below {options.learning_rate:g}"
            )
        self.adam.step()
        if self.after is not None:
            self.after()
        self.update += 1

    def _check(self) -> dict[str, float]:
        with torch.no_grad(), self.arithmetic():
            found = self.look()
        loss = found["validation_loss"]
        if not math.isfinite(loss):
            raise DecoderDiverged(
                f"the validation loss is {loss} after {self.update} updates; try a learning_rate "
                f"below {self.options.learning_rate:g}"
            )
        self.history.append({"update": self.update, **found})
        self.waited += 1
        if loss < self.best:
            self.best, self.waited = loss, 0
            self.best_weights = {name: one.detach().clone() for name, one in self.weights.items()}
        return found

    def _save(self, path: Path, words: Mapping[str, Any]) -> None:
        tensors = {f"weight/{name}": one for name, one in self.weights.items()}
        tensors |= {f"best/{name}": one for name, one in self.best_weights.items()}
        for name, one in self.weights.items():
            for moment, value in self.adam.state.get(one, {}).items():
                tensors[f"adam/{name}/{moment}"] = value
        state = {
            "format": FORMAT,
            "identity": dict(words),
            "update": self.update,
            "best": self.best if math.isfinite(self.best) else None,
            "waited": self.waited,
            "history": self.history,
        }
        write_sealed(path, tensors, state)

    @torch.no_grad()
    def _resume(self, path: Path, words: Mapping[str, Any]) -> None:
        tensors, state = read_sealed(path)
        if state.get("format", 0) > FORMAT:
            raise BadInput(
                f"{path} has format {state['format']}; this nwbsparse reads up to {FORMAT}"
            )
        check_same(path, state.get("identity", {}), words)
        try:
            for name, one in self.weights.items():
                one.copy_(tensors[f"weight/{name}"])
                key = f"adam/{name}"
                if f"{key}/step" in tensors:
                    kept = {moment: tensors[f"{key}/{moment}"] for moment in MOMENTS}
                    step = kept.pop("step")  # AdamW counts on the CPU
                    self.adam.state[one] = {k: v.to(self.device) for k, v in kept.items()} | {
                        "step": step
                    }
                if f"best/{name}" in tensors:
                    self.best_weights[name] = tensors[f"best/{name}"].to(self.device)
            self.update, self.waited = int(state["update"]), int(state["waited"])
            self.best = math.inf if state["best"] is None else float(state["best"])
            self.history = list(state["history"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise damaged(path, error) from error


def _seed_of(seed: int, update: int) -> int:
    words = f"{seed}/{update}".encode()
    return int.from_bytes(hashlib.blake2b(words, digest_size=7).digest(), "little")


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """Changes when any of the tensors does."""
    digest = hashlib.blake2b(digest_size=16)
    for name, one in sorted(tensors.items()):
        digest.update(f"{name} {one.dtype} {tuple(one.shape)}".encode())
        digest.update(one.detach().cpu().contiguous().reshape(-1).numpy().data)
    return digest.hexdigest()
