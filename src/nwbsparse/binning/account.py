"""What was done about units that share spikes, in the account of what was read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nwbsparse import names
from nwbsparse.binning.duplicates import Distinct, distinct_units
from nwbsparse.binning.to_bins import Units, select_units
from nwbsparse.options.config import Config
from nwbsparse.options.words import Duplicates
from nwbsparse.session import ReadLine, Session

ACCOUNT = "units that share spikes"
"""Name of the line of the ReadReport that says what was done about them."""


def accounted(
    session: Session,
    *,
    duplicates: Duplicates,
    units: Units | None = None,
    regions: str | Iterable[str] | None = None,
) -> Session:
    """The recording with a line in its report that says which units are merged or dropped.

    The same recording where units that share spikes are kept as they are, and where it was opened
    without its spikes. Its units and spikes are not changed: that is done when bins are made.

    Args:
        session: the recording.
        duplicates: keep, merge or drop, as in :func:`nwbsparse.to_bins`.
        units: which units are used.
        regions: of which regions.

    Raises:
        BadInput: units are to be merged or dropped, and the recording holds no spike times.
    """
    if duplicates == "keep" or (session.traces is None and not len(session.spike_times)):
        return session
    rows = select_units(session, units, regions=regions)
    found = distinct_units(session, rows, duplicates)
    lines = [line for line in session.report.lines if line.name != ACCOUNT]
    done = _merged if duplicates == "merge" else _dropped
    said = tuple(done(session, found, row) for row in found.others) or ("there are none",)
    lines.append(ReadLine("units", ACCOUNT, len(rows), len(found.rows), said))
    return replace(session, report=replace(session.report, lines=tuple(lines)))


def accounted_as(session: Session, config: Config) -> Session:
    """:func:`accounted`, with the units and what becomes of duplicates as the options of a run say."""
    return accounted(
        session, duplicates=config.duplicates, units=config.units, regions=config.regions
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


def _ids(session: Session, rows: Iterable[int]) -> str:
    ids = [str(session.units[names.UNIT_ID].values[row]) for row in rows]
    return ("unit " if len(ids) == 1 else "units ") + ", ".join(ids)
