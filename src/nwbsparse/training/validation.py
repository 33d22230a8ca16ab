"""How the models of a stack do on the validation bins, while they are trained."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nwbsparse.models.sparsifiers import Select
from nwbsparse.models.stack import Stack
from nwbsparse.training.bins import Windows
from nwbsparse.training.hiding import Hiding

LOOKED = 2**63
"""From here on counts the hiding of checks: no update gets there."""


@torch.no_grad()
def validate(
    stack: Stack,
    windows: Windows,
    selectors: Sequence[Select | None],
    arithmetic: Callable[[], contextlib.AbstractContextManager[object]],
    hiding: Hiding | None = None,
) -> list[dict[str, float]]:
    """Loss, R² and L0 of every model's largest level, selected as in training.

    Args:
        stack: the models.
        windows: the recording; its :meth:`Windows.checked` bins are looked at.
        selectors: memories of the selection, kept from check to check.
        arithmetic: the precision of training.
        hiding: of training; the same entries are hidden at every check, and looked at alone.

    Returns:
        Of each model ``validation_loss``, ``r2`` and ``l0``; NaN without validation bins.
    """
    checked = windows.checked()
    if not len(checked):
        return [{"validation_loss": math.nan, "r2": math.nan, "l0": math.nan} for _ in stack.coders]
    n_models, size = len(stack), stack.config.batch_size or 1
    loss, error, active = (
        torch.zeros(n_models, dtype=torch.float64, device=checked.device) for _ in range(3)
    )
    total: Tensor | float = 0.0
    square: Tensor | float = 0.0
    seen: Tensor | int = 0
    for at, index in enumerate(checked.split(size)):
        batch = windows.batch(stack.coders[0], index)
        if hiding is not None:
            batch = hiding.applied(batch, LOOKED + at, stack.coders[0].pre_bias)
            seen = seen + batch.valid.sum(dim=0)  # pyright: ignore[reportOptionalMemberAccess]
        with arithmetic():
            outcome = stack.forward(
                batch.y, batch.target, batch.valid, selectors=selectors, weight=batch.weight
            )
        residual, target = batch.target - outcome.predicted, batch.target
        if batch.valid is not None:
            residual = torch.where(batch.valid, residual, 0.0)
            target = torch.where(batch.valid, target, 0.0)
        loss += outcome.loss.double() * len(index)
        error += residual.square().flatten(1).sum(dim=1, dtype=torch.float64)
        active += outcome.n_active
        total = total + target.sum(dim=0, dtype=torch.float64)
        square = square + target.double().square().sum(dim=0)
    assert isinstance(total, Tensor) and isinstance(square, Tensor)
    n = len(checked)
    around = float((square - total.square() / (n if hiding is None else seen.clamp(min=1))).sum())  # type: ignore[union-attr]
    rows = n * stack.architecture.decoder.rows_per_bin
    numbers = zip(loss.tolist(), error.tolist(), active.tolist(), strict=True)
    return [
        {
            "validation_loss": one_loss / n,
            "r2": 1 - one_error / around if around > 0 else math.nan,
            "l0": one_active / rows,
        }
        for one_loss, one_error, one_active in numbers
    ]
