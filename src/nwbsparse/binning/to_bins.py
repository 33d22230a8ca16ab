"""Session → Binned: counts, behaviour, trials and conditions on one clock."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.conditions import label_bins
from nwbsparse.binning.counts import count_spikes, count_spikes_lazily, observed_bins
from nwbsparse.binning.events import count_events
from nwbsparse.binning.grid import Grid, make_grid
from nwbsparse.binning.groups import groups_in
from nwbsparse.binning.observed import observed, suggest_bin_width
from nwbsparse.binning.select_units import Units
from nwbsparse.binning.traces import bin_traces
from nwbsparse.binning.used import used_units
from nwbsparse.binning.variables import behaviour, coordinates, free_name
from nwbsparse.binning.where import restricted
from nwbsparse.errors import BadInput, CoarseClockWarning
from nwbsparse.options.words import Duplicates
from nwbsparse.schema import check, with_step
from nwbsparse.session import Session


def to_bins(
    session: Session | Sequence[Session],
    bin_width: float | None = None,
    *,
    units: Units | None = None,
    regions: str | Iterable[str] | None = None,
    epochs: str | None = None,
    intervals: str | np.ndarray | None = None,
    where: str | None = None,
    max_gap: float | None = None,
    lazy: bool = False,
    duplicates: Duplicates = "keep",
    pool: str | None = None,
) -> xr.Dataset | xr.DataTree:
    """Count the spikes of a recording in bins and put the behaviour beside them.

    Args:
        session: what :func:`nwbsparse.read` returned; several sessions give a DataTree with one
            dataset each, named by identifier, all with the same bin width.
        bin_width: seconds; None chooses the smallest of 10-200 ms with 5 population spikes per bin.
        units: ids ("3,7" or [3, 7]), 'good', a condition on unit columns ("depth > 800"), or a
            function of the units dataset that returns one bool per unit.
        regions: keep only units of these brain regions.
        epochs: names or tags of epochs to restrict to, separated by commas.
        intervals: restrict to the rows of this interval table, or to these (n, 2) stretches (s).
        where: condition on behaviour, trials and events per bin ("speed > 3 and lick_left == 0");
            bins that fail it are left out, and the bins around them are no longer neighbours
            (coordinate ``segment``).
        max_gap: seconds over which behaviour is interpolated; None: 3 median steps.
        lazy: keep ``counts`` as a dask array that is binned block by block when it is computed:
            for recordings whose counts do not fit into memory.
        duplicates: what becomes of units that share spikes (``group``): 'keep' them, 'merge' each
            group into the unit of most spikes (``merged_units`` lists the others), or 'drop' all but
            that one.
        pool: sum units to pools, after all that: those with the same value in a column of text or
            whole numbers ("region"), in the same bin of one of numbers ("depth:100"), at the same
            "electrode", or alike in several ("electrode_group,depth:100"). Pools stand where units
            do; ``unit_id`` is what a pool is called, ``merged_units`` lists its units.

    Returns:
        Binned dataset: ``counts(time, unit)``, one variable per covariate and condition, the number
        of events per bin (one variable ``<series>_<label>`` per label where there are at most 12),
        coords ``segment``, ``trial`` and the unit columns. Bins are half-open; a time within 1e-7 s below
        an edge counts as on it. ``dropped(unit)`` counts spikes in no bin. ``valid(time, unit)``
        is present when some unit was not observed throughout.

    Raises:
        BadInput: the width is not > 0, too few bins remain, a name does not exist, fewer than two
            pools come out, or units without spike times are to be merged, dropped or pooled.
    """
    options: dict[str, Any] = {
        "units": units,
        "regions": regions,
        "epochs": epochs,
        "intervals": intervals,
        "where": where,
        "max_gap": max_gap,
        "lazy": lazy,
        "duplicates": duplicates,
        "pool": pool,
    }
    if isinstance(session, Session):
        return bin_session(session, bin_width, **options)
    if bin_width is None:
        bin_width = max(suggest_bin_width(one, epochs=epochs)[0] for one in session)
    found: dict[str, xr.Dataset] = {}
    for number, one in enumerate(session):
        name = (one.source.identifier or "session").replace("/", "-")
        name = name if name not in found else f"{name}-{number}"
        found[name] = bin_session(one, bin_width, **options)
    return xr.DataTree.from_dict(found)


def bin_session(
    session: Session,
    bin_width: float | None = None,
    *,
    units: Units | None = None,
    regions: str | Iterable[str] | None = None,
    epochs: str | None = None,
    intervals: str | np.ndarray | None = None,
    where: str | None = None,
    max_gap: float | None = None,
    lazy: bool = False,
    duplicates: Duplicates = "keep",
    pool: str | None = None,
) -> xr.Dataset:
    """:func:`to_bins` for one session."""
    chosen, _ = suggest_bin_width(session, epochs=epochs) if bin_width is None else (bin_width, 0)
    used = used_units(session, units=units, regions=regions, duplicates=duplicates, pool=pool)
    session, rows = used.session, used.rows
    # bins lie where they do without pools, so that counts of a pool are sums of its units'
    stretches, extent_from = observed(used.distinct.session, epochs=epochs, intervals=intervals)
    grid = make_grid(stretches, chosen)
    _check_clock(session, chosen)
    variables = activity_on(session, grid, rows, lazy=lazy)
    variables |= variables_beside(session, grid, variables, max_gap)
    coords = coordinates(session, grid, rows, variables) | used.made_of
    binned = xr.Dataset(variables, coords=coords)
    if session.traces is None:
        binned = binned.assign_coords({names.GROUP: (names.UNIT, groups_in(session, rows))})
    binned.attrs = {
        names.SCHEMA: names.BINNED,
        names.BIN_WIDTH: grid.bin_width,
        names.TIME_UNIT: "s",
        names.SOURCE: session.source.identifier,
        "source_sha256": session.source.sha256,
        "extent_from": extent_from,
    }
    if where is not None:
        binned = restricted(binned, where)
    parameters = {
        "bin_width": grid.bin_width,
        "units": _recorded(units),
        "regions": _recorded(regions),
        "epochs": epochs,
        "intervals": _recorded(intervals),
        "where": where,
        "max_gap": max_gap,
        "duplicates": None if duplicates == "keep" else duplicates,
        "pool": pool,
    }
    given = {key: value for key, value in parameters.items() if value is not None}
    if session.joined is not None:
        came = {"file": session.joined.name, "sha256": session.joined.sha256}
        binned = with_step(binned, "join_behaviour", came | {"offset": session.joined.offset})
    return check(with_step(binned, "to_bins", given), names.BINNED)


def activity_on(
    session: Session, grid: Grid, rows: np.ndarray, *, lazy: bool
) -> dict[str, xr.DataArray]:
    """Counts or traces per bin, the spikes that fell into none, and where units were observed."""
    counts: Any
    if session.traces is not None:
        counts, known = bin_traces(session.traces, grid, rows)
        seen = observed_bins(session, grid, rows)
        valid = known if seen is None else seen if known is None else seen & known
        dropped = np.zeros(len(rows), dtype=np.int64)
    else:
        count = count_spikes_lazily if lazy else count_spikes
        counts, dropped = count(session, grid, rows)
        valid = observed_bins(session, grid, rows)
        if dropped.sum() == np.diff(session.spike_index)[rows].sum():
            raise BadInput(f"no spikes of the {len(rows)} units fall into the {grid.size} bins")
    made = {
        names.COUNTS: xr.DataArray(counts, dims=(names.TIME, names.UNIT)),
        "dropped": xr.DataArray(dropped, dims=names.UNIT),
    }
    if valid is not None:
        made[names.VALID] = xr.DataArray(valid, dims=(names.TIME, names.UNIT))
    return made


def variables_beside(
    session: Session, grid: Grid, activity: Collection[str], max_gap: float | None = None
) -> dict[str, xr.DataArray]:
    """Behaviour, events and intervals on the grid, each under a name that nothing else has."""
    ours = {*activity, names.UNIT_ID, names.N_SPIKES}
    # the coordinate ``trial`` is made from the table of that name
    ours |= {"trials"} & set(session.intervals)
    made: dict[str, xr.DataArray] = {}
    for name, variable in behaviour(session, grid, max_gap).items():
        made[free_name(name, {*ours, *made})] = variable
    series = {event.name for event in session.events.values()}
    for event in session.events.values():  # a label never takes the name of another series
        made |= count_events(event, grid, taken={*ours, *made, *(series - {event.name})})
    ours.discard("trials")
    for name, table in session.intervals.items():
        # one name throughout: the columns of a table refer to its rows by it
        for key, variable in label_bins(free_name(name, {*ours, *made}), table, grid).items():
            made[free_name(key, {*ours, *made})] = variable
    return made


def _check_clock(session: Session, bin_width: float) -> None:
    """Warn when spike times were stored so coarsely that they cannot be told apart within a bin."""
    spacing = float(session.units.attrs.get("spike_time_spacing", 0.0))
    if spacing > bin_width / 2:
        warnings.warn(
            f"spike times are stored in steps of {spacing * 1000:.3g} ms (float32), more than half "
            f"a bin of {bin_width * 1000:g} ms; use wider bins or times in double precision",
            CoarseClockWarning,
            stacklevel=3,
        )


def _recorded(asked: object) -> object:
    """An argument as it can stand in the history: functions and arrays by what they are."""
    if asked is None or isinstance(asked, str):
        return asked
    if callable(asked):
        return f"function {getattr(asked, '__name__', 'without a name')}"
    return np.asarray(asked if isinstance(asked, np.ndarray) else list(asked)).tolist()  # type: ignore[call-overload]
