"""The activations in an annotated file, stretch by stretch."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.annotated.read.window import StoredActivations
from nwbsparse.deprecated import renamed


@renamed(name="result")
def open_activations(path: str | Path, *, result: str | None = None) -> StoredActivations:
    """Open the activations in an annotated NWB file, to read stretches of them.

    Use it with ``with``; ``.window(start, stop)`` gives the Latents dataset of the bins whose
    centre lies in [start, stop) s, and reads (and checks) those only.

    Raises:
        BadInput: no sparse latents in the file, or several and no name.
        IntegrityError: what was read is damaged.
    """
    return StoredActivations(Path(path).expanduser(), result)
