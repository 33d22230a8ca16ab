"""What a caller hands over as plain values: numbers, text, ids, unit columns, events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.frames import by_unit, own_clock
from nwbsparse.io.rules.account import Account, counted, listed
from nwbsparse.io.rules.falls import far_falls
from nwbsparse.io.rules.names import identifier
from nwbsparse.io.rules.units import column_name, repeated_ids, silent_units, sound_stretches
from nwbsparse.naming.listed_names import joined_names
from nwbsparse.session import Events

_INSTEAD = {
    "O": "; make it one plain array first (sparse: .toarray())",
    "M": "; give seconds since the session start",
    "m": "; give seconds",
}


def plain(values: Any) -> np.ndarray | None:
    """Numbers, true/false or text as an array; missing text is '', else NaN. None: it is neither.

    Several texts in one place (the tags of epochs) are joined by commas; those that hold commas are quoted.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        return None
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8", "replace")
    if array.dtype.kind in "biufU":
        return array
    if array.dtype.kind != "O" or array.ndim != 1:
        return None
    held = [_joined(value) for value in array]
    known = [value for value in held if not _is_missing(value)]
    complete = len(known) == len(held)
    if all(isinstance(value, str) for value in known):
        return np.array(["" if _is_missing(value) else value for value in held], dtype=str)
    if all(isinstance(value, bool | np.bool_) for value in known) and complete:
        return np.array(held, dtype=bool)
    if all(isinstance(value, int | float | np.number) for value in known):
        return np.array([np.nan if _is_missing(value) else float(value) for value in held])
    return None


def _joined(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    several = isinstance(value, list | tuple | set | np.ndarray)
    if several and all(isinstance(one, str) for one in value):
        return joined_names(value)
    return value


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and value != value)


def numbers(values: Any, *, what: str) -> np.ndarray:
    """An array of real numbers; ``what`` names it in the message when it is none.

    Raises:
        BadInput: the values are text, objects, complex, dates, or rows of different lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise BadInput(f"{what} has rows of different lengths, so it is no array.") from None
    if array.size == 0 and array.dtype.kind in "OUb":
        array = array.astype(np.float64)
    if array.dtype.kind not in "iuf":
        hint = _INSTEAD.get(array.dtype.kind, "")
        raise BadInput(f"{what} holds {array.dtype}, not real numbers{hint}.")
    return array


def take_ids(ids: Sequence[Any] | np.ndarray, *, what: str) -> tuple[np.ndarray, list[str]]:
    """Unit ids as whole numbers or text, in order, and what a reader should know about them.

    Raises:
        BadInput: an id is neither.
    """
    held = list(ids)
    texts = [isinstance(one, str) for one in held]
    whole = [isinstance(one, int | np.integer) and not isinstance(one, bool) for one in held]
    odd = [one for one, a, b in zip(held, texts, whole, strict=True) if not (a or b)]
    if odd:
        raise BadInput(f"{what} must be whole numbers or text, not {listed(odd)}.")
    if all(whole):
        return np.array([int(one) for one in held], dtype=np.int64), []
    notes = [] if all(texts) else ["ids are text and numbers: all taken as text"]
    return np.array([str(one) for one in held], dtype=str), notes


def report_units(
    ids: np.ndarray,
    silent: np.ndarray,
    account: Account,
    *,
    found: int | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Say how many units there are, which never fire, and which share an id.

    ``silent`` is a mask; ``found`` is how many there were before some were left out on purpose.
    """
    notes = [*notes, *silent_units(ids[silent], without="activity")]
    found = len(ids) if found is None else found
    account.add("units", "units", found, len(ids), notes=notes, repairs=repeated_ids(ids))


def take_columns(
    given: Mapping[str, Any] | None, ids: np.ndarray, account: Account
) -> dict[str, np.ndarray]:
    """One value per unit for each column; what is neither number nor text is left out, counted.

    A series of pandas may name the units in its index, in any order.

    Raises:
        BadInput: a column has not one value per unit.
    """
    kept, n_units = {}, len(ids)
    for key, given_values in (given or {}).items():
        name, values = str(key), plain(by_unit(given_values, ids, column=str(key)))
        if values is None or values.ndim != 1:
            reason = "left out: it holds more than one number or text per unit"
            account.add("column", f"units/{name}", n_units, 0, notes=[reason])
            continue
        if len(values) != n_units:
            raise BadInput(f"column '{name}' has {len(values)} values for {n_units} units.")
        as_name, notes = column_name(name)
        kept[as_name] = values
        account.add("column", f"units/{name}", n_units, n_units, notes=notes)
    return kept


def take_events(given: Mapping[str, Any] | None, account: Account) -> dict[str, Events]:
    """Moments by name, from times (s) or (times, labels): sorted; NaN dropped and counted.

    Raises:
        BadInput: times are no numbers, or there are not as many labels as times.
    """
    events: dict[str, Events] = {}
    for key, value in (given or {}).items():
        name = unused(identifier(str(key)), events)
        if isinstance(value, Events):
            value = (value.times, value.labels)
        if (stamps := own_clock(value)) is not None:  # labels at the times of their index
            value = (stamps, value)
        times, said = value if isinstance(value, tuple) and len(value) == 2 else (value, None)
        times = numbers(times, what=f"events '{key}'").astype(np.float64).ravel()
        labels = None if said is None else plain(said)
        if said is not None and (labels is None or labels.shape != times.shape):
            raise BadInput(f"events '{key}' need one label for each of their {len(times)} times.")
        good = np.flatnonzero(np.isfinite(times))
        order = good[np.argsort(times[good], kind="stable")]
        lost = len(times) - len(good)
        repairs = [f"{counted(lost, 'NaN or infinite time')} dropped"] if lost else []
        # of several kinds, as labels say, one may follow the other
        falls = far_falls(times[good]) if labels is None else None
        repairs += [falls.said] if falls else []
        sorted_ = not falls and (np.diff(order) < 0).any()
        notes = ["unsorted times were sorted"] if sorted_ else []
        account.add("events", name, len(times), len(order), notes=notes, repairs=repairs)
        words = None if labels is None else labels[order].astype(str)
        events[name] = Events(name, times[order], words)
    return events


def take_stretches(
    given: Any, n_units: int, account: Account, *, reach: tuple[float, float]
) -> tuple[np.ndarray, ...] | None:
    """When each unit was observed (s): one (n, 2) array for all, or one per unit, in order.

    Those up to inf end with ``reach``, the time (s) of all activity.

    Raises:
        BadInput: there are not as many arrays as units, or one is not (n, 2).
    """
    if given is None:
        return None
    for_all = isinstance(given, np.ndarray) and given.ndim == 2
    per_unit = [given] if for_all else list(given)
    if not for_all and len(per_unit) != n_units:
        raise BadInput(f"obs_intervals are {len(per_unit)} arrays for {n_units} units.")
    found, kept = 0, []
    for rows in per_unit:
        pairs = numbers(rows, what="obs_intervals").astype(np.float64)
        if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
            raise BadInput(f"obs_intervals must be (n, 2): start and stop; one is {pairs.shape}.")
        pairs = pairs.reshape(-1, 2)
        found += len(pairs)
        kept.append(sound_stretches(pairs, reach))
    lost = found - sum(map(len, kept))
    repairs = [f"{counted(lost, 'empty or NaN interval')} dropped"] if lost else []
    account.add("column", "units/obs_intervals", found, found - lost, repairs=repairs)
    return tuple(kept * n_units) if for_all else tuple(kept)


def unused(name: str, taken: Collection[str]) -> str:
    """The name, or the name with a number where it is taken."""
    free, n = name, 2
    while free in taken:
        free, n = f"{name}_{n}", n + 1
    return free
