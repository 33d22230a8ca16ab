"""The threshold that makes inference independent of the batch."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

SAME = 1e-5
"""Share by which pre-activations of one and the same bin can differ between batches (rounding)."""


class ThresholdSearch:
    """Finds θ from one pass over the training bins, in bounded memory.

    Feed it pre-activations in any number of pieces; it keeps the k·N largest positive values. The
    number of bins must be known beforehand: what is large among the first bins need not be large
    among all, nor the other way round.
    """

    def __init__(self, k: int, *, n_bins: int) -> None:
        self.k = k
        self.n_bins = n_bins
        self._largest: Tensor | None = None
        self._dropped = 0.0
        """The largest value that was let go."""

    def add(self, pre_activation: Float[Tensor, "bin latent"]) -> None:
        """Take note of some bins."""
        positive = pre_activation[pre_activation > 0]
        pool = positive if self._largest is None else torch.cat([self._largest, positive])
        # one more than needed, and all that tie with it: ties at the edge count as a whole
        limit = self.k * self.n_bins + 1
        if len(pool) > 2 * limit:
            kept = pool >= torch.topk(pool, limit, sorted=False).values.min() * (1 - SAME)
            if len(lower := pool[~kept]):
                self._dropped = max(self._dropped, float(lower.max()))
            pool = pool[kept]
        self._largest = pool

    def threshold(self) -> Tensor:
        """The θ whose mean L0 on the bins seen is nearest to k (float32 scalar).

        Where many bins tie at the edge (identical counts do), θ includes or excludes all of them,
        whichever lies nearer to k. With fewer positive values than k·N every positive one stays.
        θ lies halfway between the last value that is in and the first that is out: the same bin
        in a batch of another size differs by rounding, and must not fall to the other side.
        """
        if self._largest is None or not len(self._largest):
            return torch.tensor(0.0)
        ordered = torch.sort(self._largest, descending=True).values.cpu().double()
        wanted = self.k * self.n_bins
        edge = ordered[min(wanted, len(ordered)) - 1]
        n_in = int((ordered >= edge * (1 - SAME)).sum())
        without = int((ordered > edge * (1 + SAME)).sum())
        if without > 0 and wanted - without < n_in - wanted:
            n_in = without
        first_out = max([self._dropped, *ordered[n_in : n_in + 1].tolist()])
        return torch.tensor((float(ordered[n_in - 1]) + first_out) / 2, dtype=torch.float32)
