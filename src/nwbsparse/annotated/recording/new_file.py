"""A session that was no NWB file on this machine → a new one: what was read, and what a person adds."""

# hdmf makes its classes and their signatures at run time
# pyright: reportInvalidTypeForm=false, reportCallIssue=false
from __future__ import annotations

from datetime import datetime
from typing import Any

from pynwb import NWBFile
from pynwb.file import Subject

from nwbsparse.annotated.recording.behaviour import add_behaviour
from nwbsparse.annotated.recording.identity import with_object_id
from nwbsparse.annotated.recording.origin import add_origin, left_out
from nwbsparse.annotated.recording.traces import add_traces
from nwbsparse.annotated.recording.units import add_units
from nwbsparse.errors import BadInput
from nwbsparse.io.nwb.about import LISTS, TEXTS, TIMES
from nwbsparse.options.nwb_fields import NwbFields, flag
from nwbsparse.schema import own_version
from nwbsparse.session import Session

NO_START = "1970-01-01T00:00:00+00:00"
"""Stands where NWB wants to know when a session began and nobody says it."""
_OF_SUBJECT = ("subject_id", "species", "sex", "age")
_SUBJECT = (*_OF_SUBJECT, "genotype", "strain", "weight", "description")


def new_recording(session: Session, fields: NwbFields) -> Any:
    """An NWBFile in memory that holds a session.

    Of a recording that was NWB (a stream, an object in memory) it keeps identifier, object ids, and
    what was said about session and subject; ``notes`` then say what is not in it.

    Raises:
        BadInput: a field has no form that can be read, or contradicts the recording.
    """
    said = _about(session, fields)
    start = said.pop("session_start_time", NO_START)
    reference = said.pop("timestamps_reference_time", "")
    for name in LISTS:
        if name in said:
            said[name] = said[name].split("\n")
    gone = left_out(session)
    if gone:
        where = session.source.uri or session.source.identifier or "the recording"
        here = f"Not in this file, which nwbsparse made of {where}: {', '.join(gone)}."
        said["notes"] = "\n".join(filter(None, [said.get("notes"), here]))
    nwbfile = with_object_id(
        NWBFile,
        session.source.object_id,
        identifier=_identifier(session),
        session_start_time=_moment(start),
        was_generated_by=[("nwbsparse", own_version())],
        subject=_subject(session, fields),
        **({"timestamps_reference_time": _moment(reference)} if reference else {}),
        **said,
    )
    if session.traces is None:
        add_units(nwbfile, session)
    else:
        add_traces(nwbfile, session)
    add_behaviour(
        nwbfile, series=session.series, events=session.events, intervals=session.intervals
    )
    for start, stop in () if session.invalid_times is None else session.invalid_times:
        nwbfile.add_invalid_time_interval(start_time=float(start), stop_time=float(stop))
    add_origin(nwbfile, session, made=True)
    return nwbfile


def _about(session: Session, fields: NwbFields) -> dict[str, Any]:
    """NWB's field → what the recording says, or else the person."""
    known = {
        name: session.about[name] for name in (*TIMES, *TEXTS, *LISTS) if name in session.about
    }
    if session.source.session_id:
        known["session_id"] = session.source.session_id
    given = {key: value for key, value in fields.given().items() if key not in _OF_SUBJECT}
    if "session_start" in given:
        given["session_start_time"] = _moment(given.pop("session_start")).isoformat()
    if "experimenter" in given:
        parts = [one.strip() for one in given["experimenter"].split(";")]
        given["experimenter"] = "\n".join(filter(None, parts))
    _check_agrees(known, given)
    made = {
        "session_description": f"read by nwbsparse from {session.source.identifier or 'arrays'}"
    }
    return made | known | given


def _subject(session: Session, fields: NwbFields) -> Subject | None:
    known = {name: session.subject[name] for name in _SUBJECT if session.subject.get(name)}
    given = {key: value for key, value in fields.given().items() if key in _OF_SUBJECT}
    _check_agrees(known, given)
    said: dict[str, Any] = known | given
    if born := session.subject.get("date_of_birth"):
        said["date_of_birth"] = _moment(born)
    return Subject(**said) if said else None


def _check_agrees(known: dict[str, str], given: dict[str, str]) -> None:
    for key, value in given.items():
        if known.get(key, value) != value:
            name = "session_start" if key == "session_start_time" else key
            raise BadInput(
                f"the recording says {key} {known[key]!r}; leave out {flag(name)} {value!r}"
            )


def _moment(said: str) -> datetime:
    """A time with a zone: that of this machine where none is said."""
    try:
        found = datetime.fromisoformat(said.strip())
    except ValueError:
        raise BadInput(
            f"{flag('session_start')} {said!r} is no time; write it as 2026-03-02T14:30:00+01:00"
        ) from None
    return found if found.tzinfo else found.astimezone()


def _identifier(session: Session) -> str:
    """That of the source; else one that the same content always gets, and no other has."""
    if session.source.nwb_version and session.source.identifier:
        return session.source.identifier
    called = session.source.identifier or (session.source.path.name if session.source.path else "")
    return "-".join(filter(None, [called or "recording", session.source.sha256[:16]]))
