"""Simulations as NWB files, so that they go through the same door as a lab's recordings."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hdmf.common import DynamicTable, VectorData
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import Position, SpatialSeries
from pynwb.epoch import TimeIntervals
from pynwb.file import Subject

from nwbsparse.errors import BadInput
from nwbsparse.files.made_folder import made_folder
from nwbsparse.files.whole import whole_file
from nwbsparse.simulate.contents import Contents, Intervals, Signal, Simulated, Table
from nwbsparse.simulate.imaging import add_imaging

_START = datetime(2025, 1, 1, tzinfo=UTC)
_ANIMAL = {
    "subject_id": "simulated",
    "species": "Rattus norvegicus",
    "sex": "U",
    "age": "P90D",
    "description": "simulated animal",
}
_PLACES = ("meters", "radians")


def write_simulation(recording: Simulated, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a simulation as NWB: units, behaviour, laps, a subject, and the truth behind them.

    Behaviour stands in the processing module ``behavior`` (places in ``Position``), the truth in the
    columns of the units and in the processing module ``simulation``: tables such as ``sources`` or
    ``assemblies``, with what was planted one a row, and their drive over time.

    Args:
        recording: what a simulation made.
        path: the file to write; its folder is made.
        overwrite: replace a file that is there.

    Raises:
        BadInput: the file exists and is not to be overwritten.
    """
    path = Path(path).expanduser()
    if path.exists() and not overwrite:
        raise BadInput(f"{path} exists; use --overwrite or another --out")
    nwbfile = _nwbfile(recording.contents())
    with whole_file(path) as fresh, NWBHDF5IO(path=str(fresh), mode="w") as io:
        io.write(nwbfile)
    return path


def write_sessions(
    recordings: Sequence[Simulated], folder: str | Path, *, overwrite: bool = False
) -> list[Path]:
    """Write several sessions of a simulation into a folder, each as ``IDENTIFIER.nwb``, in order.

    Where one cannot be written, those before it are taken away again.

    Args:
        recordings: what a simulation made.
        folder: is made when absent.
        overwrite: replace files that are there.

    Raises:
        BadInput: some of the files exist and are not to be overwritten, or the folder is a file.
    """
    folder = Path(folder).expanduser()
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; several sessions need a folder as --out")
    paths = [folder / f"{one.contents().identifier}.nwb" for one in recordings]
    there = [path.name for path in paths if path.exists()]
    if there and not overwrite:
        raise BadInput(f"{folder} holds {', '.join(there)}; use --overwrite or another --out")
    written: list[Path] = []
    with made_folder(folder):
        try:
            for one, path in zip(recordings, paths, strict=True):
                written.append(write_simulation(one, path, overwrite=overwrite))
        except BaseException:
            for path in written:
                if path.name not in there:
                    path.unlink(missing_ok=True)
            raise
    return written


def _nwbfile(contents: Contents) -> Any:
    nwbfile: Any = NWBFile(
        session_description=contents.description,
        identifier=contents.identifier,
        session_start_time=_START,
        session_id=contents.identifier,
        experimenter=["Simulation, A."],
        institution="none (simulated)",
        keywords=["simulation"],
        subject=Subject(**(_ANIMAL | dict(contents.subject))),
    )
    if contents.imaging is None:
        _add_units(nwbfile, contents)
    else:
        add_imaging(nwbfile, contents.imaging, contents.unit_columns)
    if contents.signals:
        _add_behaviour(nwbfile, contents.signals)
    for one in contents.intervals:
        add = nwbfile.add_stimulus if one.is_stimulus else nwbfile.add_time_intervals
        add(_intervals(one))
    if contents.tables or contents.truth:
        module = nwbfile.create_processing_module(
            "simulation", "the truth behind the simulated activity"
        )
        for table in contents.tables:
            module.add(_table(table))
        for signal in contents.truth:
            module.add(TimeSeries(**_sampled(signal)))
    return nwbfile


def _add_units(nwbfile: Any, contents: Contents) -> None:
    for name in contents.unit_columns:
        nwbfile.add_unit_column(name, f"{name.replace('_', ' ')} (planted)")
    for row, spikes in enumerate(contents.spike_times):
        values = {name: column[row] for name, column in contents.unit_columns.items()}
        nwbfile.add_unit(spike_times=spikes, obs_intervals=[[0.0, contents.duration]], **values)


def _add_behaviour(nwbfile: Any, signals: Sequence[Signal]) -> None:
    module = nwbfile.create_processing_module("behavior", "simulated behaviour")
    places = [
        SpatialSeries(**_sampled(one), reference_frame=one.description)
        for one in signals
        if one.unit in _PLACES
    ]
    if places:
        module.add(Position(spatial_series=places))
    for one in signals:
        if one.unit not in _PLACES:
            module.add(TimeSeries(**_sampled(one)))


def _sampled(signal: Signal) -> dict[str, Any]:
    return {
        "name": signal.name,
        "data": signal.data,
        "starting_time": signal.start,
        "rate": signal.rate,
        "unit": signal.unit,
        "description": signal.description,
    }


def _intervals(one: Intervals) -> TimeIntervals:
    table = TimeIntervals(name=one.name, description=one.description)
    for name in one.columns:
        table.add_column(name, f"{name.replace('_', ' ')} of each of the {one.name}")
    for row, (start, stop) in enumerate(one.spans):
        values = {name: column[row] for name, column in one.columns.items()}
        table.add_interval(start_time=float(start), stop_time=float(stop), **values)
    return table


def _table(table: Table) -> DynamicTable:
    columns = [
        VectorData(name=name, description=description, data=values)
        for name, (description, values) in table.columns.items()
    ]
    return DynamicTable(name=table.name, description=table.description, columns=columns)
