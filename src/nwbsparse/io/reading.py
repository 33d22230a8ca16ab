"""read(): one verb for every source."""

from __future__ import annotations

from pathlib import Path

from nwbsparse.session import Session


def read(source: str | Path, *, strict: bool = False, time_scale: float = 1.0) -> Session:
    """Read a recording: its units and spikes, behaviour, trials, and where it came from.

    Args:
        source: path of an NWB file (HDF5). It is opened for reading only.
        strict: refuse what would otherwise be repaired or left out and reported.
        time_scale: seconds per unit of the stored spike times (0.001 for milliseconds).

    Returns:
        A Session; ``session.report`` accounts for everything found, kept and dropped.

    Raises:
        BadInput: the source cannot be read, and why.
        EnvironmentProblem: this account may not read it.
    """
    from nwbsparse.io.nwb import read_nwb

    return read_nwb(source, strict=strict, time_scale=time_scale)
