"""Units summed to pools: those of one region, depth or electrode, read as one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Int

from nwbsparse import names
from nwbsparse.binning.pool_columns import ELECTRODE, columns_that_pool, told_apart, values_of
from nwbsparse.binning.stretches import intersection, union
from nwbsparse.errors import BadInput
from nwbsparse.options.pooling import PoolBy, parse_pool
from nwbsparse.session import Session

FEWEST = 2
SHOWN = 4
"""Values that a sentence lists."""
_APART = (
    "electrode_group", "group_name", "probe", "probe_id", "probe_name", "device", "device_name",
    "shank", "shank_id", "sh",
)  # fmt: skip
"""Columns that say which piece of hardware a unit is on: depths and channels begin anew on each."""

Rows = Int[np.ndarray, " _"]


@dataclass(frozen=True)
class Pools:
    """Pools of units, each a unit of a session made for them."""

    session: Session
    """The recording with pools in place of its units. A pool bears the row of its unit of most spikes
    (of equals the first), and those columns in which its units agree in every pool."""
    members: tuple[Rows, ...]
    """Rows of the recording's units that each pool is the sum of, in the order of the table."""
    left_out: Rows
    """Rows of the units that are in no pool: they lack a value."""
    mixed: str
    """Which pools hold units of several probes, and what keeps them apart; '' where none does."""

    @property
    def names(self) -> list[str]:
        """What the pools are called."""
        return [str(one) for one in self.session.units[names.UNIT_ID].values]


def pooled(session: Session, rows: Rows, pool: str) -> Pools:
    """Sum the spikes of units that have the same value in a column, or in several.

    Every spike counts, also where two units have it: units that share spikes are made one before, if
    at all. A pool was observed where all of its units were: a sum that lacks one is not the sum.

    Args:
        session: the recording.
        rows: the units that are used.
        pool: "region", "depth:100" (bins of that width), "electrode", or several with commas.

    Raises:
        BadInput: there is no such column, or it needs a width; the recording holds no spike times;
            fewer than two pools come out; or the units of one were never observed together.
    """
    if session.traces is not None:
        raise BadInput(
            f"pool={pool} needs spike times, which {session.traces.name} does not have; leave pool away, "
            "or choose what to read with --units (units=)"
        )
    by = parse_pool(pool)
    parts = [values_of(one, session.units, rows, pool) for one in by]
    number = np.stack([one.number for one in parts], axis=1)
    there = (number >= 0).all(axis=1)
    which, at = np.unique(number[there], axis=0, return_inverse=True)
    used, at = rows[there], np.ravel(at)
    called = told_apart(parts, [tuple(map(int, one)) for one in which])
    members = tuple(used[at == one] for one in range(len(which)))
    if len(members) < FEWEST:
        raise _too_few(session, pool, called, len(rows))
    return Pools(
        session=_summed(session, members, called),
        members=members,
        left_out=rows[~there],
        mixed=_mixed(session.units, members, called, by, pool),
    )


def members_said(
    pools: Pools, session: Session, merged: Mapping[int, tuple[int, ...]]
) -> dict[str, tuple[str, np.ndarray]]:
    """The coordinate that says which units each pool is the sum of.

    Text per pool: a JSON list of [row of the source table, name] of all, that of ``unit_row`` too: a
    pool's id is no unit's.

    Args:
        pools: the pools.
        session: the recording that they were made from.
        merged: units that were merged into others before: row → rows of the others.
    """
    stated, called = session.unit_rows, session.unit_names
    said = []
    for members in pools.members:
        rows = sorted({int(one) for row in members for one in (row, *merged.get(int(row), ()))})
        said.append(json.dumps([[int(stated[row]), str(called[row])] for row in rows]))
    return {names.MERGED_UNITS: (names.UNIT, np.array(said))}


def are_pools(binned: xr.Dataset) -> bool:
    """Whether the columns of a Binned dataset are pools of units."""
    if names.MERGED_UNITS not in binned.coords:
        return False
    both = zip(binned[names.UNIT_ROW].values, binned[names.MERGED_UNITS].values, strict=True)
    # the others of a merged unit do not have its own row
    return any(int(row) in (one for one, _ in json.loads(str(said) or "[]")) for row, said in both)


def n_pooled(binned: xr.Dataset) -> int:
    """How many units of the recording the columns of a Binned dataset of pools are made of."""
    said = binned[names.MERGED_UNITS].values
    return sum(len(json.loads(str(one) or "[]")) for one in said)


def _summed(session: Session, members: Sequence[Rows], called: Sequence[str]) -> Session:
    trains = [np.concatenate([session.spikes_of(row) for row in some]) for some in members]
    trains = [np.sort(train, kind="stable") for train in trains]
    each = np.diff(session.spike_index)
    first = np.array([some[np.argmax(each[some])] for some in members])
    columns: dict[str, Any] = {
        names.UNIT_ID: (names.UNIT, np.array(called)),
        names.UNIT_ROW: (names.UNIT, session.unit_rows[first]),
    }
    own = {names.UNIT, names.N_SPIKES, *columns}
    for name, column in session.units.variables.items():
        values = np.asarray(column.values)
        if name not in own and all(_agree(values[some]) for some in members):
            columns[str(name)] = (names.UNIT, values[first])
    seen = session.obs_intervals
    return session.with_trains(
        trains,
        xr.Dataset(columns, attrs=session.units.attrs),
        None if seen is None else _observed(seen, members, called),
    )


def _agree(values: np.ndarray) -> bool:
    if values.dtype.kind == "f" and np.isnan(values).all():
        return True
    return bool((values == values[0]).all())


def _observed(
    seen: Sequence[np.ndarray], members: Sequence[Rows], called: Sequence[str]
) -> tuple[np.ndarray, ...]:
    """(n, 2) stretches (s) in which all units of each pool were observed."""
    found = []
    for some, name in zip(members, called, strict=True):
        # a unit without any was observed throughout, and so is a pool of such units
        known = [union(seen[row]) for row in some if len(seen[row])]
        both = known[0] if known else np.empty((0, 2))
        for one in known[1:]:
            both = intersection(both, one)
        if known and not len(both):
            raise BadInput(
                f"the {len(some)} units of pool '{name}' were never observed together "
                "(obs_intervals), so that their sum is nowhere known; name the units to use with --units "
                "(units=), or pool by more columns"
            )
        found.append(both)
    return tuple(found)


def _mixed(
    units: xr.Dataset,
    members: Sequence[Rows],
    called: Sequence[str],
    by: Sequence[PoolBy],
    pool: str,
) -> str:
    """Whether positions of several probes were taken for one, in words."""
    if not any(one.width is not None or one.column == ELECTRODE for one in by):
        return ""
    asked = {one.column for one in by}
    found: list[tuple[int, str, list[int]]] = []
    for name in _APART:
        if name in units and name not in asked:
            values = np.asarray(units[name].values)
            mixed = [at for at, some in enumerate(members) if not _agree(values[some])]
            found.append((len(np.unique(values)), name, mixed))
    _, name, mixed = max(found, key=lambda one: (bool(one[2]), one[0]), default=(0, "", []))
    if not mixed:
        return ""
    held = list(dict.fromkeys(np.asarray(units[name].values)[members[mixed[0]]].tolist()))
    shown = ", ".join(map(str, held[:SHOWN])) + (" …" if len(held) > SHOWN else "")
    return (
        f"{len(mixed)} of {len(members)} pools hold units of more than one {name}, such as "
        f"'{called[mixed[0]]}' ({shown}): --pool \"{name},{pool}\" keeps them apart"
    )


def _too_few(session: Session, pool: str, called: Sequence[str], n_units: int) -> BadInput:
    fit = ", ".join(columns_that_pool(session.units)) or "none"
    if called:
        made = f"one pool ('{called[0]}') of {n_units} units"
    else:
        made = f"no pool of {n_units} units, for none has a value"
    return BadInput(
        f"pool = {pool!r} makes {made}, and {FEWEST} are needed; pool by another "
        f"column (with more than one value: {fit}), by narrower bins, or use more units"
    )
