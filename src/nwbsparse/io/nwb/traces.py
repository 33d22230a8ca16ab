"""Activity that is not spikes: fluorescence of ROIs, or one series per unit, as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.choose import ROI, Candidate
from nwbsparse.io.nwb.clock import clock_of
from nwbsparse.io.nwb.unit_rows import MODALITY, Columns, columns_of, joined, n_rows_of, numbered
from nwbsparse.io.rules.account import Account, counted
from nwbsparse.io.rules.clock import Clock
from nwbsparse.io.rules.scale import scale_of
from nwbsparse.io.rules.values import load, shape_of, text
from nwbsparse.session import Traces

SAME_CLOCK = 1e-6
"""Seconds by which the stamps of one moment may differ between series: rounding, not a delay."""
_BLOCK = 2**20


@dataclass(frozen=True)
class Part:
    """The units of one series on its clock."""

    times: np.ndarray
    data: np.ndarray
    """(sample, unit)."""
    columns: Columns
    stretches: np.ndarray
    """(n, 2) s: where its clock runs without a gap."""
    path: str
    unit: str = ""
    object_id: str = ""
    description: str = ""
    bin_width: float | None = None
    table: Any = None
    """The table that it points to, where there is one."""
    observed: tuple[np.ndarray, ...] | None = None
    """When each unit was observed (s), where that is said and not told by the clock."""
    intervals: Mapping[str, xr.Dataset] = field(default_factory=dict)


def read_trace(one: Candidate, account: Account, *, rate: float | None) -> Part:
    """A fluorescence series, or a plain one that was asked for by name, as (sample, unit) float32.

    Conversion and offset are applied. Data with the units first are turned, which shows in the
    length of the ROI table (or of the timestamps). NaN samples stay NaN and are counted, infinite
    ones become NaN.

    Raises:
        BadInput: there is no clock, or no usable sample.
    """
    series, path = one.thing, one.path
    region = getattr(series, "rois", None)
    n_stamps = (shape_of(series.timestamps) or (None,))[0]
    data = load(series.data, what=f"{path}/data")
    data = data[:, None] if data.ndim == 1 else data
    n_units = n_rows_of(region)
    repairs = []
    if is_turned(data.shape, n_units=n_units, n_stamps=n_stamps):
        repairs.append(f"stored as {data.shape}, units first: transposed")
        data = data.T
    clock = sound_clock(series, len(data), path=path, rate=rate)
    columns = numbered(data.shape[1])
    if n_units == data.shape[1]:
        columns = columns_of(region, account)
    elif n_units is not None:
        repairs.append(f"{data.shape[1]:,} columns for {n_units:,} ROIs: units are numbered")
    elif data.shape[1] == 1:
        columns = {names.UNIT_ID: np.array([one.name])}
    conversion, offset, mended = scale_of(series)
    repairs += mended
    values = _scaled(data, clock.rows, conversion, offset)
    if n_infinite := int((infinite := np.isinf(values)).sum()):
        values[infinite] = np.nan
        repairs.append(f"{counted(n_infinite, 'infinite value')} made NaN")
    columns[MODALITY] = np.full(
        len(columns[names.UNIT_ID]), "ophys" if one.kind == ROI else "series"
    )
    part = part_of(series, path, clock, values, columns, table=getattr(region, "table", None))
    say_read(part, clock, len(data), account, repairs=repairs)
    return part


def part_of(
    series: Any, path: str, clock: Clock, values: np.ndarray, columns: Columns, *, table: Any
) -> Part:
    """A series whose samples (sample, unit) and units were read."""
    return Part(
        clock.times,
        values,
        columns,
        gap_free(clock.times),
        path,
        unit=text(series.unit),
        object_id=series.object_id,
        description=text(series.description),
        table=table,
    )


def say_read(
    part: Part, clock: Clock, n_samples: int, account: Account, *, repairs: Sequence[str] = ()
) -> None:
    """What the report of the reading says of a series."""
    notes = [*clock.notes, *missing(part.data), *gaps(part.stretches)]
    both = [*repairs, *clock.repairs]
    account.add("traces", part.path, n_samples, len(part.data), notes=notes, repairs=both)


def is_turned(shape: tuple[int, ...], *, n_units: int | None, n_stamps: int | None) -> bool:
    """Whether (sample, unit) data were stored the other way round."""
    if len(shape) != 2 or shape[0] == shape[1]:
        return False
    if n_units in shape:
        return shape[1] != n_units
    return n_stamps == shape[1]


def sound_clock(series: Any, n_samples: int, *, path: str, rate: float | None) -> Clock:
    """The clock of a series that was asked for.

    Raises:
        BadInput: it has none.
    """
    clock = clock_of(series, n_samples, path=path, rate=rate)
    if clock.refusal or not len(clock.times):
        raise BadInput(f"{path} cannot be read: {clock.refusal or 'it has no usable samples'}.")
    return clock


def missing(values: np.ndarray) -> list[str]:
    """What there is to say about samples that are NaN."""
    if values.dtype.kind != "f" or not (gone := np.isnan(values)).any():
        return []
    whole = int(gone.all(axis=0).sum())
    said = f"{int(gone.sum()):,} of {values.size:,} values are NaN and stay so"
    return [f"{said}; {counted(whole, 'unit')} without any value" if whole else said]


def gap_free(times: np.ndarray) -> np.ndarray:
    """(n, 2) s: where samples follow each other within three steps; a sample lasts one step."""
    steps = np.diff(times)
    step = float(np.median(steps)) if len(steps) else 0.0
    cuts = np.flatnonzero(steps > 3 * step)
    first, last = times[np.append(0, cuts + 1)], times[np.append(cuts, len(times) - 1)]
    return np.column_stack([first, last + step])


def gaps(stretches: np.ndarray) -> list[str]:
    """What there is to say about holes in a clock."""
    holes = stretches[1:, 0] - stretches[:-1, 1]
    if not len(holes):
        return []
    longest = f"the longest {holes.max():.6g} s"
    return [f"{counted(len(holes), 'gap')} in its clock, {longest}: no bin spans one"]


def table_of(parts: Sequence[Part]) -> Any:
    """The one table that all units of these series are known rows of; None where there is none."""
    tables = {id(part.table): part.table for part in parts}
    known = all(names.UNIT_ROW in part.columns for part in parts)
    return next(iter(tables.values())) if known and len(tables) == 1 else None


def join(parts: Sequence[Part], *, name: str) -> tuple[xr.Dataset, Traces]:
    """Series with one clock side by side: their units as one table, their data as one array.

    ``unit_row`` says which row of their table each unit is, where there is one and its rows are
    not simply in order.

    Raises:
        BadInput: their clocks differ.
    """
    first = parts[0]
    for part in parts[1:]:
        if len(part.times) != len(first.times):
            raise BadInput(
                f"{first.path} has {len(first.times):,} samples and {part.path} has "
                f"{len(part.times):,}: only series with one clock can be joined. Give one of them."
            )
        apart = float(np.abs(part.times - first.times).max())
        if apart > SAME_CLOCK:
            raise BadInput(
                f"the clocks of {first.path} and {part.path} are up to {apart:.6g} s apart: only "
                "series with one clock can be joined. Give one of them."
            )
    data = first.data if len(parts) == 1 else np.concatenate([p.data for p in parts], axis=1)
    columns = joined([part.columns for part in parts])
    rows = columns.pop(names.UNIT_ROW, None)
    in_order = rows is None or np.array_equal(rows, np.arange(len(rows)))
    if rows is not None and table_of(parts) is not None and not in_order:
        columns[names.UNIT_ROW] = rows
    whole = data.sum(axis=0, dtype=np.float64) if first.bin_width else np.zeros(data.shape[1])
    columns[names.N_SPIKES] = np.nan_to_num(whole).astype(np.int64)
    units = xr.Dataset({key: (names.UNIT, values) for key, values in columns.items()})
    traces = Traces(
        name=name,
        data=data,
        times=first.times,
        bin_width=first.bin_width,
        unit=", ".join(dict.fromkeys(part.unit for part in parts if part.unit)),
        path=", ".join(part.path for part in parts),
        object_id=first.object_id if len(parts) == 1 else "",
        description=first.description,
    )
    return units, traces


def _scaled(data: np.ndarray, rows: np.ndarray, factor: float, offset: float) -> np.ndarray:
    """Rows of the data in their unit of measure, as float32, block by block."""
    values = np.empty((len(rows), data.shape[1]), dtype=np.float32)
    step = max(1, _BLOCK // max(data.shape[1], 1))
    for start in range(0, len(rows), step):
        block = data[rows[start : start + step]].astype(np.float64)
        values[start : start + step] = block * factor + offset
    return values
