"""Several sessions → one Binned dataset over the union of their units."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.binning.sessions.embeddings import embedding_problems, joined_embedding
from nwbsparse.binning.sessions.merge import joined_variables, numbered_on, unit_columns
from nwbsparse.binning.split import split
from nwbsparse.errors import BadInput, raise_together
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
        - ``embedding(time, dim)`` where all sessions have one, in one space
          (:func:`nwbsparse.embed_sessions`); what made it stays with each session
        - ``time``: later sessions moved by whole minutes to follow at least 1,000 s after the one
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
            split and some not, embeddings that are not of one space, or a session too short to be split.
    """
    named = _named(sessions)
    _check(named)
    named = {name: dealt(name, one) for name, one in named.items()}
    spans = [one.sizes[names.TIME] for one in named.values()]
    shifts = _shifts(list(named.values()))
    unit_ids = [f"{name}/{unit}" for name, one in named.items() for unit in ids_of(one)]
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
        names.SEGMENT: (names.TIME, numbered_on(segments, spans)[0]),
        names.UNIT: (names.UNIT, np.arange(len(unit_ids))),
        names.UNIT_ID: (names.UNIT, np.array(unit_ids)),
        names.UNIT_SESSION: (names.UNIT, owner),
        names.GROUP: (names.UNIT, _groups(list(named.values()))),
    }
    on_units, dropped = unit_columns(named)
    on_time, other_coords = joined_variables(named, taken=(*on_units, *dropped))
    number = np.repeat(np.arange(len(named), dtype=np.int32), spans)
    interval = {names.ROLE: names.ROLE_INTERVAL, "n_overlapping_bins": 0}
    condition = {
        names.TABLE: names.SESSIONS,
        "column": names.SESSION,
        names.ROLE: names.ROLE_CONDITION,
        names.KIND: names.CATEGORICAL,
        names.CATEGORIES: json.dumps(list(named)),
    }
    variables = _blocks(named) | joined_embedding(named) | dropped | on_time
    variables[names.SESSIONS] = xr.DataArray(number, dims=names.TIME, attrs=interval)
    variables[names.SESSION] = xr.DataArray(number.copy(), dims=names.TIME, attrs=condition)
    joined = xr.Dataset(variables, coords=coords | on_units | other_coords)
    joined.attrs = _attrs(named)
    return check(with_step(joined, "join", _record(named, shifts)), names.BINNED)


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
        name = source_name(one) or "session"
        while name in found:
            name = f"{name}-{number}"
        found[name] = one
    return found


def source_name(binned: xr.Dataset) -> str:
    """What a session is called when nobody says it: the identifier of its source."""
    return str(binned.attrs.get(names.SOURCE, "")).replace("/", "-")


def ids_of(binned: xr.Dataset) -> list[str]:
    """The ids of the units as text."""
    return [str(unit_id) for unit_id in binned[names.UNIT_ID].values]


def _check(named: Mapping[str, xr.Dataset]) -> None:
    if not named:
        raise BadInput("there is no session to join; give what to_bins made of several")
    problems = [
        f"'{name}' holds '/', which stands before unit ids" for name in named if "/" in name
    ]
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
    problems += embedding_problems(named)
    raise_together(problems, heading="the sessions cannot be joined")


def dealt(name: str, binned: xr.Dataset) -> xr.Dataset:
    """A session with its parts: those it has, or those that :func:`join_sessions` deals it.

    Raises:
        BadInput: it is too short to be split.
    """
    if names.SPLIT in binned.coords:
        return binned
    try:
        return split(binned)
    except BadInput as error:
        raise BadInput(f"session '{name}' cannot be split by itself: {error}") from None


def _shifts(sessions: list[xr.Dataset]) -> list[float]:
    """Whole minutes (s) to add to the times of each session; the first keeps its own.

    What alternates with time in ``explain`` does so every 30 s: a session stays as it is alone.
    """
    shifts: list[float] = []
    end: float | None = None
    for one in sessions:
        time = one[names.TIME].values
        shifts.append(0.0 if end is None else 60.0 * np.ceil((end + SEPARATION - time[0]) / 60))
        end = float(time[-1]) + shifts[-1]
    return shifts


def _groups(sessions: list[xr.Dataset]) -> np.ndarray:
    """Units that share spikes: groups of one session have other numbers than those of the next."""
    made: list[np.ndarray] = []
    start = 0
    for one in sessions:
        own = np.arange(one.sizes[names.UNIT])
        if names.GROUP in one.coords:
            own = np.unique(one[names.GROUP].values, return_inverse=True)[1]
        made.append(own + start)
        start += int(own.max(initial=-1)) + 1
    return np.concatenate(made).astype(np.int32)


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


def _attrs(named: Mapping[str, xr.Dataset]) -> dict[str, Any]:
    stated = [f"{name}:{one.attrs.get('source_sha256', '')}" for name, one in named.items()]
    extents = dict.fromkeys(str(one.attrs.get("extent_from", "")) for one in named.values())
    return {
        names.SCHEMA: names.BINNED,
        names.BIN_WIDTH: float(next(iter(named.values())).attrs[names.BIN_WIDTH]),
        names.TIME_UNIT: "s",
        names.SOURCE: " + ".join(named),
        "source_sha256": hashlib.sha256("\n".join(stated).encode()).hexdigest(),
        "extent_from": "; ".join(extent for extent in extents if extent),
    }


def _record(named: Mapping[str, xr.Dataset], shifts: list[float]) -> dict[str, Any]:
    """How each session was made, so that the joined one can be made again."""
    sessions = {
        name: {
            "source": str(one.attrs.get(names.SOURCE, "")),
            "sha256": str(one.attrs.get("source_sha256", "")),
            "time_shift": shift,
            names.HISTORY: history(one),
        }
        for (name, one), shift in zip(named.items(), shifts, strict=True)
    }
    return {names.SESSIONS: sessions}
