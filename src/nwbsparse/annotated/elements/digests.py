"""What each unit did when a result was made, as a checksum ⇄ a column of its population."""

# hdmf makes the signatures of its classes at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from hdmf.common import DynamicTable

from nwbsparse.annotated.elements.merged import MERGED, merged_digests
from nwbsparse.io.unit_digests import UnitDigests

COLUMN = "activity_sha256"
"""Column of a population that holds the checksum of each unit."""

Digests = Mapping[str, UnitDigests]
"""Dimension of units → what its units did; empty for results of before checksums were kept."""


def add_digests(table: DynamicTable, known: UnitDigests) -> None:
    """Put the checksums of its units into a population, where they are known."""
    units = zip(table["source_row"].data, table["unit_name"].data, strict=True)
    said = [digest_of_unit(known, *unit) for unit in units]
    if any(said):
        table.add_column(
            name=COLUMN,
            description="SHA-256 of what the unit did when the model was made from it",
            data=said,
        )


def digests_in(populations: Mapping[str, Any]) -> dict[str, UnitDigests]:
    """What stands in the populations of a model in a file, by their dimensions of units."""
    # no pool has a checksum: the units that it is the sum of have
    said = {COLUMN, MERGED}
    return {dim: _in(one) for dim, one in populations.items() if said & set(one.colnames)}


def digest_of_unit(known: UnitDigests, row: Any, unit_id: Any) -> str:
    """The checksum of one unit of a model; '' where there is none.

    Units of a second table bear its name before their own id ('plane2:7').
    """
    row, unit_id = int(row), str(unit_id)
    return known.get((row, unit_id)) or known.get((row, unit_id.rpartition(":")[2]), "")


def _in(population: Any) -> UnitDigests:
    if COLUMN not in population.colnames:
        return merged_digests(population)
    rows = np.asarray(population["source_row"][:])
    columns = zip(rows, population["unit_name"][:], population[COLUMN][:], strict=True)
    own = {(int(row), str(unit)): str(digest) for row, unit, digest in columns if digest}
    return own | merged_digests(population)
