"""Are the units in a recording still those that a result was made from?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nwbsparse import names
from nwbsparse.annotated.elements.digests import Digests, digest_of_unit
from nwbsparse.errors import BadInput
from nwbsparse.io.unit_digests import UnitDigests, unit_digests
from nwbsparse.session import Session


def digests_of(session: Session, target: Session | None = None) -> dict[str, UnitDigests]:
    """What the units of a recording did, as those that are read and as those that are reconstructed.

    ``target``: the recording of the latter, where they stand in another table.
    """
    read = unit_digests(session)
    return {names.INPUT_UNIT: read, names.UNIT: read if target is None else unit_digests(target)}


def n_changed(then: Digests, now: Digests) -> int:
    """How many units a recording has otherwise than a result was made from, or not at all."""
    return len(
        {
            (dim, unit)
            for dim, units in then.items()
            for unit, digest in units.items()
            if digest_of_unit(now.get(dim, {}), *unit) != digest
        }
    )


def check_units(
    then: Digests, session: Session, target: Session | None = None, *, name: str, where: Any
) -> None:
    """Refuse a recording whose units were edited since a result was made from it.

    Raises:
        BadInput: units differ; how many, and what to do.
    """
    if changed := n_changed(then, digests_of(session, target)):
        raise BadInput(
            f"units in {where} changed since '{name}' was made: {changed} differ. Name the recording "
            "as it was with --source (source=), restore the file from a copy, or run once more on it "
            "as it is now."
        )


def file_of(session: Session) -> Path | str:
    """What to call the file of a session in a message."""
    return session.source.path or session.source.uri or session.source.identifier
