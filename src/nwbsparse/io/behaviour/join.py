"""join_behaviour(): signals, trials and events of another file beside the units of a recording."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.behaviour.csv_file import columns_of_csv
from nwbsparse.io.behaviour.layout import Columns, Found, found_in
from nwbsparse.io.behaviour.nwb_file import found_in_nwb
from nwbsparse.io.check import check_readable, sha256_of
from nwbsparse.io.npy import blamed_on, load_npz
from nwbsparse.io.rules.account import Account, listed
from nwbsparse.io.rules.clock import Reach
from nwbsparse.io.rules.columns import EVENT_TIME
from nwbsparse.io.rules.intervals import START, STOP
from nwbsparse.session import Joined, ReadLine, ReadReport, Session

_TABLES = (".csv", ".tsv", ".txt")


def join_behaviour(
    session: Session, file: str | Path, *, offset: float = 0.0, strict: bool = False
) -> Session:
    """Put the behaviour of another file beside the units of a recording: signals, trials, events.

    For a sorter's or Suite2p's folder, whose behaviour was recorded by another program. What the file
    holds is told by its columns:

    - one of times (``time``, ``time_s``, ``timestamps``, ``t`` …; which was taken is reported) and
      columns of numbers: signals, each under its name; ``x`` and ``y`` (also ``nose_x``, ``nose_y``)
      become one position; text becomes intervals of equal labels, ``<name>_runs``
    - ``start`` and ``stop`` (``start_time``, ``stop_time``, ``end``): intervals, called like the file,
      with the other columns as what is said of each
    - times alone, or with one column of text (or one called ``label``, ``event``, ``code``): events

    An ``.npz`` file holds such columns by name, one- or two-dimensional. Of an NWB file (HDF5 or Zarr)
    all behaviour, events and intervals are taken, whether it has units or not.

    Args:
        session: what :func:`nwbsparse.read` returned.
        file: csv (separated by commas, semicolons or tabs, with a line of names), npz, or NWB.
        offset: seconds to add to all times of the file to bring them to the clock of the units.
        strict: refuse what would be repaired or left out and reported.

    Returns:
        A new Session; ``report`` accounts for what was found, kept and dropped, ``joined`` says which
        file it was (SHA-256). Empty values are NaN, or '' of text. Samples whose time is NaN, repeats
        or runs backwards are dropped and counted.

    Raises:
        BadInput: the file cannot be read (file, column and row are named), has no times, has names
            that the recording has already, or a clock that does not overlap that of the units.
    """
    path = Path(file).expanduser()
    if not math.isfinite(offset):
        raise BadInput(f"the offset of behaviour must be seconds, not {offset}")
    if session.joined is not None:
        raise BadInput(
            f"behaviour of {session.joined.name} is joined already; put all of it into one NWB file, or "
            "read the recording again"
        )
    account = Account(path, strict)
    units = _reach(session)
    own = Reach(units.start - offset, units.stop - offset, units.of)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found, sha256 = _found(path, account, own)
    _check_overlap(found, path, units, offset)
    account.raise_problems()
    found = _moved(found, offset)
    _check_names(session, found, path)
    joined = Joined(
        path.name, sha256, float(offset), tuple(found.series), tuple(found.intervals), tuple(found.events)
    )  # fmt: skip
    lines = (ReadLine("other", "behaviour", 1, 1, (f"joined from {joined.said}",)), *account.lines)
    said = (f"{warning.category.__name__}: {warning.message}" for warning in caught)
    return replace(
        session,
        series={**session.series, **found.series},
        intervals={**session.intervals, **found.intervals},
        events={**session.events, **found.events},
        joined=joined,
        report=ReadReport(
            session.report.lines + lines, tuple(dict.fromkeys([*session.report.warnings, *said]))
        ),
    )


def _found(path: Path, account: Account, reach: Reach) -> tuple[Found, str]:
    """What the file holds, on its own clock, and the file's SHA-256."""
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a csv, npz or NWB file of behaviour")
    suffix = path.suffix.lower()
    if path.is_file() and suffix in _TABLES:
        sha256 = sha256_of(path)
        columns = columns_of_csv(path, account)
    elif path.is_file() and suffix == ".npz":
        sha256 = sha256_of(path)
        columns = _columns_of_npz(path, account)
    elif path.is_dir() or suffix in (".nwb", ".h5", ".hdf5"):
        return found_in_nwb(check_readable(path), account, reach)
    else:
        raise BadInput(f"{path} is no file of behaviour that can be read: give csv, npz or NWB")
    with blamed_on(path):
        return found_in(columns, account, reach, name=path.stem), sha256


def _columns_of_npz(path: Path, account: Account) -> Columns:
    arrays, refused = load_npz(path)
    for key, reason in refused.items():
        account.add("other", key, 1, 0, notes=[reason])
    return {key: values for key, values in arrays.items() if values.ndim}


def _reach(session: Session) -> Reach:
    """When the units were recorded, as far as it is known."""
    if session.traces is not None:
        times = session.traces.times
        return Reach(float(times[0]), float(times[-1]), "the activity")
    if not len(session.spike_times):
        raise BadInput("the recording holds no spikes to join behaviour to")
    return Reach(float(session.spike_times.min()), float(session.spike_times.max()))


def _check_overlap(found: Found, path: Path, units: Reach, offset: float) -> None:
    """Refuse behaviour of another clock: shifting it by guess would make up associations."""
    spans = list(_spans(found))
    if not spans:
        raise BadInput(
            f"{path} holds no behaviour: no signal, no intervals, no events that have times"
        )
    first, last = min(a for a, _ in spans) + offset, max(b for _, b in spans) + offset
    if any(a + offset <= units.stop and b + offset >= units.start for a, b in spans):
        return
    moved = f" (moved by {offset:g} s)" if offset else ""
    hint = "state how far it is off with --behaviour-offset (offset=), in seconds"
    if last - first > 100 * (units.stop - units.start):
        hint = "times must be seconds: are these milliseconds or samples? Else " + hint
    raise BadInput(
        f"the clocks of {path} and of the units do not overlap: it runs from {first:.6g} to {last:.6g} s"
        f"{moved}, {units.of} from {units}; {hint}"
    )


def _spans(found: Found) -> Iterable[tuple[float, float]]:
    for one in (*found.series.values(), *found.events.values()):
        if len(one.times):
            yield float(one.times[0]), float(one.times[-1])
    for table in found.intervals.values():
        if table.sizes[names.INTERVAL]:
            yield float(table[START].min()), float(table[STOP].max())


def _moved(found: Found, offset: float) -> Found:
    if not offset:
        return found
    return Found(
        {name: replace(one, times=one.times + offset) for name, one in found.series.items()},
        {name: _moved_table(table, offset) for name, table in found.intervals.items()},
        {name: replace(one, times=one.times + offset) for name, one in found.events.items()},
    )


def _moved_table(table: xr.Dataset, offset: float) -> xr.Dataset:
    """Starts and stops, and moments in the session that other columns hold; not those since the start."""
    start, stop = table[START].values, table[STOP].values
    moved: dict[str, Any] = {}
    for name, column in table.data_vars.items():
        values = column.values
        if name in (START, STOP):
            moved[str(name)] = column + offset
        elif column.attrs.get(names.KIND) == EVENT_TIME:
            known = np.isfinite(values)
            within = (values[known] >= start[known] - 10) & (values[known] <= stop[known] + 10)
            moved[str(name)] = column + offset if within.mean() > 0.5 else column
    held = {name: column.assign_attrs(table[name].attrs) for name, column in moved.items()}
    return table.assign(held)


def _check_names(session: Session, found: Found, path: Path) -> None:
    kinds: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any]], ...] = (
        ("signals", session.series, found.series),
        ("intervals", session.intervals, found.intervals),
        ("events", session.events, found.events),
    )
    twice = [
        f"{kind} {listed(both)}" for kind, a, b in kinds if (both := sorted(a.keys() & b.keys()))
    ]
    if twice:
        raise BadInput(
            f"the recording has {' and '.join(twice)} already, and so has {path}: rename them there, or "
            "take only one of the two"
        )
