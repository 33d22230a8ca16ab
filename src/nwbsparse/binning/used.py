"""What the columns of Binned counts are: units of a recording, some of them made one, or pools."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from nwbsparse.binning.duplicates import Distinct, distinct_units, merged_units
from nwbsparse.binning.pools import Pools, members_said, pooled
from nwbsparse.binning.select_units import Units, select_units
from nwbsparse.options.words import Duplicates
from nwbsparse.session import Session


@dataclass(frozen=True)
class Used:
    """The units that are counted, and what they are made of."""

    session: Session
    """The recording, with spikes of units that were merged joined, or with pools in place of units."""
    rows: Int[np.ndarray, " unit"]
    """Rows of the session's units that are counted, in order."""
    distinct: Distinct
    """The units that were chosen, those that share spikes being one, before they were pooled: when the
    recording ran is known from all of them."""
    made_of: dict[str, tuple[str, np.ndarray]]
    """The coordinate that says which units were made one with each; none where none was."""
    pools: Pools | None
    """None where units are not pooled."""


def used_units(
    session: Session,
    *,
    units: Units | None = None,
    regions: str | Iterable[str] | None = None,
    duplicates: Duplicates = "keep",
    pool: str | None = None,
) -> Used:
    """Choose units, treat those that share spikes, and sum what is left to pools, in this order.

    Args:
        session: the recording.
        units: which units, as :func:`nwbsparse.to_bins` takes them.
        regions: only units of these regions.
        duplicates: keep, merge or drop.
        pool: what units are pooled by; None: they are not.

    Raises:
        BadInput: a name does not exist, no unit remains, or units cannot be merged or pooled.
    """
    rows = select_units(session, units, regions=regions)
    found = distinct_units(session, rows, duplicates)
    if pool is None:
        made_of = merged_units(found, session, duplicates)
        return Used(found.session, found.rows, found, made_of, None)
    pools = pooled(found.session, found.rows, pool)
    merged = found.others if duplicates == "merge" else {}
    return Used(
        session=pools.session,
        rows=np.arange(len(pools.members)),
        distinct=found,
        made_of=members_said(pools, session, merged),
        pools=pools,
    )
