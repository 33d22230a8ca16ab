"""Which units of the source were merged into each unit of a model ⇄ a column of its population."""

# hdmf makes the signatures of its classes at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
from hdmf.common import DynamicTable

from nwbsparse.io.unit_digests import UnitDigests

MERGED = "merged_units"
"""Column of a population: the other units whose spikes each row also has."""


def add_merged(table: DynamicTable, said: Iterable[str], known: UnitDigests) -> None:
    """Say in a population which rows of the source were merged into its units, and what these did.

    Args:
        table: the population; ``source_row`` of a merged unit is the row of most spikes.
        said: per unit a JSON list of [row, id], '' where nothing was merged.
        known: checksums of what the units did.
    """
    rows = []
    for one in said:
        others = json.loads(one) if one else []
        rows.append([[row, unit_id, known.get((row, unit_id), "")] for row, unit_id in others])
    table.add_column(
        name=MERGED,
        description="the other units whose spikes were joined with those of this row, because they "
        "share spikes: a JSON list of [row of the source table, id, SHA-256 of its activity]",
        data=[json.dumps(one) for one in rows],
    )


def merged_in(population: Any) -> np.ndarray:
    """(unit,) JSON lists of [row, id] of the units merged into each, '' for none."""
    listed = [json.loads(str(one)) for one in population[MERGED][:]]
    said = [
        json.dumps([[row, unit_id] for row, unit_id, _ in one]) if one else "" for one in listed
    ]
    return np.array(said, dtype=object)


def merged_digests(population: Any) -> dict[tuple[int, str], str]:
    """What the units that were merged into others did."""
    if MERGED not in population.colnames:
        return {}
    every = [each for one in population[MERGED][:] for each in json.loads(str(one))]
    return {(int(row), str(unit_id)): str(digest) for row, unit_id, digest in every if digest}
