"""An NWB file (HDF5) into memory: everything that can be used, and an account of the rest."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pynwb import NWBHDF5IO

from nwbsparse.errors import BadInput, NwbsparseError
from nwbsparse.io.account import Account
from nwbsparse.io.check import check_readable, sha256_of
from nwbsparse.io.datasets import text
from nwbsparse.io.nwb_behaviour import read_behaviour
from nwbsparse.io.nwb_intervals import read_intervals, read_invalid_times
from nwbsparse.io.nwb_other import list_other, recording_extent
from nwbsparse.io.nwb_units import read_obs_intervals, read_units, units_table
from nwbsparse.session import Session, Source

_SUBJECT = (
    *("subject_id", "species", "sex", "age", "genotype", "strain", "weight", "date_of_birth"),
    "description",
)


def read_nwb(path: str | Path, *, strict: bool = False, time_scale: float = 1.0) -> Session:
    """A recording: its units, their spikes, the behaviour, the trials, and where it came from.

    The file is opened for reading only and closed before this returns; all arrays are in memory.
    Faults of the file are repaired or left out and counted in ``session.report``; with
    ``strict`` they are refused instead, all in one message. Warnings of the libraries that read
    the file go to the report too, so that they never stop the reading.

    Args:
        path: an NWB 2 file.
        strict: refuse what would be repaired (NaN spikes, NaN stops, repeated unit ids, …).
        time_scale: what turns the stored spike times and observed intervals into seconds: 0.001
            for milliseconds, 1 / sampling rate for samples. Other tables keep their clocks.

    Raises:
        BadInput: the file is not a readable NWB file, or holds no units with spikes, or times
            that are not seconds, or (``strict``) anything that would need repair.
        EnvironmentProblem: the file may not be opened here.
    """
    if not math.isfinite(time_scale) or time_scale <= 0:
        raise BadInput(f"time_scale must be a positive number of seconds, not {time_scale}")
    path = check_readable(path)
    account = Account(path, strict)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        session = _read(path, account, time_scale)
    account.raise_problems()
    said = (f"{warning.category.__name__}: {warning.message}" for warning in caught)
    return Session(**session, report=account.report(said))


def _read(path: Path, account: Account, time_scale: float) -> dict[str, Any]:
    digest = sha256_of(path)
    io, nwbfile = _opened(path)
    with io:
        try:
            return _contents(nwbfile, io, account, digest, time_scale)
        except NwbsparseError:
            raise
        except OSError as error:  # a chunk that does not unpack
            raise BadInput(f"data in {path} are damaged ({error}). Re-copy the file.") from error


def _opened(path: Path) -> tuple[NWBHDF5IO, Any]:
    io = None
    try:
        io = NWBHDF5IO(path=str(path), mode="r")
        return io, io.read()
    except Exception as error:  # pynwb raises anything: a missing extension, a broken table, …
        if io is not None:
            io.close()
        # hdmf puts the whole tree of the file before the sentence that matters
        why = text(error.args[-1])[:300] if error.args else type(error).__name__
        if unknown := re.search(r"'(\S+)' not a namespace", why):
            raise BadInput(
                f"{path} uses the NWB extension {unknown[1]} but does not hold its definition: "
                f"install it (pip install {unknown[1]}) and read again."
            ) from error
        raise BadInput(
            f"{path} cannot be read by pynwb ({why}). Check it with nwbinspector, and re-export it."
        ) from error


def _contents(
    nwbfile: Any, io: NWBHDF5IO, account: Account, digest: str, time_scale: float
) -> dict[str, Any]:
    def path_of(thing: Any) -> str:
        return io.manager.get_builder(thing).path.removeprefix("root")

    table = units_table(nwbfile, account)
    extent = recording_extent(nwbfile)
    builder_of = io.manager.get_builder
    units, spikes = read_units(
        table,
        account,
        time_scale=time_scale,
        starts=extent[0] if extent else None,
        builder=builder_of(table),
    )
    obs_intervals = read_obs_intervals(table, spikes, account, time_scale=time_scale)
    places = {"spike_extent": spikes.extent, "path_of": path_of}
    series = read_behaviour(nwbfile, account, **places)
    intervals = read_intervals(nwbfile, account, **places, builder_of=builder_of)
    invalid_times = read_invalid_times(nwbfile, account)
    list_other(nwbfile, account, path_of=path_of)
    return {
        "units": units,
        "spike_times": spikes.times,
        "spike_index": spikes.index,
        "series": series,
        "intervals": intervals,
        "obs_intervals": obs_intervals,
        "extent": extent,
        "invalid_times": invalid_times,
        "subject": _subject(nwbfile),
        "source": Source(
            path=account.path,
            sha256=digest,
            identifier=text(nwbfile.identifier),
            object_id=nwbfile.object_id,
            session_id=text(nwbfile.session_id),
            nwb_version=text(io.nwb_version[0]),
            units_path=path_of(table),
            units_object_id=table.object_id,
        ),
    }


def _subject(nwbfile: Any) -> Mapping[str, str]:
    if nwbfile.subject is None:
        return {}
    said = {name: text(getattr(nwbfile.subject, name, None)) for name in _SUBJECT}
    return {name: value for name, value in said.items() if value}
