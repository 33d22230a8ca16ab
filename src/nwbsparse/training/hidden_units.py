"""How well a coder tells hidden units from the visible ones: what it knows of co-activity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nwbsparse.models.coder import NO_PART, SparseCoder
from nwbsparse.training.bins import Batch, Windows, rows_seen

FOLDS = 4
BLOCKS = 10
CHUNK = 4096
FOLD_SEED = 0
LEFT_OUT = -1
"""The group of units that take no part: they must not fill a fold."""
LEAST_SHARED = 0.01
"""R² of hidden units below which they share almost nothing (recipe, 10)."""
LEAST_TOLD = 0.002
"""R² of hidden units below which it is the noise of choosing among twenty: nothing is shared."""
NOTHING = 1e-10
"""Standard deviation of a unit that takes no part, or does not vary, and more."""


@dataclass(frozen=True)
class HiddenScore:
    """Errors on hidden units, from which the score and its spread follow.

    Sums are over bins, per block of neighbouring bins and per unit, in standard deviations of what
    is reconstructed over the training bins; 0 for a unit that does not vary there or takes no part.
    """

    error: Float[np.ndarray, "block unit"]
    """``Σ (y − ŷ)²``."""
    around: Float[np.ndarray, "block unit"]
    """``Σ (y − ȳ)²`` about the mean of the training bins."""

    @property
    def r2(self) -> float:
        """``1 − Σ error / Σ around`` over all units and bins; NaN where nothing varies."""
        total = self.around.sum()
        return float(1 - self.error.sum() / total) if total > 0 else np.nan

    @property
    def unit_r2(self) -> Float[np.ndarray, " unit"]:
        """The same of each unit by itself."""
        total = self.around.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(total > 0, 1 - self.error.sum(axis=0) / total, np.nan)

    @property
    def standard_error(self) -> float:
        """Of ``r2``, from the blocks; NaN for one block."""
        total = self.around.sum()
        n = len(self.around)
        if n < 2 or not total > 0:
            return np.nan
        gained = (self.around - self.error).sum(axis=1) * n / total
        return float(gained.std(ddof=1) / np.sqrt(n))


def folds_of(group: Int[np.ndarray, " unit"]) -> Int[np.ndarray, " unit"]:
    """(unit,) which fold each unit is hidden in: groups dealt at random, always the same way."""
    labels, of_unit = np.unique(group, return_inverse=True)
    return (np.random.default_rng(FOLD_SEED).permutation(len(labels)) % FOLDS)[of_unit]


def with_hidden(
    y: Float[Tensor, "bin lag unit"],
    hidden: Bool[Tensor, " unit"],
    asked: Bool[Tensor, "bin unit"],
) -> Float[Tensor, "bin lag unit"]:
    """What a coder sees, less its mean, with some units hidden in the whole window.

    Hidden units stand at their mean; the others are scaled up by the share of units that is left of
    those that could be seen (``asked``: observed in the bin, and taking part at all).
    """
    left = (asked & ~hidden).sum(dim=1)
    share = torch.where(left > 0, left / asked.sum(dim=1).clamp(min=1), 1.0).to(y.dtype)
    return y.masked_fill(hidden, 0.0) / share[:, None, None]


@torch.no_grad()
def hidden_scores(
    coders: Sequence[SparseCoder],
    windows: Windows,
    index: Int[Tensor, " window"],
    group: Int[np.ndarray, " unit"],
) -> list[HiddenScore]:
    """Hide each fold of units in all bins, and reconstruct it from the others (recipe, 4).

    Hidden units stand at their mean in the whole window, visible ones are scaled by the share of
    units that is visible (:func:`with_hidden`); activations are those of the stored threshold.
    Nothing is fitted again.

    Args:
        coders: of one shape of input; autoencoders, whose targets are what they read.
        windows: the recording.
        index: the bins that are looked at, in order.
        group: of each unit.
    """
    takes_part, bias = coders[0].scale < NO_PART, coders[0].pre_bias
    fold = folds_of(np.where(takes_part.cpu().numpy(), group, LEFT_OUT))
    mean, factor = _standard(coders[0], windows)
    n_units = len(group)
    error = np.zeros((len(coders), BLOCKS, n_units))
    around = np.zeros((BLOCKS, n_units))
    for block, batch in _blocks(windows, coders[0], index):
        target, there = _target(batch, n_units)
        asked, there = there.bool() & takes_part, there * factor
        around[block] += _squares((target - mean) * there)
        for number in np.unique(fold):
            hidden = torch.from_numpy(fold == number).to(target.device)
            y = with_hidden(batch.y - bias, hidden, asked) + bias
            for at, coder in enumerate(coders):
                off = ((target - _made(coder, y)) * there)[:, hidden]
                error[at, block, hidden.cpu().numpy()] += _squares(off)
    return [HiddenScore(one, around) for one in error]


@torch.no_grad()
def target_scores(
    coders: Sequence[SparseCoder], windows: Windows, index: Int[Tensor, " window"]
) -> list[HiddenScore]:
    """The same of coders that reconstruct other units, or another bin, than they read.

    Nothing is hidden, since nothing of the target is seen.
    """
    mean, factor = _standard(coders[0], windows)
    error = np.zeros((len(coders), BLOCKS, coders[0].n_targets))
    around = np.zeros((BLOCKS, coders[0].n_targets))
    for block, batch in _blocks(windows, coders[0], index):
        target, there = _target(batch, coders[0].n_targets)
        there = there * factor
        around[block] += _squares((target - mean) * there)
        for at, coder in enumerate(coders):
            error[at, block] += _squares((target - _made(coder, batch.y)) * there)
    return [HiddenScore(one, around) for one in error]


def _blocks(windows: Windows, coder: SparseCoder, index: Tensor) -> Iterator[tuple[int, Batch]]:
    """Bins in order, in equal blocks and pieces of these."""
    edges = np.linspace(0, len(index), BLOCKS + 1).round().astype(int)
    for block, (first, stop) in enumerate(pairwise(edges)):
        for some in index[first:stop].split(CHUNK):
            if len(some):
                yield block, windows.batch(coder, some)


def _target(batch: Batch, n_targets: int) -> tuple[Tensor, Tensor]:
    """What the bins themselves hold (of a window the last), and 1 where it was observed."""
    target = batch.target.view(len(batch.target), -1, n_targets)[:, -1]
    if batch.valid is None:
        return target, torch.ones_like(target)
    return target, batch.valid.view(len(batch.valid), -1, n_targets)[:, -1].to(target.dtype)


def _made(coder: SparseCoder, y: Tensor) -> Tensor:
    """The reconstruction of the bins themselves."""
    activation = coder.activate(coder.pre_activation(rows_seen(coder, y)))
    return coder.decode(activation).view(len(y), -1, coder.n_targets)[:, -1]


def _standard(
    coder: SparseCoder, windows: Windows
) -> tuple[Float[Tensor, " unit"], Float[Tensor, " unit"]]:
    """Mean of each reconstructed unit over the training bins in which it was observed, and 1/sd.

    Losses of counts reconstruct these as they are: without the second one loud unit would be the
    score. 0 for units that do not vary, or were scaled to nothing.
    """
    total, square, seen = torch.zeros(
        3, coder.n_targets, dtype=torch.float64, device=windows.train.device
    )
    for some in windows.train.split(CHUNK):
        target, there = (one.double() for one in _target(windows.batch(coder, some), len(seen)))
        total, seen = total + (target * there).sum(dim=0), seen + there.sum(dim=0)
        square = square + (target.square() * there).sum(dim=0)
    mean = total / seen.clamp(min=1)
    spread = (square / seen.clamp(min=1) - mean.square()).clamp(min=0).sqrt()
    factor = torch.where(spread > NOTHING, 1 / spread, 0.0)
    return mean.to(coder.scale.dtype), factor.to(coder.scale.dtype)


def _squares(table: Tensor) -> np.ndarray:
    return table.double().square().sum(dim=0).cpu().numpy()
