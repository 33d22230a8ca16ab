"""A training on disk: stopped at any update, it goes on as if it had never stopped."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nwbsparse.errors import BadInput
from nwbsparse.models.sealed import check_same, damaged, read_sealed, write_sealed
from nwbsparse.options.earlier import as_meant
from nwbsparse.training.engine import Member, Training, TrainingDiverged

FORMAT = 2
FILE = "checkpoint.safetensors"


def save_training(training: Training, path: Path, identity: dict[str, Any]) -> None:
    """Write everything the rest of the training depends on, complete or not at all.

    Args:
        training: where it stands.
        path: the file; an earlier one stays until the new one is whole.
        identity: what a later training must have in common with this one (options, data).

    Raises:
        EnvironmentProblem: it cannot be written.
    """
    tensors: dict[str, Tensor] = {
        "generator": training.epoch_began_with,
        "idle": training.idle,
    }
    for level, (selector, look) in enumerate(_selectors(training)):
        _put_floor(tensors, f"floor/{level}", selector)
        _put_floor(tensors, f"look/{level}", look)
    for name, weight in training.stack.weights.items():
        tensors[f"weight/{name}"] = weight
        for moment, value in training.adam.moments[name].items():
            tensors[f"adam/{name}/{moment}"] = value
    rows = [_member_state(place, member, tensors) for place, member in enumerate(training.everyone)]
    words = {
        "format": FORMAT,
        "update": training.update,
        "identity": identity,
        "steps": training.adam.steps,
        "members": rows,
        "active": [training.everyone.index(member) for member in training.members],
    }
    write_sealed(path, tensors, words)


def resume_training(training: Training, path: Path, identity: dict[str, Any]) -> None:
    """Bring a training that was just set up to where the saved one stood.

    Raises:
        BadInput: the file was saved by a training of other options or data.
        IntegrityError: the file is damaged.
    """
    tensors, words = read_sealed(path)
    _compare(words, identity, path)
    try:
        _restore(training, words, tensors)
    except (KeyError, IndexError, RuntimeError, TypeError) as error:
        raise damaged(path, error) from error


def _selectors(training: Training) -> Any:
    return zip(training.stack.selectors, training.looks, strict=True)


def _member_state(place: int, member: Member, tensors: dict[str, Tensor]) -> dict[str, Any]:
    for name, best in (member.best_weights or {}).items():
        tensors[f"best/{place}/{name}"] = best
    return {
        "first": member.first,
        "best": member.best if math.isfinite(member.best) else None,
        "waited": member.waited,
        "history": member.history,
        "failed": None if member.failed is None else str(member.failed),
    }


@torch.no_grad()
def _restore(training: Training, words: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    device = training.idle.device
    training.update = int(words["update"])
    for place, (member, row) in enumerate(zip(training.everyone, words["members"], strict=True)):
        _restore_member(member, row, tensors, f"best/{place}/", device)
    active = [int(place) for place in words["active"]]
    dropped = [place for place in range(len(training.everyone)) if place not in active]
    if dropped:
        training._drop(dropped)
    if not active:  # it was over
        return
    training.idle = tensors["idle"].to(device)
    for level, (selector, look) in enumerate(_selectors(training)):
        _take_floor(tensors, f"floor/{level}", selector)
        _take_floor(tensors, f"look/{level}", look)
    for name, weight in training.stack.weights.items():
        weight.copy_(tensors[f"weight/{name}"])
        for moment, value in training.adam.moments[name].items():
            value.copy_(tensors[f"adam/{name}/{moment}"])
    training.adam.steps = {name: int(words["steps"][name]) for name in training.stack.weights}
    training.adam.use(training.stack.weights, [one.coder.config for one in training.members])
    training.generator.set_state(tensors["generator"])
    training.epoch_began_with = tensors["generator"]
    if training.update:  # of the epoch that is under way, or has just ended
        training._shuffle()


def _restore_member(
    member: Member, row: dict[str, Any], tensors: dict[str, Tensor], key: str, device: torch.device
) -> None:
    best = {
        name.removeprefix(key): tensor.to(device)
        for name, tensor in tensors.items()
        if name.startswith(key)
    }
    member.best_weights = best or None
    member.first, member.waited = row["first"], int(row["waited"])
    member.best = math.inf if row["best"] is None else float(row["best"])
    member.history = list(row["history"])
    if row["failed"] is not None:
        member.failed = TrainingDiverged(row["failed"])


def _compare(words: dict[str, Any], identity: dict[str, Any], path: Path) -> None:
    if words.get("format", 0) > FORMAT:
        raise BadInput(f"{path} has format {words['format']}; this nwbsparse reads up to {FORMAT}")
    check_same(path, as_meant(words.get("identity", {})), identity)


def _put_floor(tensors: dict[str, Tensor], key: str, selector: Any) -> None:
    floor = getattr(selector, "floor", None)
    if floor is not None:
        tensors[key] = floor


def _take_floor(tensors: dict[str, Tensor], key: str, selector: Any) -> None:
    if selector is not None:
        selector.floor = tensors.get(key)
