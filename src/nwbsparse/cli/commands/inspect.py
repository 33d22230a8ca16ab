"""``nwbsparse inspect``."""

from __future__ import annotations

import json
import sys
from typing import Annotated

from cyclopts import Parameter

from nwbsparse.cli.app import app
from nwbsparse.cli.console import new_console
from nwbsparse.options.config import ReadOptions


@app.command
def inspect(
    source: str,
    /,
    *,
    options: Annotated[ReadOptions, Parameter(name="*")] = ReadOptions(),  # noqa: B008
    strict: bool = False,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> None:
    """Show what a recording holds: what can be read, what was dropped and why.

    Parameters
    ----------
    source
        What is read: an NWB file (HDF5 or Zarr, a path or address), a Kilosort, Phy or suite2p
        folder, an .npz file. It is never written to.
    strict
        Refuse what reading would otherwise repair and report.
    time_scale
        Seconds per unit of the stored spike times.
    as_json
        Print JSON instead of tables.
    """
    from nwbsparse.binning.describe import describe
    from nwbsparse.cli.show import show_recording
    from nwbsparse.io.read import read_as

    seen = describe(read_as(source, options, strict=strict))
    if as_json:
        sys.stdout.write(json.dumps(seen, indent=1) + "\n")
    else:
        show_recording(new_console(), seen)
