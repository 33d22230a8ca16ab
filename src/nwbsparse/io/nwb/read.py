"""An NWB recording into memory: everything that can be used, and an account of the rest."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from nwbsparse.io.nwb.about import about_session, about_subject
from nwbsparse.io.nwb.activity import Asked, read_activity
from nwbsparse.io.nwb.behaviour import read_behaviour
from nwbsparse.io.nwb.events import read_events
from nwbsparse.io.nwb.extent import borne_out, recording_extent
from nwbsparse.io.nwb.intervals import read_intervals, read_invalid_times
from nwbsparse.io.nwb.marks import origins
from nwbsparse.io.nwb.opening import Openable, Recording, opened, said_of_warning
from nwbsparse.io.nwb.other import list_other
from nwbsparse.io.nwb.stimuli import read_stimuli
from nwbsparse.io.rules.account import Account
from nwbsparse.io.rules.values import text
from nwbsparse.session import Session, Source


def read_nwb(
    source: Openable | Recording,
    *,
    strict: bool = False,
    units_table: str | None = None,
    time_scale: float | None = None,
    series: str | None = None,
    band: tuple[float, float] | None = None,
    rate: float | None = None,
) -> Session:
    """A recording: its units, their activity, the behaviour, the trials, and where it came from.

    A file is opened for reading only and closed before this returns; all arrays are in memory.
    Of a file on a server only what is read is downloaded, and an NWBFile or open file that was
    given stays open.
    Faults of the file are repaired or left out and counted in ``session.report``; with
    ``strict`` they are refused instead, all in one message. So are units left out of which it is
    not certain which spikes are theirs, and objects of types that neither the file nor an
    installed extension defines, with what to install. Warnings of the libraries that read
    the file go to the report too, so that they never stop the reading.

    Args:
        source: path of an NWB 2 file (HDF5) or NWB Zarr store; the address of a file
            (``https://…``, ``dandi://000207/sub-4/x.nwb``); an NWBFile of pynwb, open or in
            memory; or a binary file that is open and can seek. Or a recording that is open already
            (``opened``), which stays open.
        strict: refuse what would be repaired or left out (NaN spikes, a damaged index, repeated unit
            ids, types that nobody defines, …).
        units_table: the Units table that is read where there are several, by its path, the end of
            it, or its name. Without it that at /units, else the only one with spikes.
        time_scale: what turns the stored spike times and observed intervals into seconds: 0.001
            for milliseconds, 1 / sampling rate for samples, 1 for seconds that do not look like
            them (days at almost no rate). Other tables keep their clocks.
        series: read this series as the activity, not the spikes: fluorescence, binned spikes, or
            one series per unit. A name, container/name or path; several planes with one clock
            joined by commas; or a pattern (``Activity_*``). A file without spikes whose activity
            can only be one series needs no name.
        band: low and high edge (Hz): the series is a field potential, and its power in this band
            is the activity of each channel.
        rate: sampling rate (Hz) of series whose stored rate is no clock: NaN, 0, or below 0.1 Hz,
            which is a sampling period in disguise.

    Raises:
        BadInput: the file is not a readable NWB file, or holds no activity that can be meant, or
            times that are not seconds, or (``strict``) anything that would need repair.
        EnvironmentProblem: the file may not be opened here.
    """
    asked = Asked(series, band, rate, units_table, time_scale)
    asked.check()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with nullcontext(source) if isinstance(source, Recording) else opened(source) as recording:
            account = Account(recording.label, strict)
            session = _read(recording, account, asked)
    account.raise_problems()
    said = (*recording.warned, *map(said_of_warning, caught))
    return Session(**session, report=account.report(said))


def _read(recording: Recording, account: Account, asked: Asked) -> dict[str, Any]:
    for part in recording.unbuildable:
        account.add("other", part.path, 1, int(part.is_read), repairs=[str(part)])
    with recording.reading():
        held = _contents(recording.nwbfile, recording.io, account, recording.digest, asked)
    if recording.note:
        account.add("other", "source", 1, 1, notes=[recording.note])
    return held | {"source": replace(held["source"], path=recording.path)}


def _contents(nwbfile: Any, io: Any, account: Account, digest: str, asked: Asked) -> dict[str, Any]:
    def path_of(thing: Any) -> str:
        return io.manager.get_builder(thing).path.removeprefix("root")

    extent = recording_extent(nwbfile)
    builder_of = io.manager.get_builder
    starts = extent[0] if extent else None
    activity = read_activity(
        nwbfile, account, asked, starts=starts, path_of=path_of, builder_of=builder_of
    )
    extent = borne_out(extent, activity.spike_times, account)
    places = {"reach": activity.reach, "path_of": path_of}
    events, used = read_events(nwbfile, account, **places, used=activity.used)
    stimuli, used = read_stimuli(nwbfile, account, **places, used=used | activity.used)
    series = read_behaviour(nwbfile, account, **places, used=used, rate=asked.rate)
    intervals = read_intervals(nwbfile, account, **places, builder_of=builder_of)
    invalid_times = read_invalid_times(nwbfile, account)
    list_other(nwbfile, account, path_of=path_of, used=used)
    for part, said in origins(nwbfile).items():
        account.add("other", f"origin of the {part}", 1, 1, notes=[said])
    return {
        "units": activity.units,
        "spike_times": activity.spike_times,
        "spike_index": activity.spike_index,
        "series": series,
        "intervals": intervals
        | _apart(activity.intervals, intervals, "windows")
        | _apart(stimuli, intervals, "over_time"),
        "events": events,
        "traces": activity.traces,
        "obs_intervals": activity.obs_intervals,
        "extent": activity.reach.extent if activity.traces is not None else extent,
        "invalid_times": invalid_times,
        "subject": about_subject(nwbfile),
        "about": about_session(nwbfile),
        "source": Source(
            path=account.path,
            sha256=digest,
            identifier=text(nwbfile.identifier),
            object_id=nwbfile.object_id,
            session_id=text(nwbfile.session_id),
            nwb_version=text(io.nwb_version[0]),
            units_path=activity.table_path,
            units_object_id=activity.table_object_id,
        ),
    }


def _apart(more: Mapping[str, Any], known: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Tables under names that no other table has."""
    return {f"{name}_{what}" if name in known else name: table for name, table in more.items()}
