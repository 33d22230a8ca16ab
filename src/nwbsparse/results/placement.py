"""Results beside another recording than the one they were made from: a copy, or one that was made of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.annotated.elements.merged import rows_made_of, with_rows
from nwbsparse.annotated.elements.populations import axes_of
from nwbsparse.annotated.read.same_units import digests_of, file_of
from nwbsparse.annotated.recording.origin import left_out
from nwbsparse.annotated.recording.same import check_reads_the_same
from nwbsparse.annotated.recording.stage import is_nwb_here, write_recording
from nwbsparse.binning.used import used_units
from nwbsparse.errors import BadInput, raise_together
from nwbsparse.files.made_folder import made_folder
from nwbsparse.io.digest import digest_of
from nwbsparse.io.nwb.opening import opened
from nwbsparse.io.read import read_opened
from nwbsparse.io.rules.account import counted, listed
from nwbsparse.io.unit_digests import unit_digests
from nwbsparse.options.nwb_fields import NwbFields
from nwbsparse.session import Session
from nwbsparse.share.subject import check_fields, missing_for_dandi

if TYPE_CHECKING:
    from nwbsparse.results.results import Results

Notify = Callable[[str], None]


@contextmanager
def with_recording(
    results: Results, fields: NwbFields, target: Path, *, notify: Notify
) -> Iterator[tuple[Results, Path, str]]:
    """The results beside a recording that is an NWB file (HDF5), that file, and its SHA-256.

    It lies in a hidden folder beside ``target`` and is gone afterwards. It was read again and compared
    with the session: every spike, sample and id, all behaviour.

    Raises:
        BadInput: no such file can be made; why.
        EnvironmentProblem: it cannot be written.
        IntegrityError: it reads otherwise than the session.
    """
    check_fields(fields)
    copied = is_nwb_here(results.session)
    if results.target is not None and not copied:
        raise BadInput(
            "results on two tables of units (with_target) need their recording as an NWB file on this "
            "machine"
        )
    with (
        made_folder(target.parent),
        tempfile.TemporaryDirectory(prefix=".nwbsparse-", dir=target.parent) as aside,
    ):
        path = Path(aside) / "recording.nwb"
        write_recording(results.session, fields, path)
        with opened(path) as recording:
            session = read_opened(recording, results.config)
        check_reads_the_same(results.session, session)
        if not copied:
            for line in _said(results.session, session):
                notify(line)
        yield placed_in(results, session), path, digest_of(path)


def in_file(results: Results, file: Path) -> Results:
    """The results beside the recording in an NWB file that somebody has of the same units.

    Raises:
        BadInput: there is no such file, or its units are others; or behaviour that was joined from
            elsewhere would not be in it.
    """
    if not file.is_file():
        raise BadInput(f"{file} is no file; mode='in_place' adds to an NWB file that exists")
    with opened(file) as recording:
        session = read_opened(recording, results.config)
    joined = results.session.joined
    if joined is not None:
        gone = {*joined.series, *joined.events, *joined.intervals}
        gone -= {*session.series, *session.events, *session.intervals}
        if gone:
            raise BadInput(
                f"{listed(sorted(gone))} of {joined.name} would not be in {file}: write with "
                "mode='derived', which adds what was joined"
            )
    placed = placed_in(results, session)
    check_model_order(placed, session, file)
    return placed


def check_model_order(placed: Results, session: Session, file: str | Path) -> None:
    """Refuse a recording that a coder would read otherwise: its units in another order, or more of them.

    Raises:
        BadInput: it would.
    """
    if placed.config.pool is not None:
        _check_pools(placed, session, file)
        return
    config, rows = placed.config, placed.attribution[names.UNIT_ROW].values
    whole = not (config.units or config.regions or placed.coder.record.apart)
    if (np.diff(rows) <= 0).any() or (whole and len(rows) != session.n_units):
        raise BadInput(
            f"{file} holds the units of '{placed.name}' in another order, or more units: run once more "
            f"with --source {file} (source_nwb=), which learns from its table"
        )


def _check_pools(placed: Results, session: Session, file: str | Path) -> None:
    """Refuse a recording in whose table the units would be pooled otherwise."""
    config = placed.config
    there = used_units(
        session,
        units=config.units,
        regions=config.regions,
        duplicates=config.duplicates,
        pool=config.pool,
    )
    assert there.pools is not None
    made_of = there.made_of[names.MERGED_UNITS][1].astype(str).tolist()
    for axis in axes_of(placed.attribution):
        said = (placed.attribution[name].values for name in (axis.unit_id, axis.merged_units))
        ours = list(zip(*(one.astype(str).tolist() for one in said), strict=True))
        theirs = [one for one in zip(there.pools.names, made_of, strict=True) if one in ours]
        if ours != theirs:
            raise BadInput(
                f"the columns of units in {file} make other pools by {config.pool} than those of "
                f"'{placed.name}': run once more with --source {file} (source_nwb=), which learns from "
                "its table"
            )


def placed_in(results: Results, session: Session) -> Results:
    """Results as if their units had been read from another recording that has the same ones.

    Units are found by their ids (by their order, where ids repeat), and compared spike by spike, or
    sample by sample. Which file the results were made from is not forgotten.

    Raises:
        BadInput: units of the model are missing there, or did something else; which.
    """
    known, there = results.session, session
    rows = same_rows(known, there, _rows_used(results.attribution))
    attribution = _moved(results.attribution, rows)
    first = known.source
    source = replace(there.source, path=first.path, sha256=first.sha256, uri=first.uri)
    target = results.target
    if target is not None:
        target = replace(target, source=replace(target.source, path=first.path))
    return replace(
        results,
        session=replace(there, source=source),
        metrics=_moved(results.metrics, rows),
        attribution=attribution,
        target=target,
        digests=digests_of(there, target),
    )


def same_rows(known: Session, there: Session, wanted: set[int] | None = None) -> dict[int, int]:
    """Row of a unit in its table → its row in the table of another recording.

    ``wanted``: the units that must be there; all where nothing is said.

    Raises:
        BadInput: one is not, or is not the same; each is named.
    """
    at = _positions(known, there)
    ours, theirs = unit_digests(known), unit_digests(there)
    rows, others = known.unit_rows, there.unit_rows
    called, called_there = known.unit_names, there.unit_names
    found: dict[int, int] = {}
    missing, changed = [], []
    for position, row in enumerate(rows.tolist()):
        if wanted is not None and row not in wanted:
            continue
        place = at.get(position)
        if place is None:
            missing.append(str(called[position]))
            continue
        mine = ours.get((row, str(called[position])))
        other = theirs.get((int(others[place]), str(called_there[place])))
        if mine != other:
            changed.append(_differs(known, there, position, place))
        found[row] = int(others[place])
    where, of = file_of(there), file_of(known) or "the recording"
    problems = []
    if missing:
        problems.append(f"{counted(len(missing), 'unit')} not there (ids {listed(missing)})")
    if changed:
        problems.append(
            f"{counted(len(changed), 'unit')} with other spikes or samples ({listed(changed, most=4)}): "
            "another sorting, or another clock"
        )
    raise_together(problems, heading=f"{where} does not hold the units of {of}")
    return found


def _positions(known: Session, there: Session) -> Mapping[int, int]:
    ours, theirs = (one.units[names.UNIT_ID].values.astype(str) for one in (known, there))
    if np.array_equal(ours, theirs):
        return {at: at for at in range(len(ours))}
    if len(np.unique(theirs)) < len(theirs) or len(np.unique(ours)) < len(ours):
        raise BadInput(
            f"unit ids repeat, so the units of {file_of(there)} cannot be told apart: write the results "
            "into a file with the same units in the same order"
        )
    places = {unit: at for at, unit in enumerate(theirs.tolist())}
    return {at: places[unit] for at, unit in enumerate(ours.tolist()) if unit in places}


def _differs(known: Session, there: Session, position: int, place: int) -> str:
    unit = known.unit_names[position]
    if known.traces is not None or there.traces is not None:
        return f"unit {unit}"
    ours, theirs = known.spikes_of(position), there.spikes_of(place)
    if len(ours) != len(theirs):
        return f"unit {unit}: {len(ours):,} spikes, there {len(theirs):,}"
    return f"unit {unit}: times up to {float(np.abs(ours - theirs).max()):.6g} s apart"


def _rows_used(attribution: xr.Dataset) -> set[int]:
    found: set[int] = set()
    for axis in axes_of(attribution):
        found |= set(map(int, attribution[axis.unit_row].values))
        if axis.merged_units in attribution.coords:
            found |= rows_made_of(map(str, attribution[axis.merged_units].values))
    return found


def _moved(dataset: xr.Dataset, rows: Mapping[int, int]) -> xr.Dataset:
    """A dataset that names the rows of units in the other table."""
    found = {}
    for axis in axes_of(dataset):
        held = dataset.coords.get(axis.unit_row)
        if held is not None:
            moved = np.array(
                [rows.get(int(row), int(row)) for row in held.values], dtype=held.dtype
            )
            found[axis.unit_row] = (held.dims, moved)
        said = dataset.coords.get(axis.merged_units)
        if held is not None and said is not None:
            moved = with_rows(map(str, said.values), map(int, held.values), rows)
            found[axis.merged_units] = (said.dims, moved)
    return dataset.assign_coords(found)


def _said(session: Session, made: Session) -> Iterator[str]:
    if gone := left_out(session):
        yield f"not in the annotated file: {listed(gone)}"
    yield from missing_for_dandi(made)
