"""A recording with one of everything, and what stands in a file where a column of numbers should."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from pynwb import NWBHDF5IO, NWBFile
from pynwb.behavior import BehavioralEvents, Position
from pynwb.ecephys import LFP, ElectricalSeries, EventDetection
from pynwb.misc import AnnotationSeries
from pynwb.ophys import Fluorescence, RoiResponseSeries

from make.recordings import START, add_rois, poisson_spikes, spatial, time_series

ROWS = 4
"""Units, trials, electrodes, ROIs, events: so many of each that (n,) and (n, 1) fit everywhere."""


def write_everything(path: Path) -> Path:
    """Units, trials, electrodes, ROIs and events, four of each, with ragged columns and references."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pynwb's, of a module that is not yet whole
        nwbfile = _everything()
        with NWBHDF5IO(path, "w") as io:
            io.write(nwbfile)
    return path


def _everything() -> NWBFile:
    nwbfile = NWBFile("s", "everything", START)
    device = nwbfile.create_device("probe")
    shank = nwbfile.create_electrode_group("shank", "one", "CA1", device)
    nwbfile.add_electrode_column("depth", "µm")
    for row in range(ROWS):
        nwbfile.add_electrode(location="CA1", group=shank, depth=10.0 * row)
    nwbfile.add_unit_column("quality", "q")
    for row, spikes in enumerate(poisson_spikes(n_units=ROWS, rate=2.0)):
        nwbfile.add_unit(
            spike_times=spikes, electrodes=[row], electrode_group=shank, quality="good",
            obs_intervals=[[0.0, 100.0]], waveform_mean=np.ones(3),
        )  # fmt: skip
    nwbfile.add_trial_column("side", "s")
    for row in range(ROWS):
        nwbfile.add_trial(start_time=20.0 * row, stop_time=20.0 * row + 9, tags=["a"], side=row % 2)
    rois = add_rois(nwbfile, [3, 5, 7, 9])
    dff = RoiResponseSeries(
        name="dff", data=np.random.default_rng(0).normal(size=(400, ROWS)), unit="a.u.", rate=4.0,
        rois=rois.create_roi_table_region("all", region=list(range(ROWS))),
    )  # fmt: skip
    nwbfile.processing["ophys"].add(Fluorescence(roi_response_series=dff))
    stamps = np.array([10.0, 30.0, 50.0, 70.0])
    behaviour = nwbfile.create_processing_module("behavior", "b")
    behaviour.add(
        Position(spatial_series=spatial(data=np.ones((400, 2)), timestamps=np.arange(400) / 4))
    )
    licks = time_series("licks", data=np.arange(ROWS), timestamps=stamps)
    behaviour.add(BehavioralEvents(time_series=licks))
    nwbfile.add_acquisition(AnnotationSeries(name="notes", data=list("abcd"), timestamps=stamps))
    region = nwbfile.create_electrode_table_region(list(range(ROWS)), "all")
    field = ElectricalSeries(name="lfp", data=np.ones((400, ROWS)), rate=4.0, electrodes=region)
    ecephys = nwbfile.create_processing_module("ecephys", "e")
    ecephys.add(LFP(electrical_series=field))
    ecephys.add(
        EventDetection(
            name="ripples", detection_method="threshold", source_electricalseries=field,
            source_idx=np.arange(ROWS), times=stamps,
        )
    )  # fmt: skip
    return nwbfile


DTYPES: dict[str, Callable[[h5py.File, int], Any]] = {
    "int8": lambda _, n: np.arange(n, dtype=np.int8),
    "uint64": lambda _, n: np.arange(n, dtype=np.uint64),
    "large": lambda _, n: np.full(n, 2**62, dtype=np.int64),
    "negative": lambda _, n: -np.arange(1, n + 1),
    "float16": lambda _, n: np.arange(n, dtype=np.float16),
    "float64": lambda _, n: 10.0 * np.arange(n),
    "NaN": lambda _, n: np.full(n, np.nan),
    "true or false": lambda _, n: np.arange(n) % 2 == 0,
    "complex": lambda _, n: np.arange(n) * 1j,
    "bytes": lambda _, n: np.array([b"word"] * n, dtype="S4"),
    "text": lambda _, n: np.array(["word"] * n, dtype=h5py.string_dtype()),
    "compound": lambda _, n: np.zeros(n, dtype=[("a", "i4"), ("b", "f8")]),
    "rows of rows": lambda _, n: _rows_of_rows(n),
    "references": lambda file, n: np.array([file["units"].ref] * n, dtype=h5py.ref_dtype),
    "references to what is gone": lambda _, n: np.array(
        [h5py.Reference()] * n, dtype=h5py.ref_dtype
    ),
    "opaque": lambda _, n: np.zeros(n, dtype="V3"),
}
"""What the values may be, of any file and any number of them."""

SHAPES: dict[str, tuple[int, ...] | None] = {
    "one value": (),
    "nothing": None,
    "no rows": (0,),
    "rows": (ROWS,),
    "MATLAB's column": (ROWS, 1),
    "MATLAB's row": (1, ROWS),
    "pairs": (ROWS, 2),
    "no columns": (ROWS, 0),
    "three axes": (ROWS, 2, 3),
    "one too many": (ROWS + 1,),
    "one too few": (ROWS - 1,),
}


def columns_in(path: Path) -> list[str]:
    """Every dataset of the file that holds more than one value, by its path."""
    found: list[str] = []

    def note(name: str, thing: Any) -> None:
        if (
            isinstance(thing, h5py.Dataset)
            and thing.shape
            and not name.startswith("specifications")
        ):
            found.append(name)

    with h5py.File(path, "r") as file:
        file.visititems(note)
    return sorted(found)


def put(path: Path, column: str, dtype: str, shape: str) -> None:
    """Put other values into a dataset of a file; what refers to it refers to them."""
    with h5py.File(path, "r+") as file:
        wanted = SHAPES[shape]
        values = DTYPES[dtype](file, int(np.prod(wanted or ())))
        stored = None if wanted is None else values.reshape(wanted)
        replace(file, column, h5py.Empty("f8") if stored is None else stored, values.dtype)


def replace(file: h5py.File, column: str, stored: Any, dtype: Any = None) -> None:
    """The dataset with other values, its attributes, and all references to it."""
    old = file[column]
    attributes = dict(old.attrs)
    users: list[tuple[str, str]] = []

    def note(name: str, thing: Any) -> None:
        for key, value in thing.attrs.items():
            if isinstance(value, h5py.Reference) and value and file[value] == old:
                users.append((name, key))

    file.visititems(note)
    del file[column]
    given = {} if isinstance(stored, h5py.Empty) or dtype is None else {"dtype": dtype}
    new = file.create_dataset(column, data=stored, **given)
    for key, value in attributes.items():
        new.attrs[key] = value
    for name, key in users:
        file[name].attrs[key] = new.ref


def _rows_of_rows(n: int) -> np.ndarray:
    rows = np.empty(n, dtype=h5py.vlen_dtype(np.dtype("f8")))
    for at in range(n):
        rows[at] = np.ones(at + 1)
    return rows
