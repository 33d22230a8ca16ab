"""What only a person can say about a session that comes from no NWB file; named like NWB's fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from nwbsparse.errors import unknown


@dataclass(frozen=True, kw_only=True)
class NwbFields:
    """What stands in an NWB file that is made of a sorting, of traces or of arrays.

    Nothing is invented: what is absent is not in the file, and DANDI may ask for it later.
    """

    session_start: str | None = None
    """When the session began (ISO 8601): 2026-03-02T14:30:00+01:00. Without a zone: this machine's."""
    session_id: str | None = None
    """Name of the session."""
    session_description: str | None = None
    """What was done in the session."""
    experimenter: str | None = None
    """Who did it: "Last, First"; several separated by semicolons."""
    institution: str | None = None
    """Where it was done."""
    lab: str | None = None
    """The laboratory."""
    subject_id: str | None = None
    """Name of the animal or person."""
    species: str | None = None
    """Latin name, such as 'Mus musculus'."""
    sex: str | None = None
    """M, F, O (other) or U (unknown)."""
    age: str | None = None
    """Age at the session (ISO 8601): P90D for 90 days, P2M/P3M for a range."""

    def given(self) -> dict[str, str]:
        """Field → value, for those that were said."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value is not None}

    @classmethod
    def of(cls, fields: NwbFields | Mapping[str, str] | None) -> NwbFields:
        """The fields themselves, or made of a mapping; none where nothing is given.

        Raises:
            BadInput: a field that does not exist.
        """
        if isinstance(fields, NwbFields):
            return fields
        known = [one.name for one in dataclasses.fields(cls)]
        for name in fields or {}:
            if name not in known:
                raise unknown(name, known, what="field", where="fields")
        return cls(**(fields or {}))


def flag(field: str) -> str:
    """How the command line calls a field."""
    return f"--{field.replace('_', '-')}"
