"""The threshold that makes inference independent of the batch."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


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

    def add(self, pre_activation: Float[Tensor, "bin latent"]) -> None:
        """Take note of some bins."""
        positive = pre_activation[pre_activation > 0]
        pool = positive if self._largest is None else torch.cat([self._largest, positive])
        # one more than needed, to see whether the value at the edge is tied with the next
        limit = self.k * self.n_bins + 1
        if len(pool) > 2 * limit:
            pool = torch.topk(pool, limit, sorted=False).values
        self._largest = pool

    def threshold(self) -> Tensor:
        """The θ whose mean L0 on the bins seen is nearest to k (float32 scalar).

        Where many bins tie at the edge (identical counts do), θ includes or excludes all of them,
        whichever lies nearer to k. With fewer positive values than k·N every positive one stays.
        """
        if self._largest is None or not len(self._largest):
            return torch.tensor(0.0)
        ordered = torch.sort(self._largest, descending=True).values.float()
        wanted = self.k * self.n_bins
        if wanted >= len(ordered):
            return ordered[-1].cpu()
        edge = ordered[wanted - 1]
        with_ties = int((ordered >= edge).sum())
        without = int((ordered > edge).sum())
        if without > 0 and wanted - without < with_ties - wanted:
            return ordered[without - 1].cpu()
        return edge.cpu()
