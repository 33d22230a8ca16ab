"""The threshold that makes inference independent of the batch."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nwbsparse.models.sparse.pre_activations import Computed, PreActivations
from nwbsparse.models.sparse.scan_kernels import Scratch

SAME = 1e-5
"""Share by which pre-activations of one and the same bin can differ between batches (rounding)."""


class ThresholdSearch:
    """Finds θ from one pass over the training bins, in bounded memory.

    Feed it pre-activations in any number of pieces; it keeps the k·N largest positive values. The
    number of bins must be known beforehand: what is large among the first bins need not be large
    among all, nor the other way round.

    Args:
        k: mean number of active latents per bin that is wanted.
        n_bins: how many bins there are.
        between: (floor, ceiling) that θ is guessed to lie between. Smaller values are passed over
            and larger ones only counted, which takes a tenth of the time and memory; ``missed``
            says whether the guess was wrong.
    """

    def __init__(
        self, k: int, *, n_bins: int, between: tuple[float, float] = (0.0, math.inf)
    ) -> None:
        self.wanted = k * n_bins
        self.floor, self.ceiling = max(between[0], 0.0), between[1]
        self._pieces: list[Tensor] = []
        self._n = 0
        self._n_above = 0
        """Values above the ceiling."""
        self._dropped = 0.0
        """The largest value that was let go."""
        self._scratch: Scratch = {}

    def add(self, pre_activation: Float[Tensor, "bin latent"] | PreActivations) -> None:
        """Take note of some bins of one coder."""
        if isinstance(pre_activation, Tensor):
            pre_activation = Computed(pre_activation[None], self._scratch)
        _, found = pre_activation.above(0, self.floor)
        found = found.to("cpu", copy=True)
        if self.ceiling < math.inf:
            low = found <= self.ceiling
            self._n_above += len(found) - int(low.sum())
            found = found[low]
        self._pieces.append(found)
        self._n += len(found)
        # one more than needed, and all that tie with it: ties at the edge count as a whole
        limit = self.wanted + 1
        if self._n > 2 * limit:
            pool = self._pool()
            kept = pool >= _ranked(pool, limit) * (1 - SAME)
            if not kept.all():
                self._dropped = max(self._dropped, float(pool[~kept].max()))
            self._pieces = [torch.from_numpy(pool[kept])]
            self._n = len(self._pieces[0])

    @property
    def missed(self) -> bool:
        """Whether values beyond the guess decide where θ lies; begin again without one."""
        pool, rank = self._pool(), self.wanted - self._n_above
        if self.ceiling < math.inf:
            if min(rank, len(pool)) < 1:
                return True
            edge = _ranked(pool, min(rank, len(pool)))
            if edge * (1 + SAME) >= self.ceiling or not self._inside(pool).any():
                return True
        if self.floor == 0:
            return False
        return rank >= len(pool) or float(pool.min()) >= _ranked(pool, max(rank, 1)) * (1 - SAME)

    def threshold(self) -> Tensor:
        """The θ whose mean L0 on the bins seen is nearest to k (float32 scalar).

        Where many bins tie at the edge (identical counts do), θ includes or excludes all of them,
        whichever lies nearer to k. With fewer positive values than k·N every positive one stays.
        θ lies halfway between the last value that is in and the first that is out: the same bin
        in a batch of another size differs by rounding, and must not fall to the other side.
        """
        pool = self._pool()
        if not len(pool):
            return torch.tensor(0.0)
        inside = self._inside(pool)
        first_out = float(pool[~inside].max()) if not inside.all() else 0.0
        last_in = float(pool[inside].min())
        return torch.tensor((last_in + max(self._dropped, first_out)) / 2, dtype=torch.float32)

    def _inside(self, pool: np.ndarray) -> np.ndarray:
        """Which of the values kept are to be active."""
        wanted = self.wanted - self._n_above
        edge = _ranked(pool, min(wanted, len(pool)))
        inside = pool >= edge * (1 - SAME)
        without = pool > edge * (1 + SAME)
        n_in, n_without = int(inside.sum()), int(without.sum())
        if n_without + self._n_above > 0 and wanted - n_without < n_in - wanted:
            return without
        return inside

    def _pool(self) -> np.ndarray:
        """All values kept so far."""
        if len(self._pieces) != 1:
            self._pieces = [torch.cat(self._pieces) if self._pieces else torch.zeros(0)]
        return self._pieces[0].numpy()


def _ranked(pool: np.ndarray, rank: int) -> float:
    """The value of this rank, 1 for the largest."""
    at = len(pool) - rank
    return float(np.partition(pool, at)[at])
