"""What in an NWB file is recording, and what we added to it ourselves."""

from __future__ import annotations

from typing import Any

MODULE = "sparse_latents"
"""The processing module that holds results; it is opened with ``open_results``, never read as data."""


def recorded(nwbfile: Any) -> list[Any]:
    """Every object of the file except our own results: those must not explain themselves."""
    module = nwbfile.processing.get(MODULE)
    if module is None:
        return list(nwbfile.objects.values())
    return [thing for thing in nwbfile.objects.values() if not is_within(thing, module)]


def is_within(part: Any, whole: Any) -> bool:
    """Whether an object is another one or lies inside it."""
    while part is not None:
        if part is whole:
            return True
        part = part.parent
    return False
