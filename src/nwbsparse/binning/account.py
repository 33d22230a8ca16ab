"""What was done about units that share spikes, and which were pooled, in the account of what was read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from nwbsparse.binning.duplicates import Distinct
from nwbsparse.binning.pools import Pools
from nwbsparse.binning.select_units import Units
from nwbsparse.binning.used import used_units
from nwbsparse.options.config import Config
from nwbsparse.options.words import Duplicates
from nwbsparse.session import ReadLine, Session

ACCOUNT = "units that share spikes"
"""Name of the line of the ReadReport that says what was done about them."""
POOLS = "pools of units"
"""Name of the line that says which units were summed."""
MOST = 12
"""Pools, and units in none, that it lists; of more it says how many."""


def accounted(
    session: Session,
    *,
    duplicates: Duplicates,
    pool: str | None = None,
    units: Units | None = None,
    regions: str | Iterable[str] | None = None,
) -> Session:
    """The recording with lines in its report that say which units are merged or dropped, or pooled.

    The same recording where nothing of it is done, and where it was opened without its spikes. Its
    units and spikes are not changed: that is done when bins are made.

    Args:
        session: the recording.
        duplicates: keep, merge or drop, as in :func:`nwbsparse.to_bins`.
        pool: what units are pooled by, as there.
        units: which units are used.
        regions: of which regions.

    Raises:
        BadInput: units are to be merged, dropped or pooled, and the recording holds no spike times, or
            they cannot be pooled so.
    """
    nothing = duplicates == "keep" and pool is None
    if nothing or (session.traces is None and not len(session.spike_times)):
        return session
    used = used_units(session, units=units, regions=regions, duplicates=duplicates, pool=pool)
    found, pools = used.distinct, used.pools
    lines = [line for line in session.report.lines if line.name not in (ACCOUNT, POOLS)]
    if duplicates != "keep":
        done = _merged if duplicates == "merge" else _dropped
        said = tuple(done(session, found, row) for row in found.others) or ("there are none",)
        n_chosen = len(found.rows) + sum(map(len, found.others.values()))
        lines.append(ReadLine("units", ACCOUNT, n_chosen, len(found.rows), said))
    if pools is not None:
        n_kept = sum(map(len, pools.members))
        lines.append(
            ReadLine("units", POOLS, len(found.rows), n_kept, _pooled(session, pools, str(pool)))
        )
    return replace(session, report=replace(session.report, lines=tuple(lines)))


def accounted_as(session: Session, config: Config) -> Session:
    """:func:`accounted`, with the units and what becomes of them as the options of a run say."""
    return accounted(
        session,
        duplicates=config.duplicates,
        pool=config.pool,
        units=config.units,
        regions=config.regions,
    )


def _merged(session: Session, found: Distinct, row: int) -> str:
    before = sum(len(session.spikes_of(one)) for one in (row, *found.others[row]))
    after = len(found.session.spikes_of(row))
    return (
        f"{_ids(session, found.others[row])} merged into {_ids(session, [row])}: {after:,} spikes, "
        f"{before - after:,} that several of them had counted once"
    )


def _dropped(session: Session, found: Distinct, row: int) -> str:
    return f"{_ids(session, found.others[row])} dropped: {_ids(session, [row])} shares their spikes"


def _pooled(session: Session, pools: Pools, pool: str) -> tuple[str, ...]:
    both = zip(pools.names, pools.members, strict=True)
    each = [f"{name} ({len(some):,} unit{'s' * (len(some) != 1)})" for name, some in both]
    said = [f"summed to {len(each):,} pools by {pool}: {_listed(each)}"]
    if n := len(pools.left_out):
        ids = _listed(session.unit_names[pools.left_out].tolist())
        said.append(f"{n:,} left out, without a value of {pool}: unit{'s' * (n != 1)} {ids}")
    return (*said, pools.mixed) if pools.mixed else tuple(said)


def _listed(items: list[Any]) -> str:
    more = f" and {len(items) - MOST:,} more" if len(items) > MOST else ""
    return ", ".join(map(str, items[:MOST])) + more


def _ids(session: Session, rows: Iterable[int]) -> str:
    ids = [str(session.unit_names[row]) for row in rows]
    return ("unit " if len(ids) == 1 else "units ") + ", ".join(ids)
