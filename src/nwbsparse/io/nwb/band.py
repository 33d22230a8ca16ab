"""Power of a field potential in a band of frequencies, channel by channel, read piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import h5py
import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.choose import Candidate
from nwbsparse.io.nwb.power import BandPower
from nwbsparse.io.nwb.traces import Part, gaps, is_turned, missing, sound_clock
from nwbsparse.io.nwb.unit_rows import MODALITY, columns_of, n_rows_of, numbered
from nwbsparse.io.rules.account import Account, counted
from nwbsparse.io.rules.clock import Clock
from nwbsparse.io.rules.values import refuse_bomb, shape_of, text
from nwbsparse.io.rules.vectors import vector

BLOCK_VALUES = 2**24
"""Samples times channels that are in memory at once."""


def read_band(
    one: Candidate,
    account: Account,
    *,
    band: tuple[float, float],
    rate: float | None,
    block_values: int = BLOCK_VALUES,
) -> Part:
    """The power of every channel of an electrical series in a band (Hz), as ``BandPower`` says.

    The data are read piece by piece. Conversion, channel conversion and offset come first, so
    power is in volts² (or the square of what the file states). Gaps in the clock are never
    crossed; stretches shorter than a period of the lower edge are left out and counted. Blocks
    with a NaN sample are NaN.

    Raises:
        BadInput: the band does not fit the sampling rate, or there is no clock.
    """
    series, path = one.thing, one.path
    stored = series.data if hasattr(series.data, "shape") else np.asarray(series.data)
    if isinstance(stored, h5py.Dataset):
        refuse_bomb(stored, what=f"{path}/data")
    shape = shape_of(stored)
    n_stamps = (shape_of(series.timestamps) or (None,))[0]
    region = getattr(series, "electrodes", None)
    turned = is_turned(shape, n_units=n_rows_of(region), n_stamps=n_stamps)
    n_samples, n_units = (shape[::-1] if turned else shape) if len(shape) == 2 else (shape[0], 1)
    repairs = [f"stored as {shape}, channels first: transposed"] if turned else []
    clock, stretches, found_rate = _clock(series, n_samples, path=path, rate=rate)
    power = BandPower(*_checked(band, found_rate, path), found_rate)
    columns = numbered(n_units)
    if n_rows_of(region) == n_units:
        columns = columns_of(region, account)
    elif region is not None:
        repairs.append(
            f"{n_units:,} channels for {n_rows_of(region):,} electrodes: units are numbered"
        )
    columns[MODALITY] = np.full(n_units, "lfp")
    factor, offset = _scale(series, n_units), float(series.offset or 0.0)

    def piece(start: int, stop: int) -> np.ndarray:
        taken = stored[:, start:stop].T if turned else stored[start:stop]
        return np.asarray(taken, dtype=np.float64).reshape(stop - start, n_units) * factor + offset

    long = [(a, b) for a, b in stretches if b - a >= max(found_rate / power.low, power.n_per_block)]
    lost = sum(b - a for a, b in stretches) - sum(b - a for a, b in long)
    if not long:
        raise BadInput(f"{path} has no stretch as long as one period of {power.low:g} Hz.")
    if lost:
        repairs.append(
            f"{counted(lost, 'sample')} in stretches shorter than {1 / power.low:.3g} s dropped"
        )
    data = np.concatenate([_stretch(piece, a, b, n_units, power, block_values) for a, b in long])
    times = np.concatenate([_times(clock, series, a, b, power) for a, b in long])
    q = power.n_per_block
    before, after = (q - 1) / 2 / found_rate, (q + 1) / 2 / found_rate  # a sample lasts one step
    starts = np.cumsum([0, *((b - a) // q for a, b in long)])
    edges = np.column_stack([times[starts[:-1]] - before, times[starts[1:] - 1] + after])
    rest = sum((b - a) % q for a, b in long)
    notes = [
        f"power between {power.low:g} and {power.high:g} Hz: {n_samples:,} samples at "
        f"{found_rate:.6g} Hz gave {len(data):,} means of {q}",
        *([f"{counted(rest, 'sample')} left over at the end of stretches"] if rest else []),
        *clock.notes,
        *missing(data),
        *gaps(edges),
    ]
    kept = len(data) * q
    account.add("traces", path, n_samples, kept, notes=notes, repairs=[*repairs, *clock.repairs])
    unit = text(series.unit)
    return Part(
        times,
        data,
        columns,
        edges,
        path,
        unit=f"{unit}²" if unit else "",
        object_id=series.object_id,
        description=text(series.description),
        table=getattr(region, "table", None),
    )


def _clock(
    series: Any, n_samples: int, *, path: str, rate: float | None
) -> tuple[Clock, list[tuple[int, int]], float]:
    """Its clock, the gap-free stretches of its samples, and its rate (Hz).

    A series with a rate has a clock of two samples here: the rest follows from them.
    """
    if series.timestamps is None:
        clock = sound_clock(series, 2, path=path, rate=rate)
        found = rate if clock.notes and rate else float(series.rate)
        return clock, [(0, n_samples)], found
    clock = sound_clock(series, n_samples, path=path, rate=rate)
    steps = np.diff(clock.times)
    if not len(steps):
        raise BadInput(f"{path} has one sample: no power can be taken.")
    step = float(np.median(steps))
    cuts = np.flatnonzero((steps > 1.5 * step) | (np.diff(clock.rows) > 1)) + 1
    edges = [0, *cuts.tolist(), len(clock.rows)]
    return (
        clock,
        [(int(clock.rows[a]), int(clock.rows[b - 1]) + 1) for a, b in pairwise(edges)],
        1 / step,
    )


def _times(clock: Clock, series: Any, start: int, stop: int, power: BandPower) -> np.ndarray:
    """When each block of a stretch was recorded: the mean of its samples' times."""
    q = power.n_per_block
    n = (stop - start) // q
    if series.timestamps is None:
        return clock.times[0] + (start + np.arange(n) * q + (q - 1) / 2) / power.rate
    first = int(np.searchsorted(clock.rows, start))
    return clock.times[first : first + n * q].reshape(n, q).mean(axis=1)


def _stretch(
    piece: Callable[[int, int], np.ndarray],
    start: int,
    stop: int,
    n_units: int,
    power: BandPower,
    block_values: int,
) -> np.ndarray:
    """(block, unit) power of one gap-free stretch, read with enough of its surroundings."""
    q, reach = power.n_per_block, power.reach
    n = (stop - start) // q
    out = np.empty((n, n_units), dtype=np.float32)
    at_once = max(block_values // n_units, reach) // q + 1
    for done in range(0, n, at_once):
        upto = min(done + at_once, n)
        left, right = start + done * q, start + upto * q
        a, b = max(start, left - reach), min(stop, right + reach)
        signals = piece(a, b)
        for unit in range(n_units):
            good = np.isfinite(signals[:, unit])
            whole = power(_bridged(signals[:, unit], good))[left - a : right - a]
            mean = whole.reshape(-1, q).mean(axis=1)
            sound = good[left - a : right - a].reshape(-1, q).all(axis=1)
            out[done:upto, unit] = np.where(sound, mean, np.nan)
    return out


def _bridged(signal: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Straight lines across NaN samples, so that a filter survives them."""
    if good.all():
        return np.ascontiguousarray(signal)
    if not good.any():
        return np.zeros(len(signal))
    at = np.arange(len(signal))
    return np.interp(at, at[good], signal[good])


def _scale(series: Any, n_units: int) -> np.ndarray:
    factor = np.full(n_units, float(series.conversion or 1.0))
    own = getattr(series, "channel_conversion", None)
    if own is None:
        return factor
    each = vector(own, what="channel_conversion").astype(np.float64)
    return factor * each if len(each) == n_units else factor


def _checked(band: tuple[float, float], rate: float, path: str) -> tuple[float, float]:
    low, high = (float(edge) for edge in band)
    if high >= rate / 2:
        raise BadInput(
            f"band {low:g} to {high:g} Hz does not fit {path}: at {rate:.6g} Hz it holds "
            f"frequencies below {rate / 2:.6g} Hz."
        )
    return low, high
