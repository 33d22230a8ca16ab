"""``nwbsparse simulate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nwbsparse.cli.console import new_console


def simulate(name: str, /, *, out: Path, seed: int = 0, overwrite: bool = False) -> None:
    """Write a recording with known truth as NWB.

    Parameters
    ----------
    name
        nldisco-placecells (four place cells among 96 noise units; published, so without a seed)
        or superposition (150 overlapping sources over 100 units).
    out
        The NWB file to write.
    seed
        Seed of the superposition.
    overwrite
        Replace the file.
    """
    from nwbsparse.errors import unknown
    from nwbsparse.simulate.nwb import write_placecells, write_superposition
    from nwbsparse.simulate.placecells import simulate_placecells
    from nwbsparse.simulate.superposition import simulate_superposition

    makers: dict[str, Callable[[], Any]] = {
        "nldisco-placecells": lambda: write_placecells(
            simulate_placecells(), out, overwrite=overwrite
        ),
        "superposition": lambda: write_superposition(
            simulate_superposition(seed=seed), out, overwrite=overwrite
        ),
    }
    if name not in makers:
        raise unknown(name, makers, what="simulation")
    new_console().print(f"wrote {makers[name]()}", soft_wrap=True)
