"""Synthetic NWB recordings for tests: small, deterministic, faulty where a test asks for it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import Position, SpatialSeries
from pynwb.ecephys import ElectricalSeries
from pynwb.epoch import TimeIntervals
from pynwb.file import Subject
from pynwb.ophys import ImageSegmentation, OpticalChannel, PlaneSegmentation

from nwbsparse.session import ReadLine, Session

START = datetime(2024, 1, 1, tzinfo=UTC)


def add_rois(nwbfile: NWBFile, ids: Sequence[int], *, location: str = "CA1") -> PlaneSegmentation:
    """A plane with ROIs of these ids in a new module 'ophys'."""
    device = nwbfile.create_device("scope")
    channel = OpticalChannel(name="green", description="green", emission_lambda=520.0)
    plane = nwbfile.create_imaging_plane(
        name="plane", optical_channel=channel, description="a plane", device=device,
        excitation_lambda=920.0, indicator="GCaMP", location=location, imaging_rate=10.0,
    )  # fmt: skip
    module = nwbfile.create_processing_module("ophys", "ophys")
    module.add(ImageSegmentation())
    rois = module["ImageSegmentation"].create_plane_segmentation(
        name="rois", description="rois", imaging_plane=plane
    )
    for roi in ids:
        rois.add_roi(image_mask=np.ones((2, 2)), id=int(roi))
    return rois


def poisson_spikes(
    *, n_units: int = 4, rate: float = 5.0, start: float = 0.0, stop: float = 100.0, seed: int = 0
) -> list[np.ndarray]:
    """Sorted spike times (s) of independent units, ``rate`` Hz each."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate * (stop - start), n_units)
    return [np.sort(rng.uniform(start, stop, count)) for count in counts]


def circle(*, n: int = 5000, rate: float = 50.0) -> dict[str, Any]:
    """A position series (m): 10 s laps of a circle. Keyword arguments of SpatialSeries."""
    phase = 2 * np.pi * np.arange(n) / rate / 10
    data = np.column_stack([np.cos(phase), np.sin(phase)])
    return {"data": data, "rate": rate, "starting_time": 0.0, "unit": "meters"}


def laps(*, n: int = 10, length: float = 10.0) -> dict[str, Any]:
    """A table of ``n`` contiguous trials with a condition, left or right, and a number."""
    start = np.arange(n) * length
    return {
        "start_time": start,
        "stop_time": start + length,
        "side": ["left" if i % 2 else "right" for i in range(n)],
        "reward": np.linspace(0.1, 0.9, n) ** 2,
    }


def spatial(name: str = "position", **arguments: Any) -> SpatialSeries:
    """A SpatialSeries that needs only data and a clock."""
    given = {"reference_frame": "the middle of the arena", "unit": "meters"} | arguments
    return SpatialSeries(name=name, **given)


def write_recording(
    path: Path,
    *,
    spike_times: Sequence[Any] | None = (),
    unit_ids: Sequence[int] | None = None,
    unit_columns: Mapping[str, Sequence[Any]] | None = None,
    electrodes: Mapping[str, Sequence[Any]] | None = None,
    obs_intervals: Sequence[Any] | None = None,
    position: Mapping[str, Any] | None = None,
    behaviour: Sequence[Any] = (),
    acquisition: Sequence[Any] = (),
    trials: Mapping[str, Any] | None = None,
    epochs: Sequence[tuple[float, float, Sequence[str]]] = (),
    tables: Mapping[str, Mapping[str, Any]] | None = None,
    invalid_times: Sequence[tuple[float, float]] = (),
    raw: Mapping[str, Any] | None = None,
    subject: Mapping[str, str] | None = None,
    module: str = "behavior",
    identifier: str = "synthetic",
) -> Path:
    """Write an NWB file and return its path.

    ``spike_times`` is one array (s) per unit: () for four Poisson units, None for no Units table.
    ``electrodes`` are columns of one electrode per unit. ``position`` are arguments of the
    SpatialSeries in Position. ``behaviour`` are objects for the processing module called
    ``module``, ``acquisition`` those for acquisition. ``trials`` and ``tables`` map column names,
    start_time and stop_time among them, to values. ``raw`` are arguments of an ElectricalSeries
    in acquisition (it needs ``electrodes``). Warnings of pynwb about faulty data are not heeded:
    faulty files are what many tests are about.
    """
    spikes = poisson_spikes() if spike_times == () else spike_times
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nwbfile = NWBFile("a synthetic recording", identifier, START, session_id="session 1")
        if subject is not None:
            nwbfile.subject = Subject(**subject)
        if electrodes is not None:
            _add_electrodes(nwbfile, electrodes)
        if spikes is not None:
            _add_units(nwbfile, spikes, unit_ids, unit_columns or {}, electrodes, obs_intervals)
        held = list(behaviour)
        if position is not None:
            held.insert(0, Position(spatial_series=spatial(**position)))
        if held:
            nwbfile.create_processing_module(module, "behaviour").add(held)
        for thing in acquisition:
            nwbfile.add_acquisition(thing)
        if raw is not None:
            region = nwbfile.create_electrode_table_region([0], "the first")
            nwbfile.add_acquisition(ElectricalSeries(name="raw", electrodes=region, **raw))
        for start, stop, tags in epochs:
            nwbfile.add_epoch(float(start), float(stop), tags=list(tags))
        for start, stop in invalid_times:
            nwbfile.add_invalid_time_interval(start_time=float(start), stop_time=float(stop))
        every = ({"trials": trials} if trials else {}) | dict(tables or {})
        for name, columns in every.items():
            _add_table(nwbfile, name, columns)
        with NWBHDF5IO(path, "w") as io:
            io.write(nwbfile)
    return path


@contextmanager
def damaged(path: Path) -> Iterator[h5py.File]:
    """The file open in h5py, to break what pynwb would not write broken."""
    with h5py.File(path, "r+") as file:
        yield file


def replace_dataset(file: h5py.File, name: str, values: Any) -> None:
    """Put other values, of any shape and type, into a dataset and keep its attributes."""
    attributes = dict(file[name].attrs)
    del file[name]
    file[name] = values
    file[name].attrs.update(attributes)


def line_of(session: Session, kind: str, name: str) -> ReadLine:
    """The one line of the read report about this thing."""
    [line] = [line for line in session.report.of_kind(kind) if line.name == name]
    return line


def reasons(session: Session, kind: str, name: str) -> str:
    """All that the read report says about this thing, in one string."""
    return " | ".join(line_of(session, kind, name).reasons)


def time_series(name: str, **arguments: Any) -> TimeSeries:
    """A TimeSeries that needs only data and a clock."""
    return TimeSeries(name=name, **({"unit": "a.u."} | arguments))


def _add_electrodes(nwbfile: NWBFile, columns: Mapping[str, Sequence[Any]]) -> None:
    device = nwbfile.create_device("probe")
    group = nwbfile.create_electrode_group(
        "shank", description="one shank", location="CA1", device=device
    )
    own = [name for name in columns if name != "location"]
    for name in own:
        nwbfile.add_electrode_column(name, name)
    for i in range(len(next(iter(columns.values())))):
        row = {name: values[i] for name, values in columns.items()}
        nwbfile.add_electrode(group=group, **({"location": "unknown"} | row))


def _add_units(
    nwbfile: NWBFile,
    spikes: Sequence[Any],
    unit_ids: Sequence[int] | None,
    columns: Mapping[str, Sequence[Any]],
    electrodes: Mapping[str, Sequence[Any]] | None,
    obs_intervals: Sequence[Any] | None,
) -> None:
    for name in columns:
        nwbfile.add_unit_column(name, name)
    for row, times in enumerate(spikes):
        given: dict[str, Any] = {name: values[row] for name, values in columns.items()}
        if electrodes is not None:
            given["electrodes"] = [row]
        if obs_intervals is not None:
            given["obs_intervals"] = np.asarray(obs_intervals[row], dtype=float).reshape(-1, 2)
        unit_id = row if unit_ids is None else unit_ids[row]
        nwbfile.add_unit(spike_times=np.asarray(times), id=unit_id, **given)


def _add_table(nwbfile: NWBFile, name: str, columns: Mapping[str, Any]) -> None:
    table = TimeIntervals(name=name, description=f"the {name}")
    own = [column for column in columns if column not in ("start_time", "stop_time")]
    for column in own:
        ragged = not np.isscalar(columns[column][0])
        table.add_column(column, column, index=ragged)
    for row in range(len(columns["start_time"])):
        table.add_interval(**{column: values[row] for column, values in columns.items()})
    if name == "trials":
        nwbfile.trials = table
    else:
        nwbfile.add_time_intervals(table)
