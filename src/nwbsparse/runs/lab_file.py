"""A sorting or traces, and the lab's own NWB file that holds the same units: the results go there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.binning.select_units import select_units
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.marks import RECORDING
from nwbsparse.io.read import read, what_is
from nwbsparse.naming.listed_names import listed_names
from nwbsparse.options.config import Config
from nwbsparse.results.placement import check_model_order, placed_in, same_rows
from nwbsparse.results.results import Results
from nwbsparse.runs.prepare import prepare
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
    found = same_rows(session, there, set(map(int, session.unit_rows[chosen])))
    given: dict[str, Any] = dict.fromkeys(("sampling_frequency", "time_scale"))
    if len(found) < there.n_units or config.units or config.regions:
        used = there.unit_names[np.isin(there.unit_rows, list(found.values()))]
        given |= {"units": listed_names(map(str, used)), "regions": None}
    return there, replace(config, **given)


def into_lab_file(results: Results, file: str | Path) -> Results:
    """Results of a sorting, traces or arrays, as results of the lab's NWB file that holds the same units.

    Raises:
        BadInput: its units are missing or differ, it holds more of them, or its bins lie elsewhere
            (observed at other times, other epochs): the results would not be those of the file.
    """
    there = read(file)
    placed = placed_in(results, there)
    check_model_order(placed, there, file)
    binned = prepare(there, results.config, embedding=results.embedding, embedder=results.embedder)
    here, then = binned[names.TIME].values, results.latents[names.TIME].values
    # stored as a start and a rate, which rounds
    if here.shape != then.shape or not np.allclose(here, then, rtol=0, atol=1e-6):
        raise BadInput(
            f"the bins of {file} lie elsewhere than those of '{results.name}' (there over the "
            f"{binned.attrs['extent_from']}); run once more with --source {file}"
        )
    return replace(placed, session=there)


def was_made_here(results: Results) -> bool:
    """Whether the recording beside opened results is one that nwbsparse wrote of what was no NWB file."""
    origin = f"origin of the {RECORDING}"
    return any(line.name == origin for line in results.session.report.lines)
