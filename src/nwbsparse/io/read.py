"""read(): one verb for every source."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nwbsparse.errors import BadInput, unknown
from nwbsparse.io.readers import READERS, what_is
from nwbsparse.io.stops import stops_are_heard
from nwbsparse.io.stream import public_address
from nwbsparse.options.config import ReadOptions
from nwbsparse.session import Session


@stops_are_heard()
def read(
    source: Any,
    *,
    behaviour: str | Path | None = None,
    behaviour_offset: float = 0.0,
    **options: Any,
) -> Any:
    """Read a recording: its units and spikes, behaviour, trials, and where it came from.

    What ``source`` is decides how it is read:

    - an NWB file (HDF5 or Zarr): a path, an open ``NWBFile``, a binary file object, ``https://…``
      or ``dandi://DANDISET[@version]/path``. Options: ``units_table`` (which of several), ``series``
      (ROI or trace series instead of Units, "Activity_*" for one series per unit), ``band``
      ((low, high) Hz of an electrical series), ``rate`` (Hz, where the file's is wrong),
      ``time_scale`` (s per stored unit of time)
    - a Kilosort or Phy folder. Option: ``sampling_frequency`` (Hz) where params.py is missing
    - a SpikeInterface sorting or analyzer. Options: ``start_time`` (s, one per segment), ``units``
    - a suite2p folder. Options: ``sampling_frequency`` (Hz), ``signal``, ``cells_only``
    - an ``.npz`` file in the layout of the CEBRA demos. Option: ``bin_width`` (s)
    - pynapple objects, or a dict of them
    - an xarray object with dims ``time`` and ``unit``
    - ``{unit: spike times}`` or a list of arrays of spike times (s)
    - an array (time, unit) of counts or traces. Options: ``bin_width`` or ``times``, ``unit_ids``
    - a list of any of the above that are files: one Session each
    - what a reader of a package takes (``docs/extending/reader.md``)

    All but lists take ``behaviour``, a file (csv, npz, NWB) whose signals, trials and events are joined
    to the units, and ``behaviour_offset`` (s, added to its times): see
    :func:`nwbsparse.join_behaviour`. Everything in memory also takes ``series``, ``intervals`` and
    ``events``. All take ``strict``:
    refuse what would otherwise be repaired or left out and reported. Nothing is written, and
    nothing in a source is ever executed.

    Returns:
        A Session (a list of them for a list of sources); ``session.report`` accounts for
        everything found, kept and dropped.

    Raises:
        BadInput: the source cannot be read, and why; or an option that this source does not have.
        EnvironmentProblem: this account or network does not reach it.
    """
    if _is_many(source):
        if behaviour is not None:
            raise BadInput("behaviour= is joined to one recording; read them one by one")
        return [read(one, **options) for one in source]
    if behaviour is None and behaviour_offset:
        raise BadInput(
            "--behaviour-offset (behaviour_offset=) moves the times of a file: name it with --behaviour"
        )
    kind = what_is(source)
    known = options_of(source)
    if others := [option for option in options if option not in known]:
        raise unknown(others[0], known, what="option", of=f"reading {kind}")
    session = _named(READERS[kind].read(source, **options), source)
    if behaviour is None:
        return session
    from nwbsparse.io.behaviour.join import join_behaviour

    return join_behaviour(
        session, behaviour, offset=behaviour_offset, strict=bool(options.get("strict", False))
    )


def read_as(
    source: Any,
    options: ReadOptions,
    *,
    strict: bool = False,
    behaviour: str | Path | None = None,
    behaviour_offset: float = 0.0,
) -> Session:
    """Read one source with the options of a run, and what is joined to it."""
    joined = {"behaviour": behaviour, "behaviour_offset": behaviour_offset}
    return read(source, strict=strict, **joined, **options.for_reading(options_of(source)))


def read_again(source: Any, options: ReadOptions, *, strict: bool = False) -> Session:
    """Read a recording that a run was made from, or a copy of it that may have another form.

    Options of the run that this form does not have are left out: a sorting's sampling rate is not asked
    of an NWB file that was made of it.
    """
    if what_is(source) != "NWB":
        given = options.for_reading(options_of(source))
        known = {key: value for key, value in given.items() if key in options_of(source)}
        return read(source, strict=strict, **known)
    from nwbsparse.io.nwb.opening import opened

    with opened(source) as recording:
        return _named(read_opened(recording, options, strict=strict), source)


def _named(session: Session, source: Any) -> Session:
    """The session with the address that it came from, if it came from one."""
    uri = public_address(source)
    return replace(session, source=replace(session.source, uri=uri)) if uri else session


def read_opened(recording: Any, options: ReadOptions, *, strict: bool = False) -> Session:
    """Read an NWB recording that is open (``nwbsparse.io.nwb.opening.opened``) with the options of a run.

    It stays open, and is not built a second time. Of a recording that nwbsparse made of something else
    nothing is left open, and no option applies.
    """
    from nwbsparse.io.nwb.marks import was_made

    reader = READERS["NWB"].read
    known = _options_of(reader)
    given = {} if was_made(recording.nwbfile) else options.for_reading(known)
    return reader(
        recording, strict=strict, **{key: value for key, value in given.items() if key in known}
    )


def options_of(source: Any) -> list[str]:
    """The options that reading this source takes."""
    return _options_of(READERS[what_is(source)].read)


def _options_of(reader: Callable[..., Session]) -> list[str]:
    return list(inspect.signature(reader).parameters)[1:]


def _is_many(source: Any) -> bool:
    return (
        isinstance(source, list | tuple)
        and bool(source)
        and all(isinstance(one, str | Path) for one in source)
    )
