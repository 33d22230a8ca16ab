"""The recording that results are written beside: an NWB file (HDF5), made where there is none."""

from __future__ import annotations

import warnings
from pathlib import Path

from nwbsparse.annotated.recording.behaviour import add_behaviour
from nwbsparse.annotated.recording.new_file import new_recording
from nwbsparse.annotated.recording.origin import add_origin
from nwbsparse.annotated.safe.hdf5 import steady_nwb
from nwbsparse.annotated.write.kept import allow_plain_columns, leave_out_raw
from nwbsparse.errors import BadInput
from nwbsparse.io.digest import digest_of
from nwbsparse.io.nwb.opening import built
from nwbsparse.options.nwb_fields import NwbFields, flag
from nwbsparse.session import Session


def is_nwb_here(session: Session) -> bool:
    """Whether the recording is an NWB file or Zarr store on this machine, of which a copy can be made."""
    path = session.source.path
    return bool(session.source.nwb_version) and path is not None and path.exists()


def stands_as_it_is(session: Session) -> bool:
    """Whether results can be written beside the recording as it is: HDF5 here, and nothing joined to it."""
    path = session.source.path
    return is_nwb_here(session) and session.joined is None and path is not None and path.is_file()


def refuse_fields(session: Session, fields: NwbFields) -> None:
    """Refuse to be told what an NWB file on this machine says itself.

    Raises:
        BadInput: a field was given, and the recording is such a file.
    """
    given = fields.given()
    if given and is_nwb_here(session):
        raise BadInput(
            f"{session.source.path} is NWB and says itself what it is; leave out "
            f"{', '.join(map(flag, given))} (`nwbsparse bundle` adds what DANDI asks of the subject)"
        )


def write_recording(session: Session, fields: NwbFields, path: Path) -> None:
    """Write the recording of a session as NWB (HDF5), for results to be put beside it.

    Of an NWB file or Zarr store on this machine everything is copied but raw data; what was joined to
    it is added. Of all else a new file is made that holds what was read. The source is only read.

    Raises:
        BadInput: the source changed since it was read, is not here any more, or says itself what
            ``fields`` say.
    """
    with warnings.catch_warnings():
        # about the source; the report of reading says them
        warnings.simplefilter("ignore")
        if is_nwb_here(session):
            _copy(session, fields, path)
            return
        if session.traces is None and not len(session.spike_times):
            raise BadInput(
                "the recording of these results is not here, only what was learned from it; fetch it, "
                "and name it with --source (source=)"
            )
        nwbfile = new_recording(session, fields)
        with steady_nwb(path, "w") as io:
            io.write(nwbfile)


def _copy(session: Session, fields: NwbFields, path: Path) -> None:
    source = session.source.path
    assert source is not None
    refuse_fields(session, fields)
    if session.source.sha256 != digest_of(source):
        raise BadInput(f"{source} changed since it was read; read it again and run once more")
    with built(source, for_copy=True) as (io, nwbfile):
        leave_out_raw(nwbfile)
        allow_plain_columns(nwbfile)
        joined = session.joined
        if joined is not None:
            add_behaviour(
                nwbfile,
                series={name: session.series[name] for name in joined.series},
                events={name: session.events[name] for name in joined.events},
                intervals={name: session.intervals[name] for name in joined.intervals},
            )
        add_origin(nwbfile, session, made=False)
        nwbfile.set_modified()
        with steady_nwb(path, "w") as target:
            target.export(src_io=io, nwbfile=nwbfile, write_args={"link_data": False})
