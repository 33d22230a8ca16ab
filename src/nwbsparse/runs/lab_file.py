"""A sorting or traces, and the lab's own NWB file that holds the same units: the results go there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from nwbsparse import names
from nwbsparse.binning.to_bins import select_units
from nwbsparse.errors import BadInput
from nwbsparse.io.read import read, what_is
from nwbsparse.options.config import Config
from nwbsparse.results.placement import same_rows
from nwbsparse.session import Session


def in_lab_file(
    session: Session, file: str | Path, config: Config, *, strict: bool = False
) -> tuple[Session, Config]:
    """The recording as the lab's NWB file holds it, and options that take the units of the source.

    Units are found by their ids and compared spike by spike. Where the file holds more units, those of
    the source are used. Behaviour, trials, when units were observed, and everything else is the file's.

    Args:
        session: what was read of the source: which units there are.
        file: an NWB file (HDF5 or Zarr) on this machine.
        config: the options of the run; units are chosen by what the source says of them.
        strict: refuse what reading the file would repair.

    Raises:
        BadInput: it is no such file, or does not hold the units of the source; which are missing or
            differ.
    """
    if what_is(file) != "NWB" or "://" in str(file):
        raise BadInput(f"--source {file} must be an NWB file on this machine")
    if session.source.nwb_version:
        raise BadInput(
            "--source names the NWB file that holds the units of a sorting, traces or arrays; the "
            "recording is NWB itself"
        )
    if session.joined is not None:
        raise BadInput(
            f"behaviour is taken from --source {Path(file).name}, or from --behaviour "
            f"{session.joined.name}; give one of them"
        )
    there = read(file, strict=strict)
    chosen = select_units(session, config.units, regions=config.regions)
    ids = session.units[names.UNIT_ID].values[chosen]
    stated = session.units.get(names.UNIT_ROW)
    rows = chosen if stated is None else stated.values[chosen]
    found = same_rows(session, there, set(map(int, rows)))
    given: dict[str, Any] = dict.fromkeys(("sampling_frequency", "time_scale"))
    if len(found) < there.n_units or config.units or config.regions:
        given |= {"units": ",".join(map(str, ids)), "regions": None}
    return there, replace(config, **given)
