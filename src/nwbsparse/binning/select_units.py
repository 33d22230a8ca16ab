"""Which units of a recording are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import xarray as xr

from nwbsparse.errors import BadInput
from nwbsparse.query import in_regions, with_ids
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
    columns = {str(name): session.units[name].values for name in session.units.variables}
    if callable(units):
        chosen = np.asarray(units(session.units))
        if chosen.shape != (session.n_units,) or chosen.dtype != bool:
            raise BadInput(
                f"units=function must give one bool for each of the {session.n_units} units"
            )
    else:
        chosen = with_ids(columns, units)
    if regions is not None:
        chosen = chosen & in_regions(columns, regions)
    rows = np.flatnonzero(chosen)
    if not len(rows):
        asked = f"units={units!r}, regions={regions!r}"
        raise BadInput(f"none of the {session.n_units} units satisfies {asked}")
    return rows
