"""Which table holds the units: found by type as behaviour is, chosen by name where there are several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hdmf.common import VectorIndex
from hdmf.container import Container
from pynwb.device import Device
from pynwb.misc import Units

from nwbsparse.errors import BadInput, unknown
from nwbsparse.io.nwb.choose import PLAIN, activity_in, pattern_of
from nwbsparse.io.nwb.contents import recorded
from nwbsparse.io.rules.account import counted, listed
from nwbsparse.io.rules.values import shape_of


def has_spikes(table: Any) -> bool:
    """Whether a table has rows and spike times."""
    return table is not None and len(table.id) > 0 and "spike_times" in table.colnames


def spiking_tables(nwbfile: Any, *, path_of: Callable[[Any], str]) -> dict[str, Any]:
    """Every Units table of a file that has spikes, by its path; that at /units first."""
    held = [one for one in recorded(nwbfile) if isinstance(one, Units) and has_spikes(one)]
    order = sorted(held, key=lambda one: (one is not nwbfile.units, path_of(one)))
    return {path_of(one): one for one in order}


def chosen_table(
    nwbfile: Any, asked: str | None, *, path: Any, path_of: Callable[[Any], str]
) -> Any:
    """The table that is asked for, by its path, its end or its name; else /units, else the only one.

    None where there is none and none was asked for.

    Raises:
        BadInput: no or more than one table has that name, or there are several elsewhere than at
            /units and none was asked for.
    """
    tables = spiking_tables(nwbfile, path_of=path_of)
    if asked is None:
        if has_spikes(nwbfile.units) or len(tables) < 2:
            return next(iter(tables.values()), None)
        raise BadInput(
            f"{len(tables)} tables of {path} hold units: give units_table= (--units-table) one of "
            f"them.{_list(tables)}"
        )
    place = f"/{asked.strip('/')}"
    found = [one for one in tables if one == place] or [
        one for one in tables if one.endswith(place)
    ]
    if not found:
        raise unknown(asked, tables, what="Units table with spikes", where=path)
    if len(found) > 1:
        several = {one: tables[one] for one in found}
        raise BadInput(
            f"units_table='{asked}' names {len(found)} tables of {path}.{_list(several)}"
        )
    return tables[found[0]]


def no_units(nwbfile: Any, *, path: Any, path_of: Callable[[Any], str]) -> BadInput:
    """The error for a file without spikes: what its Units tables lack, and what else it holds."""
    tables = [one for one in recorded(nwbfile) if isinstance(one, Units)]
    lack = [
        f"{path_of(one)} has no {'spike_times' if len(one.id) else 'rows'}"
        for one in sorted(tables, key=path_of)
    ]
    held = [
        f"{path_of(one)} ({type(one).__name__})"
        for one in nwbfile.objects.values()
        if one.parent is not None and (one.parent is nwbfile or one.parent.parent is nwbfile)
        if isinstance(one, Container) and not isinstance(one, Device)
    ]
    plain = [one for one in activity_in(nwbfile, path_of=path_of) if one.kind == PLAIN]
    way = ""
    if pattern := pattern_of(plain):
        way = f" One series per unit is read with series='{pattern}' (--series '{pattern}')."
    elif plain:
        way = f" A series is read as activity with series= (--series), such as '{plain[0].path}'."
    return BadInput(
        f"no Units in {path}: {listed(lack) or 'there is no table'}; found: "
        f"{listed(held, most=12) or 'nothing'}.{way}"
    )


def _list(tables: dict[str, Any]) -> str:
    said = []
    for path, table in tables.items():
        column: Any = table["spike_times"]
        flat = column.target if isinstance(column, VectorIndex) else column
        n_spikes = int(np.prod(shape_of(flat.data)[:1]))
        units, spikes = counted(len(table.id), "unit"), counted(n_spikes, "spike")
        said.append(f"\n- {path} ({units}, {spikes})")
    return "".join(said)
