"""What a coder reads and what it reconstructs: units of a recording, or the dims of an embedding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.errors import BadInput

INPUT = "input_"
"""What the names of variables about the units that are read begin with, where they are others."""


@dataclass(frozen=True, eq=False)
class Population:
    """Channels of a Binned dataset in a coder's order: units, or the dims of an embedding.

    ``coder.reads(binned)`` and ``coder.writes(binned)`` make them; whoever asks what a coder reads,
    what it reconstructs, and how results about that are called, asks these.
    """

    name: str
    """The variable of a Binned dataset that holds them: 'counts' or 'embedding'."""
    dim: str
    """The dimension that results about them have: ``unit``, ``dim``, or ``input_unit`` of units that
    are read where others are reconstructed."""
    ids: tuple[str, ...]
    data: Any
    """The Binned dataset with these channels alone: ``counts(time, unit)`` whatever they are."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def of_units(self) -> bool:
        """Whether these are units of the recording."""
        return self.name == names.COUNTS

    @property
    def table(self) -> Any:
        """(time, channel) what they did."""
        return self.data[names.COUNTS]

    @property
    def valid(self) -> Any:
        """(time, channel) where they were observed; None where they were throughout."""
        return self.data.get(names.VALID)

    def values(self, bins: Any = slice(None)) -> np.ndarray:
        """(bin, channel) what they did in some bins."""
        return np.asarray(self.table[bins].values)

    def observed(self, bins: Any = slice(None)) -> np.ndarray:
        """(bin, channel) whether they were observed in some bins."""
        if self.valid is None:
            n_bins = np.arange(self.data.sizes[names.TIME])[bins].size
            return np.ones((n_bins, len(self)), dtype=bool)
        return np.asarray(self.valid[bins].values)

    def coords(self) -> dict[str, Any]:
        """The coordinates of results about them: of dims their numbers, of units also id and row."""
        if not self.of_units:
            return {names.DIM: np.arange(len(self))}
        return self.named(unit_coords(self.data))

    def named(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Variables over ``unit`` as results about this population have them: over its dimension.

        Names of what is about units that are read begin with ``input_`` where others are reconstructed.
        """
        if self.dim == names.UNIT:
            return dict(variables)
        start = INPUT if self.dim == names.INPUT_UNIT else ""
        return {f"{start}{name}": self._over_dim(one) for name, one in variables.items()}

    def _over_dim(self, variable: Any) -> Any:
        if not isinstance(variable, tuple):
            return variable
        dims, *rest = variable
        if isinstance(dims, str):
            return (self.dim if dims == names.UNIT else dims, *rest)
        return (tuple(self.dim if dim == names.UNIT else dim for dim in dims), *rest)


def recorded(binned: Any) -> Population:
    """All units of a recording, in their order: what latents of an embedding are compared with."""
    ids = tuple(str(unit_id) for unit_id in binned[names.UNIT_ID].values)
    return Population(names.COUNTS, names.UNIT, ids, binned)


def unit_coords(binned: Any) -> dict[str, Any]:
    """The coordinates that say which unit of a dataset is which; without rows of a table, their order."""
    rows = np.arange(binned.sizes[names.UNIT])
    table_rows = binned[names.UNIT_ROW].values if names.UNIT_ROW in binned.coords else rows
    known: dict[str, Any] = {
        names.UNIT: rows,
        names.UNIT_ID: (names.UNIT, binned[names.UNIT_ID].values),
        names.UNIT_ROW: (names.UNIT, table_rows),
    }
    if names.MERGED_UNITS in binned.coords:
        known[names.MERGED_UNITS] = (names.UNIT, binned[names.MERGED_UNITS].values)
    return known


def as_read(binned: Any, reads: str) -> Any:
    """The dataset as a coder sees it: one table ``counts(time, unit)`` and the ids of its columns.

    For a coder of an embedding the dims stand where units otherwise do ("dim 0", …), so that
    training, encoding and scoring need to know one table only; bins without an embedding are not
    observed. Nothing that leaves the package is named like that: what is said about dims is over
    ``dim``. A dataset that was made for a coder already comes back as it is.

    Raises:
        BadInput: the coder reads an embedding and there is none.
    """
    if reads == names.COUNTS or names.READS in binned.attrs:
        return binned
    if names.EMBEDDING not in binned:
        raise BadInput(
            "this coder reads an embedding, and the data hold none; "
            "nwbsparse.with_embedding(binned, values) puts it beside the counts"
        )
    values = np.asarray(binned[names.EMBEDDING].values, dtype=np.float32)
    there = np.isfinite(values)
    columns = (names.TIME, names.UNIT)
    made = binned.drop_dims([names.UNIT, names.DIM])
    made = made.assign({names.COUNTS: (columns, np.where(there, values, np.float32(0)))})
    if not there.all():
        made = made.assign({names.VALID: (columns, there)})
    ids = np.array(dim_names(values.shape[1]), dtype=object)
    coords = {names.UNIT: np.arange(len(ids)), names.UNIT_ID: (names.UNIT, ids)}
    return made.assign_coords(coords).assign_attrs({names.READS: reads})


def dim_names(n: int) -> list[str]:
    """What the dims of an embedding are called where units have an id."""
    return [f"{names.DIM} {dim}" for dim in range(n)]
