"""An ``.npz`` of binned spikes and behaviour, as the CEBRA demos hand it round → Session."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.arrays.activity import take_activity
from nwbsparse.io.arrays.coerce import plain, take_ids
from nwbsparse.io.arrays.session import matrix_session
from nwbsparse.io.check import sha256_of
from nwbsparse.io.npy import blamed_on, load_npz
from nwbsparse.io.nwb.behaviour import MAX_COLUMNS
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.names import identifier
from nwbsparse.session import Session, Source

_ACTIVITY = ("spikes", "counts", "activity", "neural")
_WIDTH = ("bin_width", "bin_size", "dt")
_TIMES = ("times", "time", "timestamps")
_IDS = ("unit_ids", "unit_id")


def read_npz(path: str | Path, *, bin_width: float | None = None, strict: bool = False) -> Session:
    """A recording binned already, in the layout of the CEBRA demos (Grosmark & Buzsáki's rats).

    ``spikes`` (bins × units, whole numbers; also called counts, activity or neural) are kept
    exactly. ``position`` (m) becomes a position series. ``right`` and ``left`` (0 or 1 per bin)
    say which way the animal runs: they become the intervals ``direction_runs``, one row per run,
    whose column ``direction`` is 'right' or 'left', so that binning labels every bin with the
    condition ``direction_runs.direction``; bins with neither, or both, get no label. Every other
    array with one value per bin becomes a series (text and true/false: intervals); the rest is
    reported as left out. Arrays of Python objects are never loaded.

    The demos left out the bins in which the animal rested and joined the rest: time counts bins
    and is no session clock, unless the file holds ``times`` (s, centres of bins).

    Args:
        path: an ``.npz`` file.
        bin_width: seconds; where the file does not state it (``bin_width``, ``bin_size``, ``dt``).
        strict: refuse what would be repaired.

    Raises:
        BadInput: no archive, no activity under a known key (all keys are listed), no bin width,
            or (strict) anything that needs repair.
        EnvironmentProblem: the file may not be read by this account.
    """
    path = Path(path).expanduser()
    account = Account(path, strict)
    arrays, refused = load_npz(path)
    for key, reason in refused.items():
        account.add("other", key, 1, 0, notes=[reason])
    key = _taken(_ACTIVITY, arrays)
    if key is None:
        raise BadInput(_unknown_layout(path, arrays, refused))
    values = arrays.pop(key)
    times = arrays.pop(_taken(_TIMES, arrays) or "", None)
    bin_width = _bin_width(path, arrays, bin_width, has_times=times is not None)
    ids, notes = None, []
    if named := _taken(_IDS, arrays):
        ids, notes = take_ids(arrays.pop(named).tolist(), what=f"{named} of {path}")
    with blamed_on(path):
        found = take_activity(values, account, ids=ids, name=key, bin_width=bin_width, times=times)
        series = _behaviour(arrays, len(values), account)
        if times is None:
            account.add(
                *("other", "clock", 1, 1),
                notes=["bins are counted from 0 s: no clock of the session"],
            )
        return matrix_session(
            found,
            account,
            ids=ids,
            series=series,
            notes=notes,
            source=Source(path, sha256_of(path), identifier=path.stem),
        )


def _taken(known: tuple[str, ...], arrays: dict[str, np.ndarray]) -> str | None:
    return next((key for key in known if key in arrays), None)


def _unknown_layout(path: Path, arrays: dict[str, np.ndarray], refused: dict[str, str]) -> str:
    held = [f"{key} {array.dtype}{list(array.shape)}" for key, array in arrays.items()]
    held += [f"{key} (Python objects, not read)" for key in refused]
    return (
        f"{path} holds no activity under {', '.join(_ACTIVITY)}; its keys: "
        f"{', '.join(held) or 'none'}. Load it with numpy and give the arrays to read_matrix."
    )


def _bin_width(
    path: Path, arrays: dict[str, np.ndarray], asked: float | None, *, has_times: bool
) -> float | None:
    stated = None
    if key := _taken(_WIDTH, arrays):
        value = arrays.pop(key)
        if value.size != 1 or value.dtype.kind not in "iuf":
            raise BadInput(f"{key} of {path} is not one number of seconds; give bin_width=.")
        stated = float(value.reshape(()))
    if asked is not None and stated is not None and not np.isclose(asked, stated):
        raise BadInput(f"{path} states bins of {stated:g} s and bin_width is {asked:g} s.")
    if asked is not None or stated is not None or has_times:
        return asked if asked is not None else stated
    named = re.search(r"(\d+(?:\.\d+)?) ?ms", path.name)
    hint = f"; its name suggests bin_width={float(named[1]) / 1000:g}" if named else ""
    raise BadInput(f"{path} states no bin width: give bin_width= in seconds{hint}.")


def _behaviour(arrays: dict[str, np.ndarray], n_bins: int, account: Account) -> dict[str, Any]:
    """What has one value per bin, by name; ``right`` and ``left`` as labels of direction."""
    series: dict[str, Any] = {}
    sides = [arrays.get(key) for key in ("right", "left")]
    if all(side is not None and _is_flag(side, n_bins) for side in sides):
        right, left = (np.asarray(arrays.pop(key), dtype=bool) for key in ("right", "left"))
        words = np.where(right & ~left, "right", np.where(left & ~right, "left", ""))
        odd = int((right == left).sum())
        notes = ["0/1 per bin: labels of direction"]
        notes += [f"{odd:,} bins are both or neither: without a label"] if odd else []
        account.add("column", "right, left", n_bins, n_bins - odd, notes=notes)
        series["direction"] = words
    for key, array in arrays.items():
        values = plain(array)
        flat = values is not None and (
            values.ndim == 1 or (values.ndim == 2 and values.shape[1] <= MAX_COLUMNS)
        )
        if values is None or not flat or len(values) != n_bins:
            reason = f"left out: {array.dtype}{list(array.shape)} is not one value per bin"
            account.add("other", key, len(array) if array.ndim else 1, 0, notes=[reason])
        else:
            series[identifier(key)] = values
    return series


def _is_flag(values: np.ndarray, n_bins: int) -> bool:
    return values.shape == (n_bins,) and bool(np.isin(values, (0, 1)).all())
