"""Hidden entries: what a coder must tell from the other units (Keshtkaran & Pandarinath 2019).

A coder that sees what it reconstructs does best when it copies single units. One that is asked only
for entries it did not see must learn which units go together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nwbsparse import names
from nwbsparse.errors import BadInput, did_you_mean
from nwbsparse.models.record import CoderRecord
from nwbsparse.training.bins import Batch

STEPS = 2**16
"""The share of hidden entries is a whole number of these."""


@dataclass(frozen=True)
class Hiding:
    """Which entries are hidden in which update: a function of a key and a counter, nothing else.

    So every model of a stack, a training that was resumed, and every device sees the same.
    """

    share: float
    """Of the (bin, group) pairs."""
    group: Int[Tensor, " unit"]
    """Units of one number are hidden together: they may hold the same spikes."""
    key: int

    def to(self, device: torch.device) -> Hiding:
        """The same on a device."""
        return replace(self, group=self.group.to(device))

    def entries(self, counter: int, n_rows: int) -> Bool[Tensor, "row unit"]:
        """The entries that are hidden in one batch."""
        n_groups = self._n_groups
        generator = np.random.Generator(np.random.Philox(key=[self.key, counter % 2**64]))
        drawn = generator.integers(0, STEPS, size=(n_rows, n_groups), dtype=np.uint16)
        hidden = torch.from_numpy(drawn < round(self.share * STEPS))
        # a GPU gets them behind the work it still has; a plain copy would wait for that
        hidden = hidden.to(self.group.device, non_blocking=True)
        return hidden if n_groups == len(self.group) else hidden[:, self.group]

    @cached_property
    def _n_groups(self) -> int:
        return int(self.group.max()) + 1

    def applied(self, batch: Batch, counter: int, centre: Float[Tensor, " unit"]) -> Batch:
        """The batch with entries hidden, and only those left to be reconstructed.

        Hidden is zero after centring, in all bins of a window; what is left is scaled up, so that
        sums over units stay what they are. The loss is that of all entries in the mean.

        Args:
            batch: some windows.
            counter: of batches.
            centre: what the coders take off before they encode (``pre_bias``).
        """
        return self.hide(batch, self.entries(counter, len(batch.y)), centre)

    def hide(
        self, batch: Batch, hidden: Bool[Tensor, "row unit"], centre: Float[Tensor, " unit"]
    ) -> Batch:
        """The same for entries that were drawn already."""
        y = without(batch.y, hidden[:, None], centre, visible=1 - self.share)
        asked = hidden.repeat(1, batch.target.shape[1] // hidden.shape[1])
        if batch.valid is not None:
            asked &= batch.valid
        return replace(batch, y=y, valid=asked, weight=1 / self.share)


def without(
    y: Float[Tensor, "bin lag unit"],
    hidden: Tensor,
    centre: Float[Tensor, " unit"],
    *,
    visible: float,
) -> Float[Tensor, "bin lag unit"]:
    """Windows in which hidden units stand at their centre, and the others count for them too."""
    return (y - centre).masked_fill(hidden, 0.0) / visible + centre


def hiding_of(record: CoderRecord, binned: Any) -> Hiding | None:
    """What a training with these options hides; None where it hides nothing."""
    config = record.config
    if not config.mask:
        return None
    group = torch.from_numpy(unit_groups(config.groups, binned))
    return Hiding(config.mask, group, config.order_seed)


def unit_groups(groups: str, binned: Any) -> Int[np.ndarray, " unit"]:
    """(unit,) number of the group of each unit: what is hidden together, and scored together.

    Raises:
        BadInput: there is no such unit column.
    """
    n_units = binned.sizes[names.UNIT]
    if groups == "none" or (groups == "found" and names.GROUP not in binned.coords):
        return np.arange(n_units)
    key = names.GROUP if groups == "found" else groups
    columns = [str(name) for name, one in binned.coords.items() if one.dims == (names.UNIT,)]
    if key not in columns:
        raise BadInput(
            f"groups is '{groups}', and there is no such unit column{did_you_mean(groups, columns)}; "
            f"there are {', '.join(sorted(columns))}, or 'found' and 'none'"
        )
    return np.unique(np.asarray(binned[key].values).astype(str), return_inverse=True)[1]
