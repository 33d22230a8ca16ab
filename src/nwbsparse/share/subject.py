"""What DANDI asks about a subject: taken from the file, or from whoever shares it; never invented."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from pynwb.file import Subject

from nwbsparse.errors import raise_together
from nwbsparse.io.rules.values import text

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
