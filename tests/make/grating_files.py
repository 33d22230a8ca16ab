"""Simulated recordings before gratings as files, so small that a decoder of them is soon trained."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.simulate.catalog import simulation
from nwbsparse.simulate.nwb import write_sessions


def grating_files(folder: Path, *, n_sessions: int = 3, repeats: int = 4, **options) -> list[Path]:
    """NWB files of mice before gratings, in a folder."""
    given = {"n_sessions": n_sessions, "repeats": repeats, "n_units": 24, "noise": 0.15} | options
    return list(write_sessions(simulation("orientation").make(given), folder, overwrite=False))
