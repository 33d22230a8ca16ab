"""Adam for a stack: one fused step for all models that share a step size, not one per model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby

import torch
from torch import Tensor
from torch.nn import Parameter

from nwbsparse.options.config import Config

MOMENTS = ("exp_avg", "exp_avg_sq")


class StackAdam:
    """AdamW over stacked weights; models keep step sizes and weight decays of their own.

    Neighbours in the stack with the same two numbers form a run, which is one parameter group of
    torch's fused AdamW. Its arithmetic is elementwise, so a model's weights do not depend on which
    run it is in.

    Args:
        weights: the stack's, each (model, …).
        configs: of the models.
    """

    def __init__(self, weights: Mapping[str, Parameter], configs: Sequence[Config]) -> None:
        self.moments = {
            name: {moment: torch.zeros_like(weight.data) for moment in MOMENTS}
            for name, weight in weights.items()
        }
        self.steps = dict.fromkeys(weights, 0)
        """How many updates each weight has had: those without gradient have none."""
        self.use(weights, configs)

    def use(self, weights: Mapping[str, Parameter], configs: Sequence[Config]) -> None:
        """Work on these weights from now on, with the moments and steps as they are."""
        self.weights = weights
        self.runs: list[slice] = []
        groups = []
        self.parts: list[dict[str, Parameter]] = []
        start = 0
        for (rate, decay), run in groupby(configs, key=own_step):
            stop = start + len(list(run))
            where, start = slice(start, stop), stop
            parts = {name: Parameter(weight.data[where]) for name, weight in weights.items()}
            self.runs.append(where)
            self.parts.append(parts)
            groups.append({"params": list(parts.values()), "lr": rate, "weight_decay": decay})
        device = next(iter(weights.values())).device
        self.rates = [group["lr"] for group in groups]
        if device.type == "cuda":  # where a recorded step (Replay) can find the rate of now
            for group in groups:
                group["lr"] = torch.tensor(group["lr"], device=device)
        self.optimiser = torch.optim.AdamW(groups, fused=device.type in ("cpu", "cuda"))
        for where, parts in zip(self.runs, self.parts, strict=True):
            for name, part in parts.items():
                step = torch.tensor(float(self.steps[name]), device=device)
                own = {moment: self.moments[name][moment][where] for moment in MOMENTS}
                self.optimiser.state[part] = {"step": step, **own}

    def slow(self, size: float) -> None:
        """Set the rates of the next step.

        Args:
            size: share of each model's learning rate that the schedule leaves now.
        """
        for rate, group in zip(self.rates, self.optimiser.param_groups, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate * size)
            else:
                group["lr"] = rate * size

    @torch.no_grad()
    def step(self) -> None:
        """One update from the gradients of the stacked weights."""
        self.count()
        for name, weight in self.weights.items():
            for where, parts in zip(self.runs, self.parts, strict=True):
                parts[name].grad = None if weight.grad is None else weight.grad[where]
        self.optimiser.step()

    def count(self) -> None:
        """Take note of a step."""
        for name, weight in self.weights.items():
            self.steps[name] += weight.grad is not None

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """While a step is recorded on a GPU, and not made."""
        for group in self.optimiser.param_groups:
            group["capturable"] = True
        try:
            yield
        finally:
            for group in self.optimiser.param_groups:
                group["capturable"] = False

    def keep(self, at: Tensor, weights: Mapping[str, Parameter], configs: Sequence[Config]) -> None:
        """Go on with some of the models, whose weights and configs these are."""
        self.moments = {
            name: {moment: value[at] for moment, value in both.items()}
            for name, both in self.moments.items()
        }
        self.use(weights, configs)

    def forget(self, model: int, name: str, rows: Tensor) -> None:
        """Begin anew for some rows of one model's weight."""
        for moment in self.moments[name].values():
            moment[model, rows] = 0.0


def own_step(config: Config) -> tuple[float, float]:
    """What decides which models step together."""
    return config.learning_rate, config.weight_decay
