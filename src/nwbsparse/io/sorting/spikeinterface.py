"""A SpikeInterface sorting or analyzer into memory, taken from the caller, never from disk."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.rules.account import Account, counted, listed
from nwbsparse.io.rules.seconds import check_seconds
from nwbsparse.io.rules.spikes import Spikes, sound_spikes
from nwbsparse.io.rules.vectors import NUMBERS_OR_TEXT, OddForm, vector
from nwbsparse.io.sorting.segments import Segment, read_segments
from nwbsparse.io.sorting.sorted_units import (
    RESERVED,
    SAMPLES_PER_SECOND,
    report_units,
    with_quality,
)
from nwbsparse.session import Session, Source

_READ = ("quality_metrics", "unit_locations")


def read_spikeinterface(
    obj: Any,
    *,
    start_time: float | Sequence[float] | None = None,
    units: Iterable[Any] | None = None,
    strict: bool = False,
) -> Session:
    """The units of a SpikeInterface sorting, or of an analyzer with its metrics and locations.

    Properties of one value per unit become columns; of an analyzer also the quality metrics and
    the unit locations (``x``, ``y``, ``depth`` in µm, depth = y). Unit ids stay what they are,
    numbers or text. Each segment is a stretch of its own: nothing is binned across the gap
    between two. The object is not changed, nothing is loaded from disk.

    Args:
        obj: a ``BaseSorting`` or a ``SortingAnalyzer``; any object that answers like one.
        start_time: when the recording began (s); one per segment where there are several. None:
            what the object states, and 0 where a single segment states nothing.
        units: the ids to read; None for all.
        strict: refuse what would be left out or repaired and reported.

    Raises:
        BadInput: it is neither of the two, no unit has a spike, several segments have no start
            times of their own, segments overlap, an id is unknown, or (``strict``) anything would
            need repair.
    """
    sorting, analyzer = _parts(obj)
    stated = _stated_name(sorting)
    account = Account(Path(f"{type(obj).__name__} {stated}".strip()), strict)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        session = _read(sorting, analyzer, account, start_time, units, stated)
    account.raise_problems()
    said = (f"{warning.category.__name__}: {warning.message}" for warning in caught)
    return Session(**session, report=account.report(said))


def _parts(obj: Any) -> tuple[Any, Any]:
    """The sorting, and the analyzer around it or None."""
    analyzer = obj if hasattr(obj, "get_extension") and hasattr(obj, "sorting") else None
    sorting = obj if analyzer is None else obj.sorting
    asked = ("unit_ids", "get_unit_spike_train", "get_sampling_frequency", "get_num_segments")
    lack = [name for name in asked if not hasattr(sorting, name)]
    if lack:
        raise BadInput(
            f"a {type(obj).__name__} is neither a SpikeInterface sorting nor a SortingAnalyzer "
            f"(it lacks {listed(lack)}); for a folder give its path."
        )
    return sorting, analyzer


def _stated_name(sorting: Any) -> str:
    get = getattr(sorting, "get_annotation", None)
    return str((get("name") if get else None) or "")


def _read(
    sorting: Any,
    analyzer: Any,
    account: Account,
    start_time: float | Sequence[float] | None,
    units: Iterable[Any] | None,
    stated_name: str,
) -> dict[str, Any]:
    ids, rows = _asked(list(sorting.unit_ids), units, account)
    rate = float(sorting.get_sampling_frequency())
    if not (np.isfinite(rate) and rate > 0):
        raise BadInput(f"{account.path} states {rate} samples per second, so times are unknown.")
    segments = read_segments(sorting, analyzer, start_time, account)
    samples = [
        [np.asarray(sorting.get_unit_spike_train(unit, segment_index=s.index)) for s in segments]
        for unit in sorting.unit_ids
    ]
    spikes = _spikes(sorting, segments, samples, ids, rows, account)
    stretches = np.concatenate([segment.stretches for segment in segments])
    each = (stretches,) * len(ids)
    check_seconds(spikes, account.path, scalable=False, observed=each, sampling_frequency=rate)

    variables = {names.UNIT_ID: ids, names.N_SPIKES: np.diff(spikes.index)}
    properties = _properties(sorting, rows, account)
    for name, values in (properties | _computed(analyzer, rows, account, properties)).items():
        variables[f"{name}_column" if name in RESERVED else name] = values
    variables, origin = with_quality(variables)
    notes = [f"quality is the property '{origin}'"] if origin not in ("", "quality") else []
    report_units(variables, account, found=len(samples), notes=notes)
    data = xr.Dataset({name: (names.UNIT, values) for name, values in variables.items()})
    clock = {SAMPLES_PER_SECOND: rate} if all(s.on_samples for s in segments) else {}
    ended = all(segment.n_samples is not None for segment in segments)
    observed = ended or len(segments) > 1  # else nothing is known but the spikes themselves
    return {
        "units": data.assign_attrs({"spike_time_spacing": spikes.spacing} | clock),
        "spike_times": spikes.times,
        "spike_index": spikes.index,
        "obs_intervals": each if observed else None,
        "extent": (float(stretches.min()), float(stretches.max())) if ended else None,
        "source": Source(None, _digest(sorting, rate, samples), identifier=stated_name),
    }


def _asked(
    known: list[Any], units: Iterable[Any] | None, account: Account
) -> tuple[np.ndarray, np.ndarray]:
    """The ids that are read and their rows in the sorting, in its order."""
    if isinstance(units, str):
        raise BadInput(f"units must be a list of unit ids, not the text {units!r}.")
    wanted = known if units is None else list(units)
    if unknown := [unit for unit in wanted if unit not in known]:
        raise BadInput(f"{account.path} has no unit {listed(unknown)}; it has {listed(known)}.")
    rows = [row for row, unit in enumerate(known) if unit in wanted]
    ids = np.asarray(known)[rows] if rows else np.empty(0, dtype=np.int64)
    if not rows:
        raise BadInput(f"{account.path} has no units, or none was asked for.")
    return (ids.astype(str) if ids.dtype.kind not in "iu" else ids), np.array(rows)


def _spikes(
    sorting: Any,
    segments: Sequence[Segment],
    samples: list[list[np.ndarray]],
    ids: np.ndarray,
    rows: np.ndarray,
    account: Account,
) -> Spikes:
    times = [
        segment.times_of(samples[row][at], unit=sorting.unit_ids[row])
        for row in rows
        for at, segment in enumerate(segments)
    ]
    n_spikes = [sum(len(of_segment) for of_segment in samples[row]) for row in rows]
    edges = np.concatenate([[0], np.cumsum(n_spikes)]).astype(np.int64)
    early = late = 0
    for row in rows:
        for at, segment in enumerate(segments):
            if segment.start > 0:  # before 0 s they are counted anyway
                early += int((samples[row][at] < 0).sum())
            if segment.n_samples is not None:
                late += int((samples[row][at] >= segment.n_samples).sum())
    repairs = [f"{counted(early, 'spike')} before the start of the recording kept"] * bool(early)
    repairs += [f"{counted(late, 'spike')} after the end of the recording kept"] * bool(late)
    return sound_spikes(
        *(np.concatenate(times), edges, ids, account),
        spacing=1 / segments[0].rate,
        starts=segments[0].start,
        repairs=repairs,
    )


def _properties(sorting: Any, rows: np.ndarray, account: Account) -> dict[str, np.ndarray]:
    keys = sorting.get_property_keys() if hasattr(sorting, "get_property_keys") else ()
    found = {str(key): np.asarray(sorting.get_property(key)) for key in keys}
    return _plain(found, rows, account, origin="property")


def _computed(
    analyzer: Any, rows: np.ndarray, account: Account, taken: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Quality metrics and locations, where they were computed; a property of that name stays."""
    if analyzer is None:
        return {}
    found: dict[str, Any] = {}
    metrics, located = (analyzer.get_extension(name) for name in _READ)
    if metrics is not None:
        table = metrics.get_data()
        wanted = [str(unit) for unit in analyzer.sorting.unit_ids]
        if [str(unit) for unit in table.index] == wanted:  # tables read from CSV say 1 for '001'
            found |= {str(name): _numbers(table[name]) for name in table.columns}
        else:
            repair = "left out: its rows are not the units"
            account.add("column", "quality_metrics", len(table), 0, repairs=[repair])
    if located is not None:
        at = np.asarray(located.get_data(), dtype=np.float64)
        found |= {"x": at[:, 0], "y": at[:, 1], "depth": at[:, 1]}
    clash = sorted(found.keys() & taken.keys())
    for name in clash:
        notes = ["left out: a property has this name"]
        account.add("column", f"units/{name}", len(rows), 0, notes=notes)
    computed = getattr(analyzer, "get_loaded_extension_names", list)()
    if others := sorted(set(computed) - set(_READ)):
        notes = [f"not read: {listed(others, most=30)}"]
        account.add("other", "extensions", len(others), 0, notes=notes)
    kept = {name: values for name, values in found.items() if name not in clash}
    return _plain(kept, rows, account, origin="computed by the analyzer")


def _numbers(column: Any) -> np.ndarray:
    """A column of a table; pandas' own 'missing' becomes NaN."""
    values = np.asarray(column)
    if values.dtype.kind in "biufU":
        return values
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        return values


def _plain(
    found: dict[str, np.ndarray], rows: np.ndarray, account: Account, *, origin: str
) -> dict[str, np.ndarray]:
    kept = {}
    for name, values in found.items():
        plain, reason = None, ""
        try:
            plain = vector(values, what=name, kinds=NUMBERS_OR_TEXT)
        except OddForm as error:
            reason = error.why
        if plain is not None:
            kept[name] = plain[rows]
        notes = [origin, *([reason] if reason else [])]
        n_kept = 0 if plain is None else len(rows)
        account.add("column", f"units/{name}", len(rows), n_kept, notes=notes)
    return kept


def _digest(sorting: Any, rate: float, samples: list[list[np.ndarray]]) -> str:
    """The SHA-256 over sampling rate, unit ids and spike samples: of what was sorted, not of times."""
    digest = hashlib.sha256(f"{rate!r}\n".encode())
    for unit, of_unit in zip(sorting.unit_ids, samples, strict=True):
        kind = "text" if isinstance(unit, str) else "number"
        digest.update(f"{kind} {unit}\n".encode())
        for of_segment in of_unit:
            digest.update(f"{len(of_segment)} spikes\n".encode())
            digest.update(np.ascontiguousarray(of_segment, dtype="<i8").tobytes())
    return digest.hexdigest()
