"""An annotated file opened again, with the recording it was made from or without."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.annotated.elements.populations import axes_of
from nwbsparse.annotated.links import check_linked, linked_files, results_alone
from nwbsparse.annotated.read.parse import find_model, is_model, parse_model
from nwbsparse.annotated.stored import StoredResult
from nwbsparse.errors import NwbsparseWarning
from nwbsparse.io.check import check_readable
from nwbsparse.io.nwb.contents import MODULE
from nwbsparse.io.nwb.opening import Recording, built, check_results_built, opened
from nwbsparse.session import ReadLine, ReadReport, Session


def source_is_here(path: Path) -> bool:
    """Whether everything is there that a file links to; always so for a self-contained file."""
    return path.is_dir() or all(linked_files(path).values())


@contextmanager
def opened_model(path: Path, name: str | None, *, alone: bool = False) -> Iterator[Any]:
    """The model of this name (the only one when None) in a file, HDF5 or Zarr, open for reading.

    ``alone``: without following any link out of the file.

    Raises:
        BadInput: the file cannot be read, holds no result, or several and no name was given.
    """
    with warnings.catch_warnings():
        # reading the recording puts them into its report
        warnings.simplefilter("ignore")
        if alone:
            with results_alone(path) as nwbfile:
                yield find_model(nwbfile, name, path=path)
        elif path.is_dir():
            with opened(path) as recording:
                check_results_built(recording.unbuildable, path)
                yield find_model(recording.nwbfile, name, path=path)
        else:
            with built(check_readable(path)) as (_, nwbfile):
                yield find_model(nwbfile, name, path=path)


@contextmanager
def opened_result(
    path: Path, name: str | None, *, alone: bool = False
) -> Iterator[tuple[StoredResult, Recording | None]]:
    """A stored result, and the recording in its file, which is open: both from building it once.

    ``alone``: without following any link out of the file, and without a recording then.

    Raises:
        BadInput: the file cannot be read, holds no result, or several and no name was given.
        IntegrityError: the result is damaged, or the file links to another recording.
    """
    if alone:
        with opened_model(path, name, alone=True) as model:
            stored = parse_model(model)
        yield stored, None
        return
    with opened(path) as recording:
        check_results_built(recording.unbuildable, path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored = parse_model(find_model(recording.nwbfile, name, path=path))
        check_linked(path, stored.source)
        yield stored, recording


def without_recording(path: Path, stored: StoredResult) -> Session:
    """The units of a result, as a session without spikes, where its recording is not at hand."""
    missing = ", ".join(one.name for one, there in linked_files(path).items() if not there)
    said = (
        f"{missing}, the recording of {path.name}, is not here: latents, metrics and attribution "
        "can be used; to encode again, fetch it"
    )
    warnings.warn(said, NwbsparseWarning, stacklevel=3)
    attribution = stored.attribution
    # read, then reconstructed, where these are others
    ids = [attribution[axis.unit_id].values for axis in reversed(axes_of(attribution))]
    n_units = sum(map(len, ids))
    units = xr.Dataset(
        {
            names.UNIT_ID: (names.UNIT, np.concatenate(ids)),
            names.N_SPIKES: (names.UNIT, np.zeros(n_units, dtype=np.int64)),
        }
    )
    return Session(
        units=units,
        spike_times=np.zeros(0),
        spike_index=np.zeros(n_units + 1, dtype=np.int64),
        source=replace(stored.source, path=None),
        report=ReadReport((ReadLine("units", "units", n_units, n_units, (said,)),), (said,)),
    )


def models_in(nwbfile: Any) -> dict[str, Any]:
    """Every SparseLatentModel of a file, by name."""
    module = nwbfile.processing.get(MODULE)
    held = {} if module is None else module.data_interfaces
    return {str(name): thing for name, thing in held.items() if is_model(thing)}


@contextmanager
def opened_file(path: Path) -> Iterator[Any]:
    """The NWBFile of a checked path, HDF5 or Zarr; without its links where what they lead to is away."""
    with ExitStack() as held:
        held.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if path.is_dir():
            recording = held.enter_context(opened(path))
            check_results_built(recording.unbuildable, path)
            yield recording.nwbfile
        elif not source_is_here(path):
            yield held.enter_context(results_alone(path))
        else:
            yield held.enter_context(built(path))[1]
