"""Several sessions → one Binned dataset over the union of their units, and back to one session."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.concatenation import (
    joined_variables,
    numbered_on,
    stacked,
    unit_columns,
)
from nwbsparse.binning.split import split
from nwbsparse.errors import BadInput, did_you_mean, raise_together
from nwbsparse.schema import check, history, with_step

SEPARATION = 1000.0
"""Seconds (at least) from the end of one session to the start of the next on the common clock: more
than any gap between parts, so that no bin is a neighbour of one of another session."""

Sessions = xr.DataTree | Mapping[str, xr.Dataset] | Iterable[xr.Dataset] | xr.Dataset


def join_sessions(sessions: Sessions) -> xr.Dataset:
    """Put several sessions into one dataset, so that one coder can learn latents they share.

    The units of all sessions stand beside each other; in a bin of one session those of the others
    were not observed (``valid`` False): they are encoded at their mean and carry no loss. A coder
    of it has shared latents, thresholds and biases; the columns of its weights that belong to a
    session are that session's read-in and read-out. Nothing forces a latent to mean the same in
    two sessions that share no unit: that is for evaluation to show (decision 0011).

    A session without a split is dealt by :func:`nwbsparse.split` with its defaults, by itself, so
    that each has training, validation and test bins; for other shares split each one first.
    ``split`` of the joined dataset would not promise that.

    Args:
        sessions: what ``to_bins`` gave for several sessions, {name: Binned dataset}, or Binned
            datasets named by their source; all of one bin width, all split or none.

    Returns:
        Binned dataset of all bins, one session after the other:

        - ``counts(time, unit)`` in the smallest type that holds all, 0 for the units of other
          sessions; ``valid(time, unit)``; ``split(time)``; segments and trials numbered on
        - ``unit_id`` "<session>/<unit id>", ``unit_session(unit)``, and every unit column: where a
          session lacks it '' or NaN
        - ``time``: later sessions moved by whole seconds to follow at least 1,000 s after the one
          before; ``session_time(time)`` is the time in the own session
        - condition ``session(time)``, and the interval table ``sessions`` that it is a column of
        - covariates, conditions and events under one name when they agree in kind, unit of measure
          and table (categories united); NaN, or −1 for conditions and intervals, in sessions
          without. Those that do not agree stay apart as ``<name>_<session>``. The attribute
          ``sessions`` of a variable lists who has it when not all do.

        ``counts`` and ``valid`` take 2 bytes × all bins × all units (3 sessions of 36,000 bins and
        100 units: 65 MB): made for a few sessions, not for hundreds. Lazy counts are computed.

    Raises:
        BadInput: no session, names that are not unique or hold '/', bins of several widths, some
            split and some not, or a session too short to be split.
    """
    named = _named(sessions)
    _check(named)
    named = {name: _dealt(name, one) for name, one in named.items()}
    spans = [one.sizes[names.TIME] for one in named.values()]
    shifts = _shifts(list(named.values()))
    unit_ids = [f"{name}/{unit}" for name, one in named.items() for unit in _ids(one)]
    owner = np.repeat(list(named), [one.sizes[names.UNIT] for one in named.values()])
    session_times = [one[names.TIME].values.astype(np.float64) for one in named.values()]
    times = [time + shift for time, shift in zip(session_times, shifts, strict=True)]
    segments = [one[names.SEGMENT].values for one in named.values()]
    segments = [segment - segment.min() for segment in segments]
    coords: dict[str, Any] = {
        names.TIME: (names.TIME, np.concatenate(times), {"units": "s", "long_name": "bin centre"}),
        names.SESSION_TIME: (
            names.TIME,
            np.concatenate(session_times),
            {"units": "s", "long_name": "bin centre in the time of the session"},
        ),
        names.SEGMENT: (names.TIME, numbered_on(segments)[0]),
        names.UNIT: (names.UNIT, np.arange(len(unit_ids))),
        names.UNIT_ID: (names.UNIT, np.array(unit_ids)),
        names.UNIT_SESSION: (names.UNIT, owner),
    }
    on_units, dropped = unit_columns(named)
    on_time, other_coords = joined_variables(named)
    number = np.repeat(np.arange(len(named), dtype=np.int32), spans)
    interval = {names.ROLE: names.ROLE_INTERVAL, "n_overlapping_bins": 0}
    condition = {
        names.TABLE: names.SESSIONS,
        "column": names.SESSION,
        names.ROLE: names.ROLE_CONDITION,
        names.KIND: names.CATEGORICAL,
        names.CATEGORIES: json.dumps(list(named)),
    }
    variables = _blocks(named) | dropped | on_time
    variables[names.SESSIONS] = xr.DataArray(number, dims=names.TIME, attrs=interval)
    variables[names.SESSION] = xr.DataArray(number.copy(), dims=names.TIME, attrs=condition)
    joined = xr.Dataset(variables, coords=coords | on_units | other_coords)
    joined.attrs = _attrs(named)
    return check(with_step(joined, "join", _record(named, shifts)), names.BINNED)


def for_coder(binned: xr.Dataset, coder: Any, *, session: str | None = None) -> xr.Dataset:
    """One session as a coder of several sees it: with all its units, the others' not observed.

    Args:
        binned: Binned dataset of one session (or some sessions joined), with all units that the
            coder has of it, in any order.
        coder: what was learned from joined sessions.
        session: which of the coder's sessions it is; default: the one called like its source.

    Returns:
        The dataset with the coder's units in the coder's order, ready for ``encode``, ``evaluate``
        and ``reconstruct``; ``valid`` is False and ``counts`` 0 for the units of other sessions.

    Raises:
        BadInput: the coder has no such session, other units of it, or another bin width.
    """
    check(binned, names.BINNED)
    ids = list(dict.fromkeys((*coder.record.unit_ids, *coder.record.targets)))
    own = [str(unit_id) for unit_id in _ids(binned)]
    known = list(dict.fromkeys(unit_id.partition("/")[0] for unit_id in ids if "/" in unit_id))
    if session is None and names.UNIT_SESSION in binned.coords:
        here = set(binned[names.UNIT_SESSION].values.tolist())
    else:
        name = _source_name(binned) if session is None else session
        here, own = {name}, [f"{name}/{unit_id}" for unit_id in own]
    if strange := sorted(here - set(known)):
        raise BadInput(
            f"the coder has no session '{strange[0]}'{did_you_mean(strange[0], known)}; it has: "
            f"{', '.join(known) or 'none, it was not learned from joined sessions'}; say which with "
            "session="
        )
    wanted = [unit_id for unit_id in ids if unit_id.partition("/")[0] in here]
    if set(own) != set(wanted) or len(own) != len(wanted):
        raise BadInput(
            f"the coder has {len(wanted)} units of {', '.join(sorted(here))}, the data hold "
            f"{len(own)}, of which {len(set(own) & set(wanted))} are the same; bin the recording with "
            "the coder's units"
        )
    width = float(binned.attrs[names.BIN_WIDTH])
    if not np.isclose(width, coder.record.bin_width, rtol=1e-9):
        raise BadInput(
            f"the coder was trained on bins of {coder.record.bin_width:g} s, these are {width:g} s"
        )
    place = {unit_id: column for column, unit_id in enumerate(own)}
    columns = np.array([place.get(unit_id, len(own)) for unit_id in ids])
    return with_step(_spread(binned, columns, ids), "for_coder", {"sessions": sorted(here)})


def sessions_of(binned: xr.Dataset) -> np.ndarray:
    """(time,) int: which session each bin is of; all 0 in a dataset that was not joined."""
    if is_session(binned, names.SESSION):
        return binned[names.SESSION].values
    return np.zeros(binned.sizes[names.TIME], dtype=np.int32)


def is_session(binned: xr.Dataset, name: str) -> bool:
    """Whether a variable is the condition that ``join_sessions`` adds."""
    table = binned[name].attrs.get(names.TABLE) if name in binned else None
    return name == names.SESSION and table == names.SESSIONS


def _named(sessions: Sessions) -> dict[str, xr.Dataset]:
    if isinstance(sessions, xr.DataTree):
        return {str(name): child.to_dataset() for name, child in sessions.children.items()}
    if isinstance(sessions, Mapping) and not isinstance(sessions, xr.Dataset):
        return {str(name): one for name, one in sessions.items()}
    found: dict[str, xr.Dataset] = {}
    for number, one in enumerate([sessions] if isinstance(sessions, xr.Dataset) else sessions):
        name = _source_name(one) or "session"
        found[name if name not in found else f"{name}-{number}"] = one
    return found


def _source_name(binned: xr.Dataset) -> str:
    return str(binned.attrs.get(names.SOURCE, "")).replace("/", "-")


def _ids(binned: xr.Dataset) -> list[object]:
    return list(binned[names.UNIT_ID].values)


def _check(named: Mapping[str, xr.Dataset]) -> None:
    if not named:
        raise BadInput("there is no session to join; give what to_bins made of several")
    problems = [f"'{name}' holds '/', which stands before unit ids" for name in named if "/" in name]
    for name, one in named.items():
        try:
            check(one, names.BINNED)
        except BadInput as error:
            raise BadInput(f"session '{name}': {error}") from None
        if not np.all(np.diff(one[names.TIME].values) > 0):
            problems.append(f"the times of '{name}' do not grow")
        if names.SESSION_TIME in one.coords:
            problems.append(f"'{name}' was joined already; join all sessions at once")
    widths = {name: float(one.attrs[names.BIN_WIDTH]) for name, one in named.items()}
    problems += [
        f"'{first}' has bins of {widths[first]:g} s, '{other}' of {widths[other]:g} s; bin all with "
        "one bin_width"
        for first, other in pairwise(widths)
        if not np.isclose(widths[first], widths[other], rtol=1e-9)
    ]
    dealt = [name for name, one in named.items() if names.SPLIT in one.coords]
    rest = [name for name in named if name not in dealt]
    if dealt and rest:
        problems.append(f"'{dealt[0]}' is split, '{rest[0]}' is not; split all sessions or none")
    raise_together(problems, heading="the sessions cannot be joined")


def _dealt(name: str, binned: xr.Dataset) -> xr.Dataset:
    if names.SPLIT in binned.coords:
        return binned
    try:
        return split(binned)
    except BadInput as error:
        raise BadInput(f"session '{name}' cannot be split by itself: {error}") from None


def _shifts(sessions: list[xr.Dataset]) -> list[float]:
    """Whole seconds to add to the times of each session; the first keeps its own."""
    shifts, end = [], None
    for one in sessions:
        time = one[names.TIME].values
        shifts.append(0.0 if end is None else float(np.ceil(end + SEPARATION - time[0])))
        end = float(time[-1]) + shifts[-1]
    return shifts


def _blocks(named: Mapping[str, xr.Dataset]) -> dict[str, xr.DataArray]:
    """Counts, and where they were observed: each session in its own rows and columns."""
    tables = [one[names.COUNTS].values for one in named.values()]
    kind = np.result_type(*(table.dtype for table in tables))
    if kind.kind in "iu" and all(table.min(initial=0) >= 0 for table in tables):
        kind = np.min_scalar_type(max(int(table.max(initial=0)) for table in tables))
    shape = np.sum([table.shape for table in tables], axis=0)
    counts, valid = np.zeros(shape, kind), np.zeros(shape, bool)
    row = column = 0
    for table, one in zip(tables, named.values(), strict=True):
        where = (slice(row, row + len(table)), slice(column, column + table.shape[1]))
        counts[where] = table
        valid[where] = one[names.VALID].values if names.VALID in one else True
        row, column = where[0].stop, where[1].stop
    dims = (names.TIME, names.UNIT)
    made = {names.COUNTS: xr.DataArray(counts, dims=dims)}
    return made if valid.all() else made | {names.VALID: xr.DataArray(valid, dims=dims)}
