"""Simulations as NWB files, so that they go through the same door as a lab's recordings."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from hdmf.common import DynamicTable, VectorData
from pynwb import NWBHDF5IO, NWBFile
from pynwb.behavior import Position, SpatialSeries
from pynwb.file import Subject

from nwbsparse.errors import BadInput
from nwbsparse.files.whole import whole_file
from nwbsparse.simulate.placecells import PlaceCells
from nwbsparse.simulate.superposition import Superposition

_START = datetime(2025, 1, 1, tzinfo=UTC)


def write_placecells(recording: PlaceCells, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write the place-cell simulation as NWB: Units, Position and a Subject.

    Spikes stand in the middle of their 10-ms step, never on a bin edge. The table of units says
    which of them are place cells and where their fields lie.
    """
    times = [(np.flatnonzero(row) + 0.5) * recording.dt for row in recording.spikes]
    n_noise = len(times) - len(recording.fields)
    columns = {
        "cell_type": ["place"] * len(recording.fields) + ["noise"] * n_noise,
        "field_centre": [f.centre for f in recording.fields] + [float("nan")] * n_noise,
    }
    duration = recording.spikes.shape[1] * recording.dt
    nwbfile = _file("nldisco-placecells", "four place cells among 96 noise units (simulated)")
    _add_units(nwbfile, times, columns, duration)
    position = Position(
        spatial_series=SpatialSeries(
            name="position",
            data=recording.positions,
            starting_time=0.0,
            rate=1 / recording.dt,
            unit="meters",
            reference_frame="distance from the start of the linear track",
        )
    )
    module = nwbfile.create_processing_module("behavior", "simulated behaviour")
    module.add(position)
    return _write(nwbfile, path, overwrite=overwrite)


def write_superposition(
    recording: Superposition, path: str | Path, *, overwrite: bool = False
) -> Path:
    """Write the superposition simulation as NWB: Units, a Subject, and the planted sources.

    Spikes of a bin are spread evenly inside it. The dictionary stands in the table ``sources`` of
    the processing module ``simulation``.
    """
    times = []
    for counts in recording.counts.T:
        n = counts.astype(np.int64)
        within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        offset = (within + 0.5) / np.repeat(n, n)
        times.append((np.repeat(np.arange(len(n)), n) + offset) * recording.bin_width)
    nwbfile = _file("superposition", "150 overlapping sources over 100 units (simulated)")
    _add_units(nwbfile, times, {}, len(recording.counts) * recording.bin_width)
    module = nwbfile.create_processing_module("simulation", "the truth behind the simulated spikes")
    module.add(
        DynamicTable(
            name="sources",
            description="planted sources: the weight of each unit (rows of unit length)",
            columns=[
                VectorData(
                    name="unit_weights",
                    description="weight of each row of the units table",
                    data=recording.dictionary,
                )
            ],
        )
    )
    return _write(nwbfile, path, overwrite=overwrite)


def _file(identifier: str, description: str) -> Any:
    return NWBFile(
        session_description=description,
        identifier=identifier,
        session_start_time=_START,
        session_id=identifier,
        experimenter=["Simulation, A."],
        institution="none (simulated)",
        keywords=["simulation"],
        subject=Subject(
            subject_id="simulated",
            species="Rattus norvegicus",
            sex="U",
            age="P90D",
            description="simulated animal",
        ),
    )


def _add_units(
    nwbfile: Any,
    times: Sequence[np.ndarray],
    columns: Mapping[str, Sequence[object]],
    duration: float,
) -> None:
    for name in columns:
        nwbfile.add_unit_column(name, f"{name.replace('_', ' ')} (planted)")
    for row, spikes in enumerate(times):
        values = {name: column[row] for name, column in columns.items()}
        nwbfile.add_unit(spike_times=spikes, obs_intervals=[[0.0, duration]], **values)


def _write(nwbfile: Any, path: str | Path, *, overwrite: bool) -> Path:
    path = Path(path).expanduser()
    if path.exists() and not overwrite:
        raise BadInput(f"{path} exists; use --overwrite or another --out")
    with whole_file(path) as fresh, NWBHDF5IO(path=str(fresh), mode="w") as io:
        io.write(nwbfile)
    return path
