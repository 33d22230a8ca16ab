"""By what units are pooled: columns of their table, and how wide the bins of a number are."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nwbsparse.errors import BadInput
from nwbsparse.naming.listed_names import pieces, unquoted

FORM = 'columns, with the width of bins for numbers: "region", "depth:100", "electrode_group,depth:100"'


@dataclass(frozen=True)
class PoolBy:
    """One column that units are pooled by."""

    column: str
    width: float | None = None
    """Of the bins that the column is cut into, in its own unit; None: its values as they are."""


def parse_pool(pool: str) -> tuple[PoolBy, ...]:
    """'electrode_group,depth:100' → what the units are pooled by, in that order.

    Raises:
        BadInput: a column has no name or stands there twice, or a width is no number > 0.
    """
    found: list[PoolBy] = []
    for part in pieces(pool):
        # a column whose name holds commas or colons stands in quotes: 'depth, um':100
        end = part.find(part[0], 1) + 1 if part[:1] in ("'", '"') else 0
        _, colon, said = (word.strip() for word in part[end:].partition(":"))
        column = unquoted(part[:end]) or part.partition(":")[0].strip()
        if not column:
            raise BadInput(f"pool = {pool!r} lacks the name of a column; it takes {FORM}")
        if column in (one.column for one in found):
            raise BadInput(f"pool = {pool!r} names '{column}' twice; name it once")
        found.append(PoolBy(column, _width(said, column, pool) if colon else None))
    return tuple(found)


def _width(said: str, column: str, pool: str) -> float:
    try:
        width = float(said)
    except ValueError:
        raise BadInput(
            f"pool = {pool!r}: the width of '{column}' is {said!r}, which is no number; write "
            f'"{column}:100"'
        ) from None
    if not (math.isfinite(width) and width > 0):
        raise BadInput(f"pool = {pool!r}: the width of '{column}' is {said}; it must be > 0")
    return width
