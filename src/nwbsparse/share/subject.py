"""What DANDI asks about a subject: taken from the file, or from whoever shares it; never invented."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from pynwb.file import Subject

from nwbsparse.annotated.recording.new_file import NO_START
from nwbsparse.errors import raise_together
from nwbsparse.io.rules.values import text
from nwbsparse.options.nwb_fields import NwbFields, flag
from nwbsparse.session import Session

_DURATION = (
    r"P(?!$)(\d+(\.\d+)?Y)?(\d+(\.\d+)?M)?(\d+(\.\d+)?W)?(\d+(\.\d+)?D)?"
    r"(T(?=\d)(\d+(\.\d+)?H)?(\d+(\.\d+)?M)?(\d+(\.\d+)?S)?)?"
)
_FORMS = {
    "subject_id": (re.compile(r"[^/\\\x00-\x1f]+"), "a name without slashes"),
    "age": (
        re.compile(rf"{_DURATION}(/({_DURATION})?)?"),
        "an ISO 8601 duration, P90D for 90 days, or a range, P2M/P3M",
    ),
    "sex": (re.compile(r"[MFUO]"), "M, F, O (other) or U (unknown)"),
    "species": (
        re.compile(r"[A-Z][a-z]* [a-z]+|http://purl\.obolibrary\.org/obo/NCBITaxon_\d+"),
        "a Latin name, 'Mus musculus', or an NCBI taxonomy address",
    ),
}
"""Field → the form that DANDI accepts, and that form in words."""


_LIKED = ("session_description", "experimenter", "institution")


@dataclass(frozen=True)
class SubjectFields:
    """What is said about a subject where the file does not say it."""

    subject_id: str | None = None
    """Name of the animal or person."""
    age: str | None = None
    """Age at the session, ISO 8601: P90D for 90 days."""
    sex: str | None = None
    """M, F, O (other) or U (unknown)."""
    species: str | None = None
    """Latin name, such as 'Mus musculus'."""


def check_fields(fields: NwbFields) -> None:
    """Make sure that what a person says about a session has the forms that NWB and DANDI take.

    Raises:
        BadInput: what has not; all of it in one message.
    """
    problems = []
    for name, value in fields.given().items():
        pattern, form = _FORMS.get(name, (None, ""))
        if not value.strip():
            problems.append(f"{flag(name)} is empty: say something, or leave it out")
        elif pattern is not None and not pattern.fullmatch(value):
            problems.append(f"{flag(name)} {value!r} must be {form}")
        elif name == "session_start" and not _is_time(value):
            problems.append(
                f"{flag(name)} {value!r} is no time; write it as 2026-03-02T14:30:00+01:00"
            )
    raise_together(problems, heading="what is said about the session cannot be used")


def missing_for_dandi(session: Session) -> list[str]:
    """What DANDI asks for, or likes to have, that a recording does not say: a line each, with flags."""
    subject, about = session.subject, session.about
    lacks = [name for name in _FORMS if not _FORMS[name][0].fullmatch(subject.get(name, ""))]
    if subject.get("date_of_birth") and "age" in lacks:
        lacks.remove("age")
    if about.get("session_start_time", NO_START) == NO_START:
        lacks.insert(0, "session_start")
    likes = [name for name in _LIKED if not about.get(name)]
    likes += [] if session.source.session_id else ["session_id"]
    said = []
    if lacks:
        flags = ", ".join(map(flag, lacks))
        said.append(f"for DANDI the annotated file lacks {flags}; give them with the run")
    if "session_start" in lacks:
        said.append(f"nobody said when the session began: {NO_START[:10]} stands in the file")
    if likes:
        said.append(f"not needed for DANDI, but good to have: {', '.join(map(flag, likes))}")
    return said


def _is_time(said: str) -> bool:
    try:
        datetime.fromisoformat(said.strip())
    except ValueError:
        return False
    return True


def complete_subject(nwbfile: Any, given: SubjectFields) -> dict[str, str]:
    """Add to an open NWBFile what it does not say about its subject; returns what was added.

    A value of the file that DANDI does not accept ("male") counts as missing; one that it accepts
    is never replaced. A date of birth stands in for the age.

    Raises:
        BadInput: fields are missing (each with the flag that supplies it), a given value has the
            wrong form, or contradicts the file.
    """
    subject = nwbfile.subject
    added: dict[str, str] = {}
    problems: list[str] = []
    for field in fields(SubjectFields):
        name, value = field.name, getattr(given, field.name)
        pattern, form = _FORMS[name]
        flag = f"--{name.replace('_', '-')}"
        held = text(getattr(subject, name, None)).strip()
        if value is not None and not pattern.fullmatch(value):
            problems.append(f"{flag} {value!r} must be {form}")
        elif pattern.fullmatch(held):
            if value not in (None, held):
                problems.append(f"the file says {name} {held!r}; leave out {flag} {value!r}")
        elif value is not None:
            added[name] = value
        elif name != "age" or getattr(subject, "date_of_birth", None) is None:
            said = f"{name} is {held!r}" if held else f"no {name}"
            problems.append(f"{said}: say it with {flag}, {form}")
    raise_together(problems, heading="DANDI needs to know more about the subject")
    if subject is None:
        nwbfile.subject = Subject(**added)
    else:
        # pynwb sets a field once; here a form that no archive reads gives way to one it does
        subject.fields.update(added)
        if "age" in added:
            subject.fields["age__reference"] = "birth"
        subject.set_modified(bool(added))
    return added
