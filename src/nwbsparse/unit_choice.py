"""Which units of a table are meant by ids, a condition on columns, or regions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from nwbsparse.errors import BadInput, raise_together
from nwbsparse.query import select


def with_ids(
    columns: Mapping[str, np.ndarray], units: str | Iterable[object] | None, *, what: str = "units"
) -> np.ndarray:
    """(unit,) bool: ids ("3,7" or [3, 7]), 'good', or a condition on columns; all when None.

    Args:
        columns: of the units table, ``unit_id`` among them.
        units: what was asked for.
        what: the option that asked, for messages.

    Raises:
        BadInput: an id or column does not exist.
    """
    ids = [str(value) for value in columns["unit_id"]]
    if units is None:
        return np.ones(len(ids), dtype=bool)
    if isinstance(units, str):
        words = [word.strip() for word in units.split(",")]
        plain = all(word.replace("_", "").replace("-", "").isalnum() for word in words)
        if units.strip() == "good" or not plain:
            text = "quality == 'good'" if units.strip() == "good" else units
            return select(text, columns, what=what)
    else:
        words = [str(word) for word in units]
    unknown = [
        f"there is no unit '{word}' among the {len(ids)} units" for word in words if word not in ids
    ]
    raise_together(unknown, heading=f"{what} = {units!r}")
    return np.isin(ids, words)


def in_regions(columns: Mapping[str, np.ndarray], regions: str | Iterable[str]) -> np.ndarray:
    """(unit,) bool: units whose ``region`` is one of these (names, or one text with commas).

    Raises:
        BadInput: the units have no region, or none lies in one of them.
    """
    if "region" not in columns:
        raise BadInput("regions were asked for, but the units have no region")
    wanted = (
        [word.strip() for word in regions.split(",")] if isinstance(regions, str) else list(regions)
    )
    there = np.asarray(columns["region"]).astype(str)
    unknown = sorted(set(wanted) - set(there))
    if unknown:
        known = ", ".join(sorted(set(there)))
        raise BadInput(f"no unit lies in {', '.join(unknown)}; there are: {known}")
    return np.isin(there, wanted)
