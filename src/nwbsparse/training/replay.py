"""Updates on a GPU, recorded once and replayed (CUDA graphs).

An update is a hundred small kernels. To launch them takes the host several times as long as the GPU
needs to run them; recorded, they are launched as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nwbsparse.training.adam import StackAdam

Act = Callable[[Tensor, Tensor | None, bool], Tensor]
"""From the bins of a batch, what is hidden of it, and whether the dead are revived, to the losses."""
FIRST = 3
"""Updates before one is recorded: they make what is made once, which a recording must not."""


@dataclass(frozen=True)
class Recording:
    """An update that reads its batch from where it was recorded, and writes its losses there."""

    graph: torch.cuda.CUDAGraph
    index: Tensor
    hidden: Tensor | None
    losses: Tensor

    def play(self, index: Tensor, hidden: Tensor | None) -> Tensor:
        """The same kernels on another batch."""
        self.index.copy_(index)
        if self.hidden is not None and hidden is not None:
            self.hidden.copy_(hidden)
        self.graph.replay()
        return self.losses


class Replay:
    """Recordings of one stack: of updates with and without dead latents to revive, of each size of batch.

    Everything that changes from one update to the next without a kernel's doing must be given or
    stand in a tensor that is written to: the batch, what is hidden of it, the step size.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[bool, int], Recording] = {}
        self._seen: Counter[tuple[bool, int]] = Counter()

    def forget(self) -> None:
        """The stack is another: record anew."""
        self._made.clear()
        self._seen.clear()

    def __call__(
        self, act: Act, index: Tensor, hidden: Tensor | None, revive: bool, adam: StackAdam
    ) -> Tensor:
        """One update, acted out or replayed; its losses, good until the next one.

        Args:
            act: one update.
            index, hidden, revive: what it is given.
            adam: makes its last step; it is told of those that are replayed.
        """
        kind = (revive, len(index))
        if kind in self._made:
            adam.count()
            return self._made[kind].play(index, hidden)
        self._seen[kind] += 1
        if self._seen[kind] <= FIRST:
            return act(index, hidden, revive)
        made = self._made[kind] = self._recorded(act, index, hidden, revive, adam)
        return made.play(index, hidden)

    def _recorded(
        self, act: Act, index: Tensor, hidden: Tensor | None, revive: bool, adam: StackAdam
    ) -> Recording:
        index, hidden = index.clone(), None if hidden is None else hidden.clone()
        graph = torch.cuda.CUDAGraph()
        # never played at once, so that the second one can use the memory of the first
        pool = next((one.graph.pool() for one in self._made.values()), None)
        # other threads may allocate meanwhile: those of autograd do
        with (
            adam.recorded(),
            torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"),
        ):
            losses = act(index, hidden, revive)
        return Recording(graph, index, hidden, losses)
