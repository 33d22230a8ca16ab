"""Which units of a recording are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import xarray as xr

from nwbsparse.errors import BadInput, raise_together
from nwbsparse.query import select
from nwbsparse.session import Session

Units = str | Iterable[object] | Callable[[xr.Dataset], np.ndarray]


def select_units(
    session: Session, units: Units | None, *, regions: str | Iterable[str] | None = None
) -> np.ndarray:
    """Rows of the units table that were asked for, in the order of the table.

    Args:
        session: the recording.
        units: None for all; ids ("3,7" or [3, 7]); 'good' (quality 'good'); a condition on unit
            columns ("depth > 800 and quality == 'good'"); or a function that takes the units
            dataset and returns one bool per unit.
        regions: keep only units whose ``region`` is one of these (a name or several).

    Raises:
        BadInput: an id, column or region does not exist, or no unit remains.
    """
    rows = np.flatnonzero(_asked(session, units))
    if regions is not None:
        rows = rows[np.isin(rows, np.flatnonzero(_in_regions(session, regions)))]
    if not len(rows):
        asked = f"units={units!r}, regions={regions!r}"
        raise BadInput(f"none of the {session.n_units} units satisfies {asked}")
    return rows


def _asked(session: Session, units: Units | None) -> np.ndarray:
    n = session.n_units
    if units is None:
        return np.ones(n, dtype=bool)
    if callable(units):
        chosen = np.asarray(units(session.units))
        if chosen.shape != (n,) or chosen.dtype != bool:
            raise BadInput(f"units=function must give one bool for each of the {n} units")
        return chosen
    ids = [str(value) for value in session.units["unit_id"].values]
    if isinstance(units, str):
        words = [word.strip() for word in units.split(",")]
        plain = all(word.replace("_", "").replace("-", "").isalnum() for word in words)
        if units.strip() == "good" or not plain:
            text = "quality == 'good'" if units.strip() == "good" else units
            columns = {str(name): session.units[name].values for name in session.units.variables}
            return select(text, columns, what="units")
    else:
        words = [str(word) for word in units]
    unknown = [
        f"there is no unit '{word}' among the {n} units" for word in words if word not in ids
    ]
    raise_together(unknown, heading=f"units = {units!r}")
    return np.isin(ids, words)


def _in_regions(session: Session, regions: str | Iterable[str]) -> np.ndarray:
    if "region" not in session.units:
        raise BadInput("regions were asked for, but the units have no region")
    wanted = (
        [word.strip() for word in regions.split(",")] if isinstance(regions, str) else list(regions)
    )
    there = session.units["region"].values.astype(str)
    unknown = sorted(set(wanted) - set(there))
    if unknown:
        known = ", ".join(sorted(set(there)))
        raise BadInput(f"no unit lies in {', '.join(unknown)}; there are: {known}")
    return np.isin(there, wanted)
