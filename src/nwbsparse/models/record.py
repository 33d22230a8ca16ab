"""What a coder carries besides its weights, so that it can be used again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nwbsparse.config import Config
from nwbsparse.errors import BadInput


@dataclass(frozen=True)
class CoderRecord:
    """A coder's options, its units and how it was trained."""

    config: Config
    """Fully resolved: nothing left to be chosen."""
    unit_ids: tuple[str, ...]
    """The units that are encoded, in order."""
    bin_width: float
    """s."""
    target_ids: tuple[str, ...] | None = None
    """The units that are reconstructed, when they are others than those encoded."""
    source_sha256: str = ""
    history: tuple[dict[str, Any], ...] = ()
    """One row per validation check of the training."""
    software: dict[str, str] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[str, ...]:
        """The units that are reconstructed."""
        return self.unit_ids if self.target_ids is None else self.target_ids

    @property
    def unit_hash(self) -> str:
        """Changes when the units are others or in another order."""
        words = self.unit_ids if self.target_ids is None else [self.unit_ids, self.target_ids]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()

    def check_units(self, unit_ids: Iterable[object]) -> None:
        """Refuse data whose units are others than those the coder was trained on, or reordered.

        Data for a coder that reconstructs other units than it encodes hold both populations, in
        any order.
        """
        given = tuple(str(unit_id) for unit_id in unit_ids)
        ours = set(self.unit_ids) | set(self.targets)
        fits = ours == set(given) if self.target_ids is not None else given == self.unit_ids
        if fits and len(given) == len(ours):
            return
        if set(given) == ours and len(given) == len(self.unit_ids):
            raise BadInput("the units are those of the coder but in another order; reorder them")
        raise BadInput(
            f"the coder was trained on {len(ours)} units, the data hold {len(given)}, of which "
            f"{len(ours.intersection(given))} are the same; bin the recording with the coder's units"
        )

    def columns(self, unit_ids: Iterable[object]) -> tuple[list[int], list[int]]:
        """Columns of the encoded and of the reconstructed units in data with these units.

        Raises:
            BadInput: the units are others than the coder's, or in another order.
        """
        given = [str(unit_id) for unit_id in unit_ids]
        self.check_units(given)
        at = {unit_id: column for column, unit_id in enumerate(given)}
        return [at[i] for i in self.unit_ids], [at[i] for i in self.targets]
