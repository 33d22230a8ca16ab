"""One session on the way back: as a coder of several sessions sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.sessions.join import ids_of, source_name
from nwbsparse.binning.sessions.merge import stacked
from nwbsparse.errors import BadInput, unknown
from nwbsparse.schema import check, with_step


def for_coder(binned: xr.Dataset, coder: Any, *, session: str | None = None) -> xr.Dataset:
    """One session as a coder of several sees it: with all its units, the others' not observed.

    Args:
        binned: Binned dataset of one session (or of some sessions joined), with all units that the
            coder has of it, in any order.
        coder: what was learned from joined sessions.
        session: which of the coder's sessions it is; default: the one called like its source.

    Returns:
        The dataset with the coder's units in the coder's order, ready for ``encode``, ``evaluate``
        and ``reconstruct``; ``counts`` are 0 and ``valid`` is False for units of other sessions.
        Times, splits and behaviour are those of the session itself.

    Raises:
        BadInput: the coder has no such session, has other units of it, or another bin width.
    """
    check(binned, names.BINNED)
    ids = list(dict.fromkeys((*coder.record.unit_ids, *coder.record.targets)))
    known = list(dict.fromkeys(unit_id.partition("/")[0] for unit_id in ids if "/" in unit_id))
    own = ids_of(binned)
    if session is None and names.UNIT_SESSION in binned.coords:
        here = list(dict.fromkeys(binned[names.UNIT_SESSION].values.tolist()))
    else:
        here = [source_name(binned) if session is None else session]
        own = [f"{here[0]}/{unit_id}" for unit_id in own]
    for name in here:
        if name not in known:
            there = known or ("none: it was not learned from joined sessions",)
            more = "Say which it is with session="
            raise unknown(name, there, what="session", of="the coder", more=more)
    wanted = [unit_id for unit_id in ids if unit_id.partition("/")[0] in here]
    if sorted(own) != sorted(wanted):
        raise BadInput(
            f"the coder has {len(wanted)} units of {', '.join(here)}, the data hold {len(own)}, of "
            f"which {len(set(own) & set(wanted))} are the same; bin the recording with the coder's "
            "units"
        )
    width = float(binned.attrs[names.BIN_WIDTH])
    if not np.isclose(width, coder.record.bin_width, rtol=1e-9, atol=0):
        raise BadInput(
            f"the coder was trained on bins of {coder.record.bin_width:g} s, these are of {width:g} s"
        )
    return with_step(_spread(binned, own, ids), "for_coder", {names.SESSIONS: here})


def _spread(binned: xr.Dataset, own: list[str], ids: list[str]) -> xr.Dataset:
    """The dataset with these units: its own at their places, the others as not observed."""
    column = {unit_id: at for at, unit_id in enumerate(own)}
    place = np.array([column.get(unit_id, len(own)) for unit_id in ids])
    is_own = place < len(own)
    n_bins = binned.sizes[names.TIME]
    variables: dict[str, Any] = {}
    for name, variable in binned.variables.items():
        if names.UNIT not in variable.dims or name in (names.VALID, names.UNIT):
            continue
        axis = variable.dims.index(names.UNIT)
        values = np.moveaxis(np.asarray(variable.values), axis, 0)
        if variable.ndim == 2:  # counts: a zero that 'valid' says was not observed
            none = np.zeros((1, n_bins), values.dtype)
            values = np.concatenate([values, none])
        elif name == names.UNIT_ROW:
            values = np.append(values, -1)
        elif not is_own.all():
            values = stacked([values, None], [len(own), 1])
        variables[str(name)] = (variable.dims, np.moveaxis(values[place], 0, axis), variable.attrs)
    valid = np.zeros((n_bins, len(ids)), dtype=bool)
    seen = (
        binned[names.VALID].values if names.VALID in binned else np.ones((n_bins, len(own)), bool)
    )
    valid[:, is_own] = seen[:, place[is_own]]
    variables[names.VALID] = ((names.TIME, names.UNIT), valid)
    variables[names.UNIT] = np.arange(len(ids))
    variables[names.UNIT_ID] = (names.UNIT, np.array(ids))
    owner = np.array([unit_id.partition("/")[0] for unit_id in ids])
    variables[names.UNIT_SESSION] = (names.UNIT, owner)
    coords = {str(name) for name in binned.coords} | {names.UNIT_SESSION, names.UNIT}
    return binned.drop_dims(names.UNIT).assign(variables).set_coords(coords)
