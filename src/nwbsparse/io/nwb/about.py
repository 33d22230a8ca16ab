"""What an NWB file says of a session as a whole, and of its subject, as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from nwbsparse.io.rules.values import text

SUBJECT: Final = (
    *("subject_id", "species", "sex", "age", "genotype", "strain", "weight", "date_of_birth"),
    "description",
)
TIMES: Final = ("session_start_time", "timestamps_reference_time")
LISTS: Final = ("experimenter", "keywords", "related_publications")
"""Fields of several texts: here one per line."""
TEXTS: Final = (
    *("session_description", "experiment_description", "institution", "lab", "protocol", "notes"),
    *("pharmacology", "surgery", "virus", "stimulus_notes", "data_collection"),
)


def about_session(nwbfile: Any) -> Mapping[str, str]:
    """Field → text, for each field that says something."""
    said = {name: _time(getattr(nwbfile, name, None)) for name in TIMES}
    said |= {name: text(getattr(nwbfile, name, None)) for name in TEXTS}
    for name in LISTS:
        held = getattr(nwbfile, name, None)
        said[name] = "" if held is None else "\n".join(text(one) for one in held[:])
    return {name: value for name, value in said.items() if value}


def about_subject(nwbfile: Any) -> Mapping[str, str]:
    """Likewise of the subject; empty where there is none."""
    if nwbfile.subject is None:
        return {}
    said = {name: text(getattr(nwbfile.subject, name, None)) for name in SUBJECT}
    return {name: value for name, value in said.items() if value}


def _time(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else text(value)
