"""What a recording holds besides units, behaviour and intervals: listed, not lost silently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hdmf.common import DynamicTable
from pynwb.base import Image
from pynwb.misc import Units

from nwbsparse.io.nwb.choose import COUNTS, activity_kind, how_to_ask
from nwbsparse.io.nwb.contents import recorded
from nwbsparse.io.nwb.intervals import holds_intervals
from nwbsparse.io.nwb.marks import ORIGIN
from nwbsparse.io.nwb.unit_tables import has_spikes
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.values import shape_of


def list_other(
    nwbfile: Any, account: Account, *, path_of: Callable[[Any], str], used: frozenset[int]
) -> None:
    """Report every table, image and binned count that is not read, with how many rows it has.

    ``used`` holds the ``id`` of every object that was read.
    """
    for image in _all_of(nwbfile, Image):
        account.add("other", path_of(image), 1, 0, notes=["not behaviour: an image"])
    for thing in recorded(nwbfile):
        if activity_kind(thing) == COUNTS and id(thing) not in used:
            path = path_of(thing)
            n_units = shape_of(thing.data)[0]
            account.add("other", path, n_units, 0, notes=[how_to_ask(thing, path=path)])
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


def _all_of(nwbfile: Any, kind: type) -> list[Any]:
    return [thing for thing in recorded(nwbfile) if isinstance(thing, kind)]
