"""Which units of the source each unit (or pool) of a model is made of ⇄ a column of its population."""

# hdmf makes the signatures of its classes at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from hdmf.common import DynamicTable

from nwbsparse.io.unit_digests import UnitDigests

MERGED = "merged_units"
"""Column of a population: the other units whose spikes each row also has; of a pool all of its units."""
_OF_MERGED = (
    "the other units whose spikes were joined with those of this row, because they share spikes: a JSON "
    "list of [row of the source table, id, SHA-256 of its activity]"
)
_OF_POOLS = (
    "the units whose spikes were summed to this pool, that of source_row (the one of most spikes) among "
    "them: a JSON list of [row of the source table, id, SHA-256 of its activity]"
)


def add_merged(table: DynamicTable, said: Iterable[str], known: UnitDigests) -> None:
    """Say in a population which rows of the source its units are made of, and what these did.

    Args:
        table: the population; ``source_row`` of a merged unit or pool is the row of most spikes.
        said: per unit a JSON list of [row, id], '' where nothing was merged.
        known: checksums of what the units did.
    """
    said = list(said)
    rows = [
        [[row, unit_id, known.get((row, unit_id), "")] for row, unit_id in _listed(one)]
        for one in said
    ]
    own = map(int, table["source_row"].data)
    pools = any(is_pool(one, row) for one, row in zip(said, own, strict=True))
    table.add_column(
        name=MERGED,
        description=_OF_POOLS if pools else _OF_MERGED,
        data=[json.dumps(one) for one in rows],
    )


def is_pool(said: str, row: int) -> bool:
    """Whether a unit of a model is a pool: what it is made of has its own row too."""
    return row in (one for one, _ in _listed(said))


def rows_made_of(said: Iterable[str]) -> set[int]:
    """Rows of the source that stand in JSON lists of [row, id]."""
    return {int(row) for one in said for row, _ in _listed(one)}


def with_rows(said: Iterable[str], own: Iterable[int], rows: Mapping[int, int]) -> np.ndarray:
    """The same lists for another table.

    Args:
        said: per unit of a model a JSON list of [row, id], '' for none.
        own: the row of each in the first table.
        rows: row in the first table → row in the other.
    """
    moved = []
    for one, row in zip(said, own, strict=True):
        held = [[rows.get(at, at), unit_id] for at, unit_id in _listed(one)]
        # the units of a pool are in the order of their table
        moved.append(json.dumps(sorted(held) if is_pool(one, row) else held) if held else "")
    return np.array(moved)


def _listed(said: str) -> list[tuple[int, str]]:
    return [(int(row), str(unit_id)) for row, unit_id in json.loads(str(said))] if said else []


def merged_in(population: Any) -> np.ndarray:
    """(unit,) JSON lists of [row, id] of the units merged into each, '' for none."""
    listed = [json.loads(str(one)) for one in population[MERGED][:]]
    said = [
        json.dumps([[row, unit_id] for row, unit_id, _ in one]) if one else "" for one in listed
    ]
    return np.array(said, dtype=object)


def merged_digests(population: Any) -> dict[tuple[int, str], str]:
    """What the units that were merged into others, or pooled, did."""
    if MERGED not in population.colnames:
        return {}
    every = [each for one in population[MERGED][:] for each in json.loads(str(one))]
    return {(int(row), str(unit_id)): str(digest) for row, unit_id, digest in every if digest}
