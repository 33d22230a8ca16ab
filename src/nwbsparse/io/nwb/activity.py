"""The activity of a recording: its spikes, or the traces that were asked for instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.band import read_band
from nwbsparse.io.nwb.binned import read_binned
from nwbsparse.io.nwb.choose import COUNTS, FIELD, OWN, Candidate, activity_in, choose
from nwbsparse.io.nwb.obs_intervals import read_obs_intervals
from nwbsparse.io.nwb.own_activity import read_own_activity
from nwbsparse.io.nwb.traces import Part, join, read_trace, table_of
from nwbsparse.io.nwb.unit_tables import chosen_table, no_units, spiking_tables
from nwbsparse.io.nwb.units import read_units
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.clock import Reach
from nwbsparse.io.rules.names import identifier
from nwbsparse.io.rules.seconds import check_seconds
from nwbsparse.session import Traces


@dataclass(frozen=True)
class Asked:
    """What a caller wants of a file where it leaves a choice."""

    series: str | None = None
    band: tuple[float, float] | None = None
    rate: float | None = None
    units_table: str | None = None
    time_scale: float | None = None
    """None: stored times are seconds, and are checked to be."""

    @property
    def seconds(self) -> float:
        """Per unit of the stored times."""
        return 1.0 if self.time_scale is None else self.time_scale

    def check(self) -> None:
        """Make sure that the numbers can be meant.

        Raises:
            BadInput: one of them cannot.
        """
        if not math.isfinite(self.seconds) or self.seconds <= 0:
            raise BadInput(
                f"time_scale must be a positive number of seconds, not {self.time_scale}"
            )
        if self.units_table is not None and (self.series is not None or self.band is not None):
            raise BadInput(
                "units_table (--units-table) chooses spikes, series and band other activity: give one"
            )
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise BadInput(f"rate must be a positive number of Hz, not {self.rate}")
        if self.band is not None and not (
            len(self.band) == 2 and 0 < self.band[0] < self.band[1] < math.inf
        ):
            raise BadInput(f"band must be two frequencies in Hz, low before high, not {self.band}")


@dataclass(frozen=True)
class Activity:
    """Who the units are and what they did."""

    units: xr.Dataset
    spike_times: np.ndarray
    spike_index: np.ndarray
    reach: Reach
    table_path: str = ""
    table_object_id: str = ""
    traces: Traces | None = None
    obs_intervals: tuple[np.ndarray, ...] | None = None
    intervals: Mapping[str, xr.Dataset] = field(default_factory=dict)
    used: frozenset[int] = frozenset()
    """``id`` of every object of the file that was read for it."""


def read_activity(
    nwbfile: Any,
    account: Account,
    asked: Asked,
    *,
    starts: float | None,
    path_of: Callable[[Any], str],
    builder_of: Callable[[Any], Any],
) -> Activity:
    """The spikes of a file; or the series that is asked for; or the only one where none spike.

    Spikes are those of the table that is asked for, else of that at /units, else of the only one.

    ``starts`` is when the recording begins (s), where the file says so.

    Raises:
        BadInput: there is no activity, several series could be it and none was asked for, or the
            times are not seconds of a session.
    """
    wants_traces = asked.series is not None or asked.band is not None
    table = None
    if not wants_traces:
        table = chosen_table(nwbfile, asked.units_table, path=account.path, path_of=path_of)
    if table is None:
        candidates = activity_in(nwbfile, path_of=path_of)
        chosen = choose(candidates, asked.series, band=asked.band is not None, path=account.path)
        if chosen:
            return _traces(nwbfile, account, asked, chosen, path_of=path_of)
        raise no_units(nwbfile, path=account.path, path_of=path_of)
    units, spikes = read_units(
        table, account, time_scale=asked.seconds, starts=starts, builder=builder_of(table)
    )
    observed = read_obs_intervals(table, spikes, account, time_scale=asked.seconds)
    answered = asked.time_scale is not None
    check_seconds(spikes, account.path, scalable=True, observed=observed, answered=answered)
    return Activity(
        units=units,
        spike_times=spikes.times,
        spike_index=spikes.index,
        reach=Reach(*spikes.extent),
        table_path=path_of(table),
        table_object_id=table.object_id,
        obs_intervals=observed,
        used=frozenset({id(table)}),
    )


def _traces(
    nwbfile: Any,
    account: Account,
    asked: Asked,
    chosen: list[Candidate],
    *,
    path_of: Callable[[Any], str],
) -> Activity:
    parts = [_part(one, account, asked) for one in chosen]
    name = chosen[0].name if len(chosen) == 1 else asked.series or chosen[0].name
    units, traces = join(parts, name=identifier(name))
    n_units = units.sizes[names.UNIT]
    ids, count = np.unique(units[names.UNIT_ID].values, return_counts=True)
    notes = [] if (count == 1).all() else [f"{len(ids):,} ids for {n_units:,} units: keyed by row"]
    account.add("units", "units", n_units, n_units, notes=notes)
    spiking = spiking_tables(nwbfile, path_of=path_of)
    for path, one in spiking.items():
        reason = "the series was asked for instead of the spikes"
        account.add("other", path, len(one.id), 0, notes=[reason])
    table = table_of(parts)
    tables = {id(part.table) for part in parts if part.table is not None}
    stretches = parts[0].stretches
    reach = Reach(float(stretches[0, 0]), float(stretches[-1, 1]), "the activity")
    used = {id(one.thing) for one in chosen} | (tables - {id(nwbfile.electrodes)})
    used |= {id(one) for one in spiking.values()}
    return Activity(
        units=units.assign_attrs(spike_time_spacing=0.0),
        spike_times=np.empty(0),
        spike_index=np.zeros(n_units + 1, dtype=np.int64),
        reach=reach,
        table_path="" if table is None else path_of(table),
        table_object_id="" if table is None else table.object_id,
        traces=traces,
        obs_intervals=_observed(chosen[0], parts[0], n_units),
        intervals=parts[0].intervals,
        used=frozenset(used),
    )


def _observed(one: Candidate, part: Part, n_units: int) -> tuple[np.ndarray, ...] | None:
    """When each unit was observed: as is said, or where the clock has no gap."""
    if one.kind == OWN:
        return part.observed
    return (part.stretches,) * n_units if len(part.stretches) > 1 else None


def _part(one: Candidate, account: Account, asked: Asked) -> Part:
    if one.kind == OWN:
        return read_own_activity(one, account)
    if one.kind == COUNTS:
        return read_binned(one, account)
    if one.kind == FIELD:
        assert asked.band is not None, "choose() lets no field potential pass without a band"
        return read_band(one, account, band=asked.band, rate=asked.rate)
    return read_trace(one, account, rate=asked.rate)
