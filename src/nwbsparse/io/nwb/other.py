"""What a recording holds besides units, behaviour and intervals: listed, not lost silently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hdmf.common import DynamicTable
from pynwb import TimeSeries
from pynwb.base import Image
from pynwb.core import NWBData, NWBDataInterface
from pynwb.misc import Units

from nwbsparse.io.nwb.choose import COUNTS, activity_kind, how_to_ask
from nwbsparse.io.nwb.contents import recorded
from nwbsparse.io.nwb.events import DETECTED
from nwbsparse.io.nwb.intervals import holds_intervals
from nwbsparse.io.nwb.marks import ORIGIN
from nwbsparse.io.nwb.unit_tables import has_spikes
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.names import type_name
from nwbsparse.io.rules.values import shape_of


def list_other(
    nwbfile: Any, account: Account, *, path_of: Callable[[Any], str], used: frozenset[int]
) -> None:
    """Report every table, image, binned count and interface of any kind that is not read.

    ``used`` holds the ``id`` of every object that was read.
    """
    for image in _all_of(nwbfile, Image):
        account.add("other", path_of(image), 1, 0, notes=["not behaviour: an image"])
    for thing in recorded(nwbfile):
        if activity_kind(thing) == COUNTS and id(thing) not in used:
            path = path_of(thing)
            n_units = shape_of(thing.data)[0]
            account.add("other", path, n_units, 0, notes=[how_to_ask(thing, path=path)])
    _list_interfaces(nwbfile, account, path_of=path_of, used=used)
    for table in _all_of(nwbfile, DynamicTable):
        is_read = holds_intervals(table) or id(table) in used
        is_read |= table is nwbfile.units and not has_spikes(table)
        if is_read or table is nwbfile.electrodes or table.name == ORIGIN:
            continue
        kind = type(table).__name__
        reason = f"a table of type {kind} is not behaviour"
        if isinstance(table, Units):
            way = (
                f"read it with units_table='{path_of(table)}'" if has_spikes(table) else "no spikes"
            )
            reason = f"another Units table: {way}"
        account.add("other", path_of(table), len(table.id), 0, notes=[reason])


def _list_interfaces(
    nwbfile: Any, account: Account, *, path_of: Callable[[Any], str], used: frozenset[int]
) -> None:
    """Report what is recorded and is neither a series nor a table nor an image, nor only holds such."""
    every = recorded(nwbfile)
    kinds = (TimeSeries, DynamicTable, Image)
    spoken_for: set[int] = set()
    others = [thing for thing in every if isinstance(thing, (NWBDataInterface, NWBData))]
    others = [thing for thing in others if not isinstance(thing, kinds) and _is_recorded(thing)]
    for thing in [*(one for one in every if isinstance(one, kinds)), *others]:
        above = thing.parent  # who holds what is listed need not be
        while above is not None:
            spoken_for.add(id(above))
            above = above.parent
    for thing in others:
        if id(thing) in used or id(thing) in spoken_for or activity_kind(thing):
            continue
        kind = type_name(thing)
        reason = f"not read: nothing is known to do with a {kind}"
        if kind == DETECTED:
            reason = "not read: it states no times (s), only numbers of samples"
        account.add("other", path_of(thing), 1, 0, notes=[reason])


def _is_recorded(thing: Any) -> bool:
    """Whether an object stands by itself: columns of tables, and what belongs to a series, do not."""
    return isinstance(thing, NWBDataInterface) or type_name(thing) == "ScratchData"


def _all_of(nwbfile: Any, kind: type) -> list[Any]:
    return [thing for thing in recorded(nwbfile) if isinstance(thing, kind)]
