"""Objects of a new file that are those of the source: they keep its object ids."""

from __future__ import annotations

from typing import Any, TypeVar

Made = TypeVar("Made")


def with_object_id(kind: type[Made], object_id: str, **given: Any) -> Made:
    """Make an object of NWB that has the id it has in the source; a new one where that has none.

    What links to the table of units or compares files by their ids then finds what it looks for.
    """
    if not object_id:
        return kind(**given)
    made = kind.__new__(kind, object_id=object_id)  # type: ignore[call-arg]  # as hdmf builds what it reads
    made.__init__(**given)  # type: ignore[misc]
    return made
